"""Recursive doubling and Bruck's algorithm: everything in about log2(w) exchanges, each of all that a rank holds.

Where w = 2^k + rest is no power of two, recursive doubling folds `rest` ranks into their neighbours as halving-doubling
does; Bruck's algorithm needs no fold, because it sends round a circle.

References
----------
Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", IJHPCA 19(1), 2005,
sections 3.1 and 4. Bruck, Ho, Kipnis, Upfal, Weathersby, IEEE TPDS 8(11), 1997.
"""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats
from network_models.schedules.call import Call
from network_models.schedules.halving_doubling import exchange, folded, partners
from network_models.schedules.step import Program, Step, one_way, shifted


def all_reduce_recursive_doubling(call: Call) -> Program:
    """Swap whole partial sums at distance 1, 2, 4, ...

    Alike workers, w = 2^k: k (a + 8 m / B); the fold costs 2 (a + 8 m / B) more.
    """
    ranks, sizes = call.ranks, call.sizes_bytes
    core, extra = folded(ranks)
    counts = np.ones(len(core), dtype=np.int64)
    counts[: len(extra)] = 2
    steps = [one_way(extra, extra - 1, sizes[extra], reducing=True)] if len(extra) else []
    distance = 1
    while distance < len(core):
        size: Floats | float
        if call.alike and not len(extra):
            size = call.largest if distance == 1 else float(call.merged(distance))
        else:
            size = call.holding(counts, sizes[core])
        steps.append(exchange(ranks, distance, size, True))
        counts = counts + counts[partners(ranks, distance)[2]]
        distance *= 2
    if len(extra):
        steps.append(one_way(extra - 1, extra, call.result))
    return Program(ranks, steps)


def all_gather_recursive_doubling(call: Call) -> Program:
    """Swap all that a rank holds at distance 1, 2, 4, ...

    Alike workers, w = 2^k: k a + (w-1) 8 m / B.
    """
    ranks, sizes = call.ranks, call.sizes_bytes
    core, extra = folded(ranks)
    held = sizes[core].astype(np.float64)
    held[: len(extra)] += sizes[extra]
    steps: list[Step] = [one_way(extra, extra - 1, sizes[extra])] if len(extra) else []
    distance = 1
    while distance < len(core):
        plain = call.alike and not len(extra)
        steps.append(exchange(ranks, distance, float(held[0]) if plain else held, False))
        held = held + held[partners(ranks, distance)[2]]
        distance *= 2
    if len(extra):  # all but what came from there
        steps.append(one_way(extra - 1, extra, float(sizes.sum()) - sizes[extra]))
    return Program(ranks, steps)


def all_gather_bruck(call: Call) -> Program:
    """In step k every rank sends the first 2^k blocks it holds (its own and those after it) 2^k places back.

    The last step sends what is still missing. Alike workers: ceil(log2 w) a + (w-1) 8 m / B.
    """
    ranks, sizes = call.ranks, call.sizes_bytes
    before = np.concatenate(((0.0,), np.cumsum(np.concatenate((sizes, sizes))))) if not call.alike else None
    steps, distance = [], 1
    while distance < ranks:
        blocks = min(distance, ranks - distance)
        size: Floats | float = blocks * call.largest
        if before is not None:
            size = before[blocks : blocks + ranks] - before[:ranks]
        steps.append(shifted(ranks, -distance, size, rendezvous=True))
        distance *= 2
    return Program(ranks, steps)
