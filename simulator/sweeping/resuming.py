"""A launcher in front of another one: it skips what is done, watches the rest, and says how it went."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from simulator.progress import duration
from simulator.sweeping.folder import SweepFolder
from simulator.sweeping.job import failures, lead, several_ranks
from simulator.sweeping.watch import Watch


@dataclass(frozen=True)
class Planned:
    """A job before it is launched: the name of its folder, its overrides, and its rounds."""

    name: str
    overrides: list[str]
    rounds: int


class Resuming(Launcher):
    """Launch by another launcher what a sweep's folder does not hold yet.

    Parameters
    ----------
    inner : Launcher
        Any of Hydra's, set up.
    """

    def __init__(self, inner: Launcher) -> None:
        self.inner = inner

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what composing a job needs."""
        self.loader, self.config = hydra_context.config_loader, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Launch those of the jobs that are not finished; what fails is said and noted, and leaves the others alone."""
        jobs = [self._planned(overrides, initial_job_idx + at) for at, overrides in enumerate(job_overrides)]
        if several_ranks():
            return self.inner.launch(job_overrides, initial_job_idx)
        began, folder = lead(), SweepFolder(Path(str(self.config.hydra.sweep.dir)))
        # Two spellings of one configuration are one job.
        different = {job.name: job for job in jobs}
        folder.plan({name: job.overrides for name, job in different.items()})
        left = [job for name, job in different.items() if folder.standing(name).state != "finished"]
        before = len(different) - len(left)
        if before:
            print(f"sweep: {before} of {len(different)} jobs are finished already, {len(left)} to go", file=sys.stderr)
        returns = self._launched(folder, left, initial_job_idx) if left else []
        ended = [folder.standing(job.name).state for job in left].count("finished")
        print(
            f"sweep: {before + ended} of {len(different)} jobs finished, {len(left) - ended} not, "
            f"in {duration(time.time() - began)}: {folder.path}"
        )
        return returns

    def _launched(self, folder: SweepFolder, jobs: list[Planned], first: int) -> Sequence[JobReturn]:
        returns: Sequence[JobReturn] = []
        with Watch(folder, {job.name: job.rounds for job in jobs}, bool(self.config.progress)) as watch:
            try:
                returns = self.inner.launch([job.overrides for job in jobs], first)
            except Exception as error:  # each launcher has its own for a killed worker and a lost cluster
                first_line = (str(error).splitlines() or [""])[0]
                watch.say(f"the launcher gave up: {type(error).__name__}: {first_line}; the same command goes on")
            watch.look()
            for job, done in zip(jobs, returns, strict=False):
                if done.status is JobStatus.FAILED:
                    watch.tell(job.name, repr(done._return_value))
                elif done.return_value is not None:
                    watch.tell(job.name, str(done.return_value))
        failures.extend(watch.said)
        return [done for done in returns if done.status is JobStatus.COMPLETED]

    def _planned(self, overrides: Sequence[str], number: int) -> Planned:
        """Compose a job to find its folder.

        Raises
        ------
        ValueError
            If it cannot be composed, or its folder be named.
        """
        try:
            config = self.loader.load_sweep_config(self.config, list(overrides))
            with open_dict(config):
                config.hydra.job.num, config.hydra.job.id = number, str(number)
            HydraConfig.instance().set_config(config)
            name = str(OmegaConf.select(config, "hydra.sweep.subdir"))
        except (HydraException, OmegaConfBaseException) as error:
            raise ValueError(f"{' '.join(overrides)}: {error}") from error
        finally:
            HydraConfig.instance().set_config(self.config)
        rounds = config.rounds
        return Planned(name, list(overrides), rounds if isinstance(rounds, int) else 0)
