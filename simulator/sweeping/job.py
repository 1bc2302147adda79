"""What Hydra calls for each configuration, in this process, in another one, or on another machine."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from simulator.config import register
from simulator.identity import register_hash
from simulator.sweeping.failure import clear_failure, write_failure
from simulator.sweeping.folder import Busy, only_writer
from simulator.sweeping.gpus import settle_on_a_gpu
from simulator.sweeping.launchers import threads_of_a_job

# Here, because a worker process imports this module before it composes anything.
register()
register_hash()

EXPECTED = (ValueError, TypeError, RuntimeError, OSError)
# The process that leads the sweep, for the workers that it starts.
LEADER = "BITCLOCK_SWEEP_LEADER"

# What went wrong in this process since the command began: the exit code comes from it.
failures: list[str] = []


def job(config: DictConfig) -> str | None:
    """Run one configuration in Hydra's folder for it.

    Returns
    -------
    str or None
        What went wrong, in one line. Alone, it is said on standard error as well; in a sweep it is left in
        ``failed.json``, and the process that leads the sweep says it.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    if OmegaConf.is_missing(hydra.job, "num") or several_ranks():
        return _alone(config, folder)
    return _in_sweep(config, folder, hydra)


def several_ranks() -> bool:
    """Whether this is one of several processes that together host every run (torchrun)."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _alone(config: DictConfig, folder: Path) -> str | None:
    from simulator.launch import launch

    try:
        launch(config, folder)
    except EXPECTED as error:
        failures.append(str(error))
        print(f"error: {error}", file=sys.stderr)
        return str(error)
    return None


def _in_sweep(config: DictConfig, folder: Path, hydra: Any) -> str | None:
    """Run a job of a sweep: go on with what its folder holds, and let nothing but an interrupt get out."""
    config.resume = True
    config.progress = False  # the sweep has one display for all
    config.threads = config.threads or threads_of_a_job(hydra.launcher)
    try:
        with only_writer(folder), _no_orphan():
            settle_on_a_gpu(config.device)
            return _tried(config, folder, list(hydra.overrides.task))
    except Busy as error:
        return str(error)


def _tried(config: DictConfig, folder: Path, overrides: list[str]) -> str | None:
    from simulator.launch import launch

    try:
        launch(config, folder, report=_silent)
    except EXPECTED as error:
        return write_failure(folder, error, overrides)
    except Exception as error:  # a mistake of ours or of an extension: it costs this job, and its trace is kept
        return write_failure(folder, error, overrides, trace=True)
    clear_failure(folder)
    return None


def _silent(*_: Any) -> None:
    """Leave the report to the process that leads the sweep."""


@contextmanager
def _no_orphan() -> Iterator[None]:
    """End this process when the one that leads the sweep and has started it is gone.

    A worker that outlived it would go on writing into a folder that the next call wants to go on with.
    """
    leader = os.environ.get(LEADER)
    if leader is None or os.getppid() != int(leader):
        yield  # this process leads, or something that watches over its own processes has started it
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            if os.getppid() != int(leader):
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def lead() -> float:
    """Note that this process leads a sweep, and since when (seconds since the epoch)."""
    os.environ[LEADER] = str(os.getpid())
    return time.time()
