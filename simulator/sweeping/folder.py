"""A sweep's folder: what was planned in it, and how far each job is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from simulator.records.folder import RunFolder, RunFolderError
from simulator.sweeping.failure import read_failure

PLAN = "jobs"
_LOCKS = ".locks"
# Longer than a worker needs to notice that the process that led its sweep is gone.
_PATIENCE_S = 5.0
State = Literal["finished", "failed", "running", "half-written", "not begun"]


class Busy(RunFolderError):
    """Another process is at work in a job's folder."""


@dataclass(frozen=True)
class Job:
    """What was asked for: the hash of the configuration, and the overrides that it came from."""

    asked: str
    overrides: list[str]


@dataclass(frozen=True)
class Standing:
    """How far one job is.

    Parameters
    ----------
    name : str
        Of its folder.
    done, of : int
        Rounds that are known to be done, as of the last checkpoint, and rounds in all; 0 of 0 where nothing is known.
    why : str
        Of a failed job: its error.
    """

    name: str
    state: State
    done: int = 0
    of: int = 0
    why: str = ""
    when: str = ""


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a job's folder for this process; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    Busy
        If another process holds it.
    """
    lock = _lock(folder, _PATIENCE_S)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(
            f"hydra.sweep.dir: expected {folder.name} to be free, got one that another process is at work in; "
            "wait for it, or end it"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _lock(folder: Path, patience_s: float) -> FileLock:
    locks = folder.parent / _LOCKS
    locks.mkdir(parents=True, exist_ok=True)
    return FileLock(locks / f"{folder.name}.lock", timeout=patience_s)


class SweepFolder:
    """The folder of a sweep, read while jobs write into it."""

    def __init__(self, path: Path) -> None:
        self.path, self._plan = path, path / f"{PLAN}.json"

    def plan(self, jobs: Mapping[str, Job]) -> dict[str, Job]:
        """Note jobs by the name of their folder, and give all that were; the first to ask for a folder has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        every = dict(jobs) | self.planned()
        RunFolder(self.path).write_json(PLAN, {name: asdict(job) for name, job in every.items()})
        return every

    def planned(self) -> dict[str, Job]:
        """Give every job that was ever asked for here, by the name of its folder."""
        try:
            content = dict(json.loads(self._plan.read_text(encoding="utf-8")))
            return {name: Job(**job) for name, job in content.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            raise RunFolderError(
                f"hydra.sweep.dir: expected a whole {self.path / f'{PLAN}.json'}, got {error}"
            ) from error

    def standings(self) -> list[Standing]:
        """Tell how far every job is, planned or found, in the order of their names.

        Raises
        ------
        RunFolderError
            If there is no sweep here.
        """
        if not self.path.is_dir():
            raise RunFolderError(f"status: expected the folder of a sweep, got {self.path}, which does not exist")
        found = {path.name for path in self.path.iterdir() if path.is_dir() and not path.name.startswith(".")}
        names = sorted(found | set(self.planned()))
        if not names:
            raise RunFolderError(f"status: expected the folder of a sweep, got {self.path}, which holds no job")
        return [self.standing(name) for name in names]

    def finished(self, name: str) -> bool:
        """Whether a job has ended well."""
        try:
            return RunFolder(self.path / name).complete
        except RunFolderError:
            return False

    def standing(self, name: str) -> Standing:
        """Tell how far one job is."""
        run = RunFolder(self.path / name)
        try:
            if run.complete:
                return Standing(name, "finished", *_rounds(run))
        except RunFolderError as error:
            return Standing(name, "failed", why=str(error))
        if self.running(name):
            return Standing(name, "running", *_rounds(run))
        if failure := read_failure(run.path):
            return Standing(name, "failed", *_rounds(run), why=str(failure["error"]), when=str(failure["when"]))
        return Standing(name, "half-written" if run.begun else "not begun", *_rounds(run))

    def running(self, name: str) -> bool:
        """Whether a process is at work in a job's folder."""
        path = self.path / _LOCKS / f"{name}.lock"
        if not path.exists() or not os.access(path, os.W_OK):
            return False
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        return False


def fraction(folder: Path, rounds: int) -> float:
    """Tell how much of a run of so many rounds has reached the disk, between 0 and 1."""
    return min(1.0, _last_round(folder) / rounds) if rounds else 0.0


def _rounds(run: RunFolder) -> tuple[int, int]:
    try:
        return _last_round(run.path), int(run.read_config()["rounds"])
    except (RunFolderError, KeyError, TypeError, ValueError):
        return 0, 0


def _last_round(folder: Path) -> int:
    try:
        rounds: Any = pq.read_table(folder / "metrics.parquet", columns=["round"])["round"]
        return int(rounds[-1].as_py()) if len(rounds) else 0
    except (OSError, pa.ArrowException):
        return 0
