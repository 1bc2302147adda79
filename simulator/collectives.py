"""Collectives as a trace names them, asked of a network: whole, or a share of their bytes."""

from __future__ import annotations

import numpy as np

from network_models import Network, Timing
from network_models.even import most
from simulator.trace import Entry

# The uplink's share of each one's latency.
UP = {"gather": 1.0, "broadcast": 0.0, "scatter": 0.0, "all_reduce": 0.5, "all_gather": 0.0}


def timed(
    network: Network,
    entry: Entry,
    workers: np.ndarray | range,
    start: np.ndarray,
    server: float,
    share: float = 1.0,
) -> tuple[Timing, float]:
    """Ask the network how long a collective takes.

    Parameters
    ----------
    entry : dict
        Of a trace; its op is one of `UP`.
    workers : array of int or range, shape (w,)
    start : ndarray, shape (w,)
        When each is ready, in seconds.
    server : float
        When the server is ready, in seconds.
    share : float
        Of the bytes of every message, in (0, 1].

    Returns
    -------
    Timing
    float
        When the server is through; it may be busy longer than that with other things.
    """
    sizes = np.asarray(entry["size"], dtype=np.int64)
    sizes = np.broadcast_to(sizes if share == 1 else share * sizes, (len(workers),))
    match entry["op"]:
        case "gather":
            timing, arrived = network.gather(workers, start, sizes)
            return timing, max(server, arrived)
        case "broadcast":
            return network.broadcast(workers, start, server, share * entry["size"]), server
        case "scatter":
            return network.serve(workers, start, server, sizes), server
        case "all_gather":
            return network.all_gather(workers, start, sizes), server
    merged, largest = entry.get("merged"), most(sizes)
    law = (lambda _: largest) if merged is None else (lambda count: share * float(merged[count - 1]))
    return network.all_reduce(workers, start, sizes, law), server
