"""Collectives as a trace names them, asked of a network: whole, or a share of their bytes."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import numpy as np

from network_models import Timing
from network_models.even import most
from simulator.trace import Entry

# The uplink's share of each one's latency.
UP = {"gather": 1.0, "broadcast": 0.0, "scatter": 0.0, "all_reduce": 0.5, "all_gather": 0.0}


When = TypeVar("When", float, np.ndarray)


class Timed(Protocol):
    """What is asked: a `Network`, or a `Batch` of them, whose times have a column for each."""

    def gather(self, workers: Any, start: Any, sizes_bytes: Any, /) -> tuple[Timing, Any]: ...

    def broadcast(self, workers: Any, start: Any, server_start: Any, size_bytes: float, /) -> Timing: ...

    def serve(self, workers: Any, start: Any, server_start: Any, sizes_bytes: Any, /) -> Timing: ...

    def all_gather(self, workers: Any, start: Any, sizes_bytes: Any, /) -> Timing: ...

    def all_reduce(self, workers: Any, start: Any, sizes_bytes: Any, merged: Any, /) -> Timing: ...


def timed(
    network: Timed,
    entry: Entry,
    workers: np.ndarray | range,
    start: np.ndarray,
    server: When,
    share: float = 1.0,
) -> tuple[Timing, When]:
    """Ask a network, or many at once, how long a collective takes.

    Parameters
    ----------
    entry : dict
        Of a trace; its op is one of `UP`.
    workers : array of int or range, shape (w,)
    start : ndarray, shape (w,), or (w, B) for B networks
        When each is ready, in seconds.
    server : float, or ndarray of shape (B,)
        When the server is ready, in seconds.
    share : float
        Of the bytes of every message, in (0, 1].

    Returns
    -------
    Timing
    float, or ndarray of shape (B,)
        When the server has what was sent to it, or is ready as before; it may be busy longer with other things.
    """
    sizes = np.asarray(entry["size"], dtype=np.int64)
    sizes = np.broadcast_to(sizes if share == 1 else share * sizes, (len(workers),))
    match entry["op"]:
        case "gather":
            return network.gather(workers, start, sizes)
        case "broadcast":
            return network.broadcast(workers, start, server, share * entry["size"]), server
        case "scatter":
            return network.serve(workers, start, server, sizes), server
        case "all_gather":
            return network.all_gather(workers, start, sizes), server
    merged, largest = entry.get("merged"), most(sizes)
    law = (lambda _: largest) if merged is None else (lambda count: share * float(merged[count - 1]))
    return network.all_reduce(workers, start, sizes, law), server
