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

import numpy as np

from network_models.schedules.call import Call
from network_models.schedules.step import Lazy, Program, Step, shifted


def all_reduce_ring(call: Call) -> Program:
    """Reduce-scatter, then all-gather of segments of 1/w: 2 (w - 1) steps.

    In step s = 1..w-1 the segment sent has s payloads merged into it (the first step sends the rank's own); all w
    afterwards. Alike workers: 2 (w-1) (a + 8 m / (w B)).
    """
    ranks = call.ranks
    if ranks == 1:
        return Program(1, ())
    back = shifted(ranks, 1, call.result / ranks, times=ranks - 1)
    return Program(ranks, (*reduce_scatter_ring(call).steps, back))


def reduce_scatter_ring(call: Call) -> Program:
    """Leave 1/w of the sum with each rank: the first half of the ring all-reduce, w - 1 steps."""
    ranks = call.ranks
    steps = [shifted(ranks, 1, call.own / ranks, reducing=True)] if ranks > 1 else []
    for size, times in call.growth(2, ranks - 1):
        steps.append(shifted(ranks, 1, size / ranks, reducing=True, times=times))
    return Program(ranks, steps)


def all_reduce_segmented_ring(call: Call) -> Program:
    """A ring whose chunks of 1/w are cut into `segments` messages, passed on one by one, the k of a step in flight.

    Alike workers, with c = 8 m / (w k B): max(a + 2 (w-1) k c, 2 (w-1) (a + c) + (k-1) c): the latency is hidden where
    the chunk lasts longer.
    """
    ranks, pieces = call.ranks, call.segments
    whole = all_reduce_ring(call).steps
    steps: list[Step] = []
    for step in whole:
        size = step.size_bytes / pieces
        steps.append(shifted(ranks, 1, size, reducing=step.reducing, times=step.times * pieces, lag=pieces))
    return Program(ranks, steps)


def all_gather_ring(call: Call) -> Program:
    """Pass every rank's payload once around: in step s = 0..w-2 rank r sends what rank r - s began with.

    Alike workers: (w-1) (a + 8 m / B).
    """
    ranks, sizes = call.ranks, call.sizes_bytes
    if ranks == 1:
        return Program(1, ())
    if call.alike:
        return Program(ranks, (shifted(ranks, 1, call.own, times=ranks - 1),))
    twice = np.concatenate((sizes, sizes))  # what is `step` places back is a slice of it
    return Program(ranks, Lazy(ranks - 1, lambda step: shifted(ranks, 1, twice[ranks - step : 2 * ranks - step])))
