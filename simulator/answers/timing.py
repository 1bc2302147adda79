"""The clock at a run's marks on other networks: the one place through which answers re-time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from network_models import Network
from simulator.answers.runs import Floats
from simulator.compute import Compute
from simulator.drivers.replay import replayed
from simulator.moment import SPENT, Moment
from simulator.records.folder import RunFolder, RunFolderError
from simulator.trace import Entry, Header, NotReplayable, read_trace

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
    return np.array([[moment.seconds for moment in _moments(source, config)] for config in configs])


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
    moments = _moments(source, config)
    return {kind: np.array([moment.spent[kind] for moment in moments]) for kind in SPENT}


def _moments(source: RunFolder, config: DictConfig) -> list[Moment]:
    from simulator.runner import built

    header, entries, rounds = _read(source.path, source.trace.stat().st_mtime_ns if source.trace.exists() else 0)
    if header.racy is not None:
        raise NotReplayable(
            f"{source.path}: expected a run that time has not touched, got a racy one ({header.racy}); its recorded "
            f"time counts on its own network only, run it anew for another"
        )
    network: Network = built(config.network, "network")
    compute: Compute = built(config.compute, "compute")
    for key, workers in (("network", network.workers), ("compute", config.compute.workers)):
        if workers != header.workers:
            raise ValueError(f"{key}.workers: expected the run's {header.workers}, got {workers} ({source.path})")
    played = replayed(header, iter(entries), network, compute, set(rounds))
    if [t for t, _ in played] != list(rounds):
        raise RunFolderError(f"run: expected marks up to round {rounds[-1]} in {source.trace}, got fewer")
    return [moment for _, moment in played]


@lru_cache(maxsize=_KEPT)
def _read(path: Path, changed: int) -> tuple[Header, tuple[Entry, ...], tuple[int, ...]]:
    """Read a trace and the rounds that were evaluated; `changed` tells a file from an older one of its name."""
    folder = RunFolder(path)
    header, entries = read_trace(folder.trace)
    rounds = folder.read_table("metrics")["round"].to_pylist()
    return header, tuple(entries), tuple(rounds)
