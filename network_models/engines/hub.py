"""Everybody to the server, and the server to everybody, through the one link that all share: the server's."""

from __future__ import annotations

import numpy as np

from network_models.fabric import SERVER, Floats, Integers
from network_models.paths import Paths, hot_bps
from network_models.sharing.draining import drained
from network_models.timing import Timing


def gather(paths: Paths, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
    """Send each worker's message to the server; see `Star.gather`."""
    latency = paths.latency_s(workers, SERVER)
    finish = drained(
        start + latency, paths.bits(sizes_bytes), paths.rate_bps(workers, SERVER), hot_bps(paths, 0, SERVER)
    )
    return gathered(start, finish, latency), float(finish.max())


def gathered(start: Floats, finish: Floats, latency: Floats) -> Timing:
    """Account for a gather: all of it is uplink, since a worker sends as soon as it is ready."""
    return Timing.between(start, finish, finish - start, np.zeros(len(start)), latency)


def broadcast(paths: Paths, workers: Integers, start: Floats, server_start: float, size_bytes: float) -> Timing:
    """Send one copy from the server to each worker; see `Star.broadcast`."""
    latency = paths.latency_s(SERVER, workers)
    bits = np.full(len(workers), paths.bits(size_bytes))
    arrived = drained(server_start + latency, bits, paths.rate_bps(SERVER, workers), hot_bps(paths, SERVER, 0))
    return broadcasted(start, server_start, arrived, latency)


def broadcasted(start: Floats, server_start: float, arrived: Floats, latency: Floats) -> Timing:
    """Account for a broadcast that arrives at `arrived`, whether or not the worker is ready for it by then.

    A worker that is ready before the server waits for it; one that is ready later finds the message on its way or
    already there, and is billed only what is left of it.
    """
    began = np.maximum(start, server_start)
    finish = np.maximum(start, arrived)
    propagation = np.maximum(server_start + latency - began, 0.0)
    return Timing.between(start, finish, np.zeros(len(start)), finish - began, propagation)
