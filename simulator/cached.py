"""A run by way of the store: what has been trained before is re-timed, what has not is trained once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from omegaconf import DictConfig

from simulator.building import built, calibrate, conditions
from simulator.config import check
from simulator.records.folder import RunFolder
from simulator.resuming import admit
from simulator.retimed_folder import require_new, retime
from simulator.runner import Run
from simulator.store import Store, trajectory_key
from simulator.tasks.validation import torch_device


@dataclass(frozen=True)
class Obtained:
    """A finished run, and how it came about.

    Parameters
    ----------
    how : str
        ``trained``, ``re-timed``, or ``co-simulated`` where the trajectory depends on time.
    """

    folder: RunFolder
    summary: dict[str, Any]
    trajectory: str
    how: str
    because: str | None = None

    def __str__(self) -> str:
        why = f": {self.because}" if self.because else ""
        return f"trajectory {self.trajectory[:12]}: {self.how}{why}"


def obtain(config: DictConfig, folder: Path, store: Store | None = None) -> Obtained:
    """Fill a run folder, with as little training as the store allows.

    A trajectory that several processes ask for at once is trained by one of them while the others wait; one whose
    trainer was killed is gone on with from its last checkpoint. Whoever turns out to depend on time lets the others go.

    Raises
    ------
    ValueError
        As `Run` does.
    RunFolderError
        If `folder` holds a run that must not be overwritten.
    """
    check(config)
    store, key, run = store or Store(), trajectory_key(config), RunFolder(folder)
    if faults := built(config.faults, "faults"):
        return _anew(config, run, key, f"faults={faults.name}")
    because, entry = store.racy(key), None
    if because is None and (entry := store.get(key)) is None:
        with store.training(key) as lock:
            because, entry = store.racy(key), store.get(key)
            if because is None and entry is None:
                return _train(config, run, key, store, lock)
    if entry is None:
        return _anew(config, run, key, because)
    return Obtained(run, _retimed(config, run, entry), key, "re-timed")


def _anew(config: DictConfig, run: RunFolder, key: str, because: str | None) -> Obtained:
    summary = Run(config, run.path, trajectory=key).execute()
    return Obtained(run, summary, key, "co-simulated", because or summary["racy_because"])


def _train(config: DictConfig, run: RunFolder, key: str, store: Store, lock: FileLock) -> Obtained:
    """Train while the lock is held, going on from what a killed process left."""
    left = store.left_behind(key, run)
    if left is not None and left.complete:
        store.put(key, left)
        return Obtained(run, _retimed(config, run, store.entry(key)), key, "re-timed")
    made = Run(config, run.path, trajectory=key)
    store.note_trainer(key, run.path)

    def tainted(because: str) -> None:
        store.mark_racy(key, because)
        lock.release()

    summary = made.execute(left, tainted)
    if not summary["racy"]:
        store.put(key, run)
    store.forget_trainer(key)
    return Obtained(run, summary, key, "co-simulated" if summary["racy"] else "trained", summary["racy_because"])


def _retimed(config: DictConfig, run: RunFolder, entry: RunFolder) -> dict[str, Any]:
    """Re-time into `run`, which may hold it half-written; its configuration says all that a fresh run's would."""
    network, compute = conditions(config)
    config.device = str(torch_device(config.device))
    config.gradient_method = entry.read_config()["gradient_method"]
    calibrate(config, compute)
    if run.begun:
        admit(run, config)
        if run.complete:
            return run.read_json("summary")
    else:
        require_new(run)
    return retime(entry, config, run, (network, compute))
