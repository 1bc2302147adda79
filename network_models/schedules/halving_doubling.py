"""Recursive halving, then recursive doubling: an all-reduce in 2 log2(w) exchanges (Rabenseifner).

With w = 2^k + rest ranks, `rest` odd ranks first fold their whole payload into the even rank before them, 2^k ranks
do the butterfly, and the folded ranks get the result back whole. An exchange starts when both partners are ready and
ends for both when both directions have arrived, so that no link ever carries two messages and each step is one vector
operation.

References
----------
Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", IJHPCA 19(1), 2005,
section 4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.schedules.call import Call
from network_models.schedules.step import Program, Step, one_way


@lru_cache(maxsize=16)
def folded(ranks: int) -> tuple[Integers, Integers]:
    """The 2^k ranks that do the butterfly, and those that fold into the rank before them."""
    rest = ranks - (1 << ranks.bit_length() - 1)
    numbers = np.arange(ranks)
    return np.concatenate((numbers[: 2 * rest : 2], numbers[2 * rest :])), numbers[1 : 2 * rest : 2]


@lru_cache(maxsize=128)
def partners(ranks: int, distance: int) -> tuple[Integers, Integers, Integers]:
    """The butterfly's ranks, whom each exchanges with, and that one's position; the same arrays at every call."""
    core, _ = folded(ranks)
    other = np.arange(len(core)) ^ distance
    return core, core[other], other


def exchange(ranks: int, distance: int, size_bytes: Floats | float, reducing: bool) -> Step:
    """Every rank of the butterfly swaps a message with the one whose position differs in the bit `distance`."""
    core, across, _ = partners(ranks, distance)
    return Step(core, across, size_bytes, reducing, rendezvous=True, symmetric=len(core) == ranks)


def all_reduce_halving_doubling(call: Call) -> Program:
    """Halve what is exchanged, level by level, until every rank holds 1/2^k of the sum; then the same way back.

    Alike workers, w = 2^k: 2 k a + 2 (1 - 1/w) 8 m / B; the fold costs 2 a + 2 * 8 m / B more.
    """
    ranks, levels = call.ranks, call.ranks.bit_length() - 1
    core, extra = folded(ranks)
    steps = [one_way(extra, extra - 1, _of(call.own, extra), reducing=True)] if len(extra) else []
    if not len(extra) and call.alike:
        for level in range(1, levels + 1):
            whole = call.largest if level == 1 else float(call.merged(1 << level - 1))
            steps.append(exchange(ranks, ranks >> level, whole / (1 << level), True))
    else:
        counts = np.ones(len(core), dtype=np.int64)
        counts[: len(extra)] = 2
        for level in range(1, levels + 1):
            whole_each = call.holding(counts, call.sizes_bytes[core])
            steps.append(exchange(ranks, len(core) >> level, whole_each / (1 << level), True))
            counts = counts + counts[partners(ranks, len(core) >> level)[2]]
    for level in range(levels, 0, -1):
        steps.append(exchange(ranks, len(core) >> level, call.result / (1 << level), False))
    if len(extra):
        steps.append(one_way(extra - 1, extra, call.result))
    return Program(ranks, steps)


def reduce_scatter_halving(call: Call) -> Program:
    """Leave 1/w of the sum with each rank in log2(w) exchanges, each of half as many bytes as the one before.

    Where w is no power of two, a rank that another has folded into keeps 2/w and sends that one its 1/w at the end.
    """
    ranks, levels = call.ranks, call.ranks.bit_length() - 1
    core, extra = folded(ranks)
    counts = np.ones(len(core), dtype=np.int64)
    counts[: len(extra)] = 2
    shares = counts / ranks  # of the sum, that each position is to keep
    steps = [one_way(extra, extra - 1, _of(call.own, extra), reducing=True)] if len(extra) else []
    for level in range(1, levels + 1):
        distance = len(core) >> level
        other = partners(ranks, distance)[2]
        kept = np.add.reduceat(shares, np.arange(0, len(core), distance)).repeat(distance)
        size: Floats | float = call.holding(counts, call.sizes_bytes[core]) * kept[other]
        if call.alike and not len(extra):
            size = float(np.asarray(size)[0])
        steps.append(exchange(ranks, distance, size, True))
        counts = counts + counts[other]
    if len(extra):
        steps.append(one_way(extra - 1, extra, call.result / ranks))
    return Program(ranks, steps)


def _of(sizes: Floats | float, ranks: Integers) -> Floats | float:
    """Those ranks' sizes, still one number where all have the same."""
    return sizes if isinstance(sizes, float) else sizes[ranks]
