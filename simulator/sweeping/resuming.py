"""A launcher in front of another one: it skips what is done, watches the rest, and says how it went."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from simulator.progress import duration
from simulator.records.folder import RunFolder
from simulator.sweeping.folder import Job, SweepFolder
from simulator.sweeping.job import failures, lead, several_ranks
from simulator.sweeping.planned import Planned, different, planned
from simulator.sweeping.watch import Watch


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
        if several_ranks():
            return self.inner.launch(job_overrides, initial_job_idx)
        numbers = range(initial_job_idx, initial_job_idx + len(job_overrides))
        asked = zip(job_overrides, numbers, strict=True)
        try:
            jobs = different([planned(self.loader, self.config, overrides, number) for overrides, number in asked])
        except ValueError as error:
            failures.append(str(error))
            print(f"error: {error}", file=sys.stderr)
            return []
        began, folder = lead(), SweepFolder(Path(str(self.config.hydra.sweep.dir)))
        plan = folder.plan({job.name: Job(job.asked, job.overrides) for job in jobs})
        # A launcher numbers what it gets: where folders have numbers, each job finds out for itself that it is done.
        whole = any(job.numbered for job in jobs)
        left = [job for job in jobs if whole or plan[job.name].asked != job.asked or not folder.finished(job.name)]
        before = len(jobs) - len(left)
        if before:
            print(f"sweep: {before} of {len(jobs)} jobs are finished already, {len(left)} to go", file=sys.stderr)
        returns, bad = self._launched(folder, left, initial_job_idx) if left else ([], 0)
        took = duration(time.time() - began)
        if told := trajectories(folder, [job.name for job in left]):
            print(f"sweep: trajectories: {told}")
        print(f"sweep: {len(jobs) - bad} of {len(jobs)} jobs finished, {bad} not, in {took}: {folder.path}")
        return returns

    def _launched(self, folder: SweepFolder, jobs: list[Planned], first: int) -> tuple[Sequence[JobReturn], int]:
        """Give what the jobs returned, and how many of them did not finish."""
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
        bad = [job for job in jobs if job.name in watch.failed or not folder.finished(job.name)]
        return [done for done in returns if done.status is JobStatus.COMPLETED], len(bad)


def trajectories(folder: SweepFolder, names: Sequence[str]) -> str:
    """Count how the finished ones among these jobs came about: trained, re-timed without a gradient, or racy."""
    ways: Counter[str] = Counter()
    for name in names:
        if folder.finished(name):
            summary = RunFolder(folder.path / name).read_json("summary")
            racy, computed = summary.get("racy"), summary["gradient_seconds"] > 0
            ways["co-simulated (racy)" if racy else "trained" if computed else "re-timed"] += 1
    return ", ".join(f"{ways[way]} {way}" for way in ("trained", "re-timed", "co-simulated (racy)") if ways[way])
