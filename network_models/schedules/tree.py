"""One to all and all to one: binomial trees, a pipelined chain, and the root by itself.

Trees and chains are formed in the order of the ranks, beginning with the root, which may be the server. A node sends
to its children one after the other, the largest subtree first.

References
----------
Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in MPICH", IJHPCA 19(1), 2005,
section 3.
"""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.schedules.call import Call
from network_models.schedules.step import Program, Step, one_way


def order(call: Call) -> Integers:
    """The root, then the other ranks round the circle."""
    if call.root < 0:
        return np.concatenate(((call.root,), np.arange(call.ranks)))
    return np.roll(np.arange(call.ranks), -call.root)


def _program(call: Call, steps: list[Step]) -> Program:
    return Program(call.ranks, steps, servers=-min(call.root, 0))


def broadcast_binomial(call: Call) -> Program:
    """Everybody who holds the message passes it on: to 1, 2, 4, ... more. Alike: ceil(log2 p) (a + 8 m / B)."""
    line, distance, steps = order(call), 1, []
    while distance < len(line):
        reached = min(distance, len(line) - distance)
        steps.append(one_way(line[:reached], line[distance : distance + reached], call.largest))
        distance *= 2
    return _program(call, steps)


def broadcast_pipelined_chain(call: Call) -> Program:
    """Hand `segments` pieces down the line, each node sending one while it receives the next.

    Alike, p nodes, k segments: (p + k - 2) (a + 8 m / (k B)).
    """
    line, pieces = order(call), call.segments
    size, hops, steps = call.largest / pieces, len(line) - 1, []
    for step in range(hops + pieces - 1 if hops else 0):  # hop h carries piece step - h
        first, last = max(step - pieces + 1, 0), min(step, hops - 1)
        steps.append(one_way(line[first : last + 1], line[first + 1 : last + 2], size))
    return _program(call, steps)


def broadcast_star(call: Call) -> Program:
    """The root sends to everybody at once. Alike, p nodes: a + (p-1) 8 m / B."""
    line = order(call)
    rest = line[1:]
    steps = [Step(np.full(len(rest), line[0]), rest, call.largest)] if len(rest) else []
    return _program(call, steps)


def reduce_binomial(call: Call) -> Program:
    """Partial sums meet in pairs on their way to the root, as `broadcast_binomial` backwards.

    Alike: ceil(log2 p) (a + 8 m / B).
    """
    line = order(call)
    own = np.concatenate(((0.0,), call.sizes_bytes)) if call.root < 0 else call.sizes_bytes[line]
    counts = np.ones(len(line), dtype=np.int64)
    counts[0] = int(call.root >= 0)
    distance, steps = 1 << (len(line) - 1).bit_length(), []
    while distance > 1:
        distance //= 2
        near = np.arange(min(distance, len(line) - distance))
        size: Floats = call.holding(counts[near + distance], own[near + distance])
        steps.append(one_way(line[near + distance], line[near], size, reducing=True))
        counts[near] += counts[near + distance]
    return _program(call, steps)


def reduce_direct(call: Call) -> Program:
    """Everybody sends to the root at once. Alike: a + (p-1) 8 m / B."""
    line = order(call)
    rest = line[1:]
    steps = [Step(rest, np.full(len(rest), line[0]), call.sizes_bytes[rest], reducing=True)] if len(rest) else []
    return _program(call, steps)


def all_reduce_binomial_tree(call: Call) -> Program:
    """Reduce to rank 0, which broadcasts the sum. Alike: 2 ceil(log2 w) (a + 8 m / B)."""
    up = reduce_binomial(call)
    whole = Call(np.full(call.ranks, call.result), call.merged)
    return Program(call.ranks, [*up.steps, *broadcast_binomial(whole).steps])
