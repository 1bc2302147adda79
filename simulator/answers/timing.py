"""The clock at a run's marks on other networks: the one place through which answers re-time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from simulator.answers.runs import Floats
from simulator.moment import SPENT, Moment
from simulator.records.folder import RunFolder, RunFolderError
from simulator.retimed_folder import made
from simulator.retiming import retimed_many
from simulator.rounds import Rounds, read_rounds
from simulator.trace import Header, NotReplayable, read_header

_KEPT = 32  # traces: a search asks for the same few again and again


def seconds_at_marks(source: RunFolder, configs: Sequence[DictConfig]) -> Floats:
    """Play a finished run's trace on networks and compute models.

    Parameters
    ----------
    source : RunFolder
        Of a finished run.
    configs : sequence of DictConfig, c of them
        Each has a `network` and a `compute`, as `simulator.retime.clocked` gives them.

    Returns
    -------
    ndarray, float64, shape (c, m)
        Simulated seconds at each evaluated mark.

    Raises
    ------
    NotReplayable
        If the run is racy.
    ValueError
        If a network or compute model has another number of workers, or a setting makes no sense.
    """
    return np.array([[moment.seconds for moment in moments] for moments in _moments(source, configs)])


def spent_at_marks(source: RunFolder, config: DictConfig) -> dict[str, Floats]:
    """Play a finished run's trace and give what each worker has spent time on.

    Returns
    -------
    dict of str to ndarray, float64, shape (m, n)
        For each kind of `simulator.moment.SPENT`: cumulative seconds at each evaluated mark.

    Raises
    ------
    As `seconds_at_marks`.
    """
    (moments,) = _moments(source, [config])
    return {kind: np.array([moment.spent[kind] for moment in moments]) for kind in SPENT}


def _moments(source: RunFolder, configs: Sequence[DictConfig]) -> list[list[Moment]]:
    changed = source.trace.stat().st_mtime_ns if source.trace.exists() else 0
    header, rounds, marks = _read(source.path, changed)
    if header.racy is not None:
        raise NotReplayable(
            f"{source.path}: expected a run that time has not touched, got a racy one ({header.racy}); its recorded "
            f"time counts on its own network only, run it anew for another"
        )
    networks, computes = zip(*made(configs), strict=True)
    played = retimed_many(source.trace, networks, computes, set(marks), rounds)
    if any([t for t, _ in moments] != list(marks) for moments in played):
        raise RunFolderError(f"run: expected marks up to round {marks[-1]} in {source.trace}, got fewer")
    return [[moment for _, moment in moments] for moments in played]


@lru_cache(maxsize=_KEPT)
def _read(path: Path, changed: int) -> tuple[Header, Rounds | None, tuple[int, ...]]:
    """Read a trace and the rounds that were evaluated; `changed` tells a file from an older one of its name."""
    folder = RunFolder(path)
    marks = folder.read_table("metrics")["round"].to_pylist()
    return read_header(folder.trace), read_rounds(folder.trace), tuple(marks)
