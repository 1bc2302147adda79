"""Schedules without detours: every message goes straight to where it is wanted."""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.schedules.call import Call
from network_models.schedules.step import Program, Step, one_way, shifted
from network_models.schedules.tree import order


def all_to_all_direct(call: Call) -> Program:
    """Every rank sends its message to every other at once. Alike, m bytes a pair: a + (w-1) 8 m / B."""
    source, destination = _pairs(call.ranks)
    size = _each(call, source)
    return Program(call.ranks, [Step(source, destination, size, symmetric=True)] if len(source) else [])


def all_to_all_pairwise(call: Call) -> Program:
    """In step k every rank sends to the one k places on. Alike, m bytes a pair: (w-1) (a + 8 m / B)."""
    ranks = call.ranks
    return Program(ranks, [shifted(ranks, shift, call.own, rendezvous=True) for shift in range(1, ranks)])


def all_reduce_sharded_server(call: Call) -> Program:
    """Each of s servers sums 1/s of the payload: everybody sends each its shard and gets the summed shard back.

    With fewer than two servers every rank serves 1/w of the payload itself. Alike: per way a + w 8 m / (s B) at the
    servers, or 2 (a + (w-1) 8 m / (w B)) with the ranks as servers.
    """
    ranks, servers = call.ranks, call.servers
    if ranks == 1:
        return Program(1, ())
    if servers < 2:
        source, destination = _pairs(ranks)
        up = Step(source, destination, _each(call, source, 1.0 / ranks), reducing=True, symmetric=True)
        return Program(ranks, (up, Step(source, destination, call.result / ranks, symmetric=True)))
    source, destination = np.repeat(np.arange(ranks), servers), np.tile(np.arange(-servers, 0), ranks)
    up = Step(source, destination, _each(call, source, 1.0 / servers), reducing=True)
    return Program(ranks, (up, Step(destination, source, call.result / servers)), servers)


def gather_direct(call: Call) -> Program:
    """Everybody sends to the root at once. Alike: a + (w-1) 8 m / B."""
    rest = order(call)[1:]
    steps = [Step(rest, np.full(len(rest), call.root), call.sizes_bytes[rest], reducing=True)] if len(rest) else []
    return Program(call.ranks, steps, servers=-min(call.root, 0))


def gather_binomial(call: Call) -> Program:
    """Subtrees hand all they hold towards the root. Alike, w = 2^k: k a + (w-1) 8 m / B."""
    return Program(call.ranks, _subtrees(call, upwards=True), servers=-min(call.root, 0))


def scatter_direct(call: Call) -> Program:
    """The root sends each rank its own part at once; `sizes_bytes` are the parts. Alike: a + (w-1) 8 m / B."""
    rest = order(call)[1:]
    steps = [Step(np.full(len(rest), call.root), rest, call.sizes_bytes[rest])] if len(rest) else []
    return Program(call.ranks, steps, servers=-min(call.root, 0))


def scatter_binomial(call: Call) -> Program:
    """The root hands subtrees their parts, largest subtree first. Alike, w = 2^k: k a + (w-1) 8 m / B."""
    return Program(call.ranks, _subtrees(call, upwards=False), servers=-min(call.root, 0))


def neighbours_direct(call: Call) -> Program:
    """Every rank sends its payload along each of its edges at once."""
    if call.edges is None:
        raise ValueError("edges: expected the sources and the destinations of the messages, got None")
    source, destination = call.edges
    return Program(call.ranks, [Step(source, destination, _each(call, source))] if len(source) else [])


def _pairs(ranks: int) -> tuple[Integers, Integers]:
    """Every ordered pair of different ranks."""
    shifts = np.tile(np.arange(1, ranks), ranks)
    source = np.repeat(np.arange(ranks), ranks - 1)
    return source, (source + shifts) % max(ranks, 1)


def _each(call: Call, source: Integers, share: float = 1.0) -> Floats | float:
    """A share of each sender's payload, as one number where all are the same."""
    return call.own * share if isinstance(call.own, float) else call.own[source] * share


def _subtrees(call: Call, upwards: bool) -> list[Step]:
    """Steps of a binomial tree in which a message is a whole subtree's parts."""
    line = order(call)
    sizes = np.where(line < 0, 0.0, call.sizes_bytes[line])
    held, distance, steps = sizes.copy(), 1, []
    while distance < len(line):  # near takes over what is `distance` further down the line
        near = np.arange(0, len(line) - distance, 2 * distance)
        far = line[near + distance]
        size = held[near + distance]
        held[near] += size
        ends = (far, line[near]) if upwards else (line[near], far)
        steps.append(one_way(*ends, size, reducing=upwards))
        distance *= 2
    return steps if upwards else steps[::-1]
