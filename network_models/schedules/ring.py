"""Ring schedules: in every step each rank sends one segment to the next rank and receives one from the previous.

A rank starts step s + 1 when its own message of step s has arrived and it holds the previous rank's; the message to a
rank that is late waits in that rank's memory. So link r -> r+1 carries one message at a time, and the ends of the
steps obey a max-plus recurrence, exact also for unequal links, sizes and starts: E[r, s] = max(E[r, s-1] + c[r],
E[r-1, s-1] + c[r-1]) with c = path latency + bits / min(up, down).

References
----------
Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", JPDC 69(2), 2009.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.timing import Timing


@dataclass(frozen=True)
class Ring:
    """What each rank of a ring sends in each step.

    Parameters
    ----------
    steps : int
        Steps in all.
    reducing : int
        How many of them, from the first on, count as uplink (reduce-scatter); the others are downlink.
    sent_bytes : callable
        Step (from 0) to bytes, shape (w,), or one float where all ranks send the same.
    alike : bool
        Whether all ranks send the same in every step.
    """

    steps: int
    reducing: int
    sent_bytes: Callable[[int], Floats | float]
    alike: bool


def all_reduce_ring(sizes_bytes: Floats, merged: Callable[[int], float]) -> Ring:
    """Reduce-scatter, then all-gather of segments of 1/w: 2 (w - 1) steps.

    In step s = 1..w-1 the segment sent has s payloads merged into it (the first step sends the rank's own); all w
    afterwards.
    """
    ranks = len(sizes_bytes)
    alike = bool((sizes_bytes == sizes_bytes[0]).all())
    own = float(sizes_bytes[0]) / ranks if alike else sizes_bytes / ranks
    segments = [own, *(merged(count) / ranks for count in range(2, ranks + 1))]
    return Ring(2 * (ranks - 1), ranks - 1, lambda step: segments[min(step, ranks - 1)], alike)


def all_gather_ring(sizes_bytes: Floats) -> Ring:
    """Pass every rank's payload once around: in step s = 0..w-2 rank r sends what rank r - s began with."""
    if (sizes_bytes == sizes_bytes[0]).all():
        size = float(sizes_bytes[0])
        return Ring(len(sizes_bytes) - 1, 0, lambda step: size, True)
    return Ring(len(sizes_bytes) - 1, 0, lambda step: np.roll(sizes_bytes, step), False)


def run_ring(paths: Paths, workers: Integers, start: Floats, ring: Ring) -> Timing:
    """Time a ring over `workers` (in this order) without simulating its messages.

    A rank's time in a step is transfer while its own message or the one it needs is under way, and waiting in
    between. Its share of propagation is that of its own messages.
    """
    if len(workers) == 1:
        return Timing.nothing(start)
    following = np.concatenate((workers[1:], workers[:1]))
    latency, rate = paths.latency_s(workers, following), paths.rate_bps(workers, following)
    if ring.alike and paths.fabric.alike(workers) and (start == start[0]).all():
        uplink, downlink = _in_step(float(latency[0]), float(rate[0]), ring)
        times = (float(start[0]) + uplink + downlink, uplink, downlink, 0.0, ring.steps * float(latency[0]))
        return Timing(*(np.full(len(workers), time) for time in times))
    ready, busy = start, np.zeros((2, len(workers)))
    begun, arrived = np.empty_like(start), np.empty_like(start)
    for step in range(ring.steps):
        sent = ready + (latency + 8.0 * ring.sent_bytes(step) / rate)
        begun[0], begun[1:] = ready[-1], ready[:-1]
        arrived[0], arrived[1:] = sent[-1], sent[:-1]
        done = np.maximum(sent, arrived)
        busy[int(step >= ring.reducing)] += done - ready - np.maximum(begun - sent, 0.0)
        ready = done
    return Timing.between(start, ready, busy[0], busy[1], ring.steps * latency)


def _in_step(latency_s: float, rate_bps: float, ring: Ring) -> tuple[float, float]:
    """Seconds of each half when all ranks are alike: the sum over the steps of latency + bits / rate."""
    phases = [0.0, 0.0]
    for step in range(ring.steps):
        phases[step >= ring.reducing] += latency_s + 8.0 * float(ring.sent_bytes(step)) / rate_bps
    return phases[0], phases[1]
