"""One settled route for each pair of nodes: the shortest, and among equally short ones a hash of the pair decides.

That is what switches do (equal-cost multi-path): flows of one pair stay together, different pairs spread over a fat
tree, and two pairs may well collide. Both directions of a pair take the same way where all edges are undirected. What
is short is latency, then hops, or the other way round. Latencies are compared in whole picoseconds, so that equal ways
are equal whatever the order in which their latencies are added.

The work is one search (Dijkstra) for each node that routes are asked about, not for each pair. Nodes with one neighbour
stand outside: their way is that of the neighbour and one wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from heapq import heappop, heappush
from typing import Literal, TypeAlias

from network_models.topologies.wires import Wires

Shortest: TypeAlias = Literal["latency", "hops"]
_ONE_HOP = 1
_HOPS_FIRST = 1 << 62  # picoseconds that no path reaches: one hop outweighs all latency
_LATENCY_FIRST = 1 << 24  # hops that no path reaches
_WORD = (1 << 64) - 1


class Routing:
    """Routes over wires, as wire numbers.

    Parameters
    ----------
    nodes : int
        How many there are.
    wires : Wires
    directed : bool
        Whether a wire may lack its opposite, or differ from it.
    shortest : {'latency', 'hops'}
        What counts first.
    seed : int
        Of the hash that splits ties.
    """

    def __init__(self, nodes: int, wires: Wires, directed: bool, shortest: Shortest = "latency", seed: int = 0) -> None:
        self._directed, self._shortest, self._seed = directed, shortest, seed
        self._tail, self._head = wires.tail.tolist(), wires.head.tolist()
        picoseconds = [round(latency * 1e12) for latency in wires.latency_s.tolist()]
        if shortest == "hops":
            self._cost = [_HOPS_FIRST + latency for latency in picoseconds]
        else:
            self._cost = [latency * _LATENCY_FIRST + _ONE_HOP for latency in picoseconds]
        self._wire = {ends: wire for wire, ends in enumerate(zip(self._tail, self._head, strict=True))}
        near: list[set[int]] = [set() for _ in range(nodes)]
        for tail, head in self._wire:
            near[tail].add(head)
            near[head].add(tail)
        #: The neighbour of each node that has only one, else -1.
        self.only = [next(iter(of)) if len(of) == 1 else -1 for of in near]
        self._least = min(self._cost, default=0)
        self._fields: dict[tuple[int, bool], list[int]] = {}

    def path(self, source: int, destination: int) -> list[int]:
        """Give the wires from one node to another, both by position.

        Raises
        ------
        LookupError
            If there is no way.
        """
        if source == destination:
            return []
        first, last = self.only[source], self.only[destination]
        if first == destination or last == source:
            return [self._wire[source, destination]]
        head = [] if first < 0 else [self._wire[source, first]]
        tail = [] if last < 0 else [self._wire[last, destination]]
        begin, end = source if first < 0 else first, destination if last < 0 else last
        return [*head, *self._inside(begin, end, self._key(source, destination)), *tail]

    def _inside(self, source: int, destination: int, key: int) -> list[int]:
        direct = self._wire.get((source, destination))
        # Nothing with two hops beats this wire, so no search is needed: a neighbour in a ring, a torus or a mesh.
        if direct is not None and (self._shortest == "hops" or self._cost[direct] <= 2 * self._least):
            return [direct]
        root = min(source, destination)
        towards = destination == root or not self._directed
        wires = list(self._walk(max(source, destination), root, towards, key))
        if towards == (destination == root):
            return wires if towards else wires[::-1]
        return [self._wire[self._head[wire], self._tail[wire]] for wire in reversed(wires)]

    def _walk(self, node: int, root: int, towards: bool, key: int) -> Iterator[int]:
        """Go from a node to the root along wires that lie on a shortest way, by hash where there are several."""
        field, step = self._field(root, towards), 0
        if field[node] < 0:
            raise LookupError("no way")
        ahead = self._leaving if towards else self._entering
        ends = self._head if towards else self._tail
        while node != root:
            tight = [wire for wire in ahead[node] if 0 <= field[ends[wire]] == field[node] - self._cost[wire]]
            wire = tight[_mixed(key + step) % len(tight)] if len(tight) > 1 else tight[0]
            yield wire
            node, step = ends[wire], step + 1

    def _field(self, root: int, towards: bool) -> list[int]:
        """The cost of the shortest way from each node to the root, or from it; -1 where there is none."""
        known = self._fields.get((root, towards))
        if known is not None:
            return known
        back = self._entering if towards else self._leaving
        ends = self._tail if towards else self._head
        cost, field = self._cost, [-1] * len(self.only)
        queue = [(0, root)]
        while queue:
            distance, node = heappop(queue)
            if field[node] >= 0:
                continue
            field[node] = distance
            for wire in back[node]:
                if field[ends[wire]] < 0:
                    heappush(queue, (distance + cost[wire], ends[wire]))
        self._fields[root, towards] = field
        return field

    @cached_property
    def _leaving(self) -> list[list[int]]:
        return self._grouped(self._tail)

    @cached_property
    def _entering(self) -> list[list[int]]:
        return self._grouped(self._head)

    def _grouped(self, ends: list[int]) -> list[list[int]]:
        """The wires at each node, those of nodes outside left out, in the order of the node beyond."""
        wires: list[list[int]] = [[] for _ in self.only]
        for (tail, head), wire in sorted(self._wire.items()):
            if self.only[tail] == -1 and self.only[head] == -1:
                wires[ends[wire]].append(wire)
        return wires

    def _key(self, source: int, destination: int) -> int:
        low, high = sorted((source, destination))
        return _mixed(_mixed(_mixed(self._seed) + low) + high)


def _mixed(value: int) -> int:
    """Scatter a whole number over 64 bits (the finaliser of SplitMix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _WORD
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)
