"""Read the nodes and edges of a networkx graph into numbered nodes and directed wires, and refuse what makes no sense.

Node attribute `kind` is worker, server or switch (the default). Workers are numbered in order, or by `rank`; servers
are -1, -2, ... in order, or by `rank`. Edge attributes are `bps` (or `bandwidth_bps`), `latency_s`, and perhaps `loss`,
`half_duplex` and `rate` (a capacity that changes in time, or the name of a trace file); others are left alone. An edge
of an undirected graph is two wires; two opposite edges of a directed one that are half-duplex share one rate.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np

from network_models.conditions.factors import Factors
from network_models.fabric import Floats, Integers, Rate
from network_models.topologies.attributes import probability, rate_of, remembered
from network_models.units import rate_bps, seconds

_KINDS = ("worker", "server", "switch")
_SHARED = ("half_duplex", "bps", "bandwidth_bps", "rate")  # of a half-duplex edge, the same in both directions


@dataclass(frozen=True, eq=False)
class Wires:
    """Directed edges, E of them over R resources.

    Parameters
    ----------
    tail, head : ndarray of int, shape (E,)
        Positions of the nodes that each leaves and enters.
    latency_s, loss : ndarray, shape (E,)
    resource : ndarray of int, shape (E,)
        The capacity that it uses; both directions of a half-duplex edge have one.
    bps : ndarray, shape (R,)
    rates : dict of int to Rate
        The resources whose capacity changes in time.
    """

    tail: Integers
    head: Integers
    latency_s: Floats
    loss: Floats
    resource: Integers
    bps: Floats
    rates: dict[int, Rate]

    def scaled(self, factors: Factors) -> Wires:
        """The same wires with all rates and latencies multiplied."""
        rates = {at: rate for at, one in self.rates.items() if (rate := factors.of_trace(one)) is not None}
        return replace(self, bps=factors.rate * self.bps, latency_s=factors.latency * self.latency_s, rates=rates)

    def changing(self, rates: dict[int, Rate]) -> Wires:
        """The same wires with these rates; a resource's capacity is its rate's peak."""
        bps = self.bps.copy()
        for resource, rate in rates.items():
            bps[resource] = rate.peak_bps
        return replace(self, bps=bps, rates=rates)


def numbered(graph: nx.Graph) -> tuple[list[Hashable], int, int]:
    """Order the nodes: workers, switches, then servers in reverse, so that numbers of nodes index the list.

    Returns
    -------
    nodes : list
    workers, servers : int
        How many of each.

    Raises
    ------
    ValueError
        If a kind is unknown, there is no worker, or ranks are not 0..n-1 (servers: -1, -2, ...).
    """
    of: dict[str, list[Hashable]] = {kind: [] for kind in _KINDS}
    for node, kind in graph.nodes(data="kind", default="switch"):
        if kind not in of:
            raise ValueError(f"topology: node {node!r}: expected kind {', '.join(_KINDS)}, got {kind!r}")
        of[kind].append(node)
    if not of["worker"]:
        raise ValueError(f"topology: expected at least one node of kind worker, got {len(graph)} nodes without any")
    workers = _ranked(graph, of["worker"], list(range(len(of["worker"]))), "workers")
    servers = _ranked(graph, of["server"], [-1 - number for number in range(len(of["server"]))], "servers")
    return [*workers, *of["switch"], *reversed(servers)], len(workers), len(servers)


def _ranked(graph: nx.Graph, nodes: list[Hashable], numbers: list[int], what: str) -> list[Hashable]:
    """Put nodes in the order of their `rank`, if they have one."""
    ranks = [graph.nodes[node].get("rank") for node in nodes]
    if all(rank is None for rank in ranks):
        return nodes
    if sorted(ranks, key=str) != sorted(numbers, key=str):
        raise ValueError(f"topology: expected ranks {numbers[0]}..{numbers[-1]} of the {what}, each once, got {ranks}")
    place = dict(zip(ranks, nodes, strict=True))
    return [place[number] for number in numbers]


def wired(graph: nx.Graph, nodes: list[Hashable]) -> Wires:
    """Read the edges.

    Raises
    ------
    ValueError
        If an edge lacks a rate or a latency, or has one out of range, naming its ends.
    """
    if graph.is_multigraph():
        raise ValueError("topology: expected one edge between two nodes, got a multigraph; add up parallel links")
    place = {node: number for number, node in enumerate(nodes)}
    directed = graph.is_directed()
    rate, delay = remembered(rate_bps), remembered(seconds)
    tail, head, latency, loss, resource = [], [], [], [], []
    bps: list[float] = []
    rates: dict[int, Rate] = {}
    halves: dict[tuple[Hashable, Hashable], int] = {}  # one direction of a half-duplex edge -> its resource
    for a, b, attributes in graph.edges(data=True):
        where = f"topology: edge {a} - {b}"
        if a == b:
            raise ValueError(f"{where}: expected two different nodes")
        shared = attributes.get("half_duplex", False)
        if shared not in (False, True):
            raise ValueError(f"{where}: half_duplex: expected true or false, got {shared!r}")
        opposite = graph.edges[b, a] if shared and graph.has_edge(b, a) else {}
        if shared and [opposite.get(key) for key in _SHARED] != [attributes.get(key) for key in _SHARED]:
            raise ValueError(
                f"{where}: half_duplex: expected the same rate in both directions, got {opposite or 'one'}"
            )
        capacity, changing = rate_of(attributes, where, rate)
        if "latency_s" not in attributes:
            raise ValueError(f"{where}: latency_s: expected a duration, got nothing")
        for one, other in ((a, b),) if directed else ((a, b), (b, a)):
            number = halves.pop((other, one), len(bps))
            if number == len(bps):
                bps.append(capacity)
                if changing is not None:
                    rates[number] = changing
            tail.append(place[one])
            head.append(place[other])
            latency.append(delay(attributes["latency_s"], f"{where}: latency_s"))
            loss.append(probability(attributes.get("loss", 0.0), f"{where}: loss"))
            resource.append(number)
            if shared:
                halves[one, other] = number
    return Wires(
        np.array(tail, dtype=np.int64),
        np.array(head, dtype=np.int64),
        np.array(latency, dtype=np.float64),
        np.array(loss, dtype=np.float64),
        np.array(resource, dtype=np.int64),
        np.array(bps, dtype=np.float64),
        rates,
    )


def check_connected(graph: nx.Graph, ends: list[Hashable]) -> None:
    """Refuse a graph in which two of these nodes cannot reach each other.

    Raises
    ------
    ValueError
        Naming two such nodes.
    """
    parts = nx.strongly_connected_components(graph) if graph.is_directed() else nx.connected_components(graph)
    home = next(part for part in parts if ends[0] in part)
    for node in ends:
        if node not in home:
            pair = (ends[0], node) if not nx.has_path(graph, ends[0], node) else (node, ends[0])
            raise ValueError(
                f"topology: expected a way between all workers and servers, got none from {pair[0]} to {pair[1]}"
            )
