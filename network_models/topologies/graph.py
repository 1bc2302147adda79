"""Any networkx graph as a fabric: routes settled once, by latency and then hops, ties split by a hash of the pair."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property, lru_cache
from math import fsum
from typing import NamedTuple

import networkx as nx
import numpy as np

from network_models.conditions.factors import Factors
from network_models.conditions.interruptions import Interruptions
from network_models.fabric import Floats, Integers, Rate
from network_models.topologies.leaves import leaf_kinds
from network_models.topologies.routing import Routing
from network_models.topologies.wires import check_connected, numbered, wired

_SHORTEST = ("latency", "hops")


class _Path(NamedTuple):
    wires: list[int]
    route: tuple[int, ...]
    latency_s: float
    bps: float
    loss: float
    hops: float


class Graph:
    """The fabric of a networkx graph.

    Parameters
    ----------
    graph : networkx.Graph or networkx.DiGraph
        Nodes have `kind` (worker, server or switch), edges have `bps` and `latency_s`; see `wires` for all attributes.
        An undirected edge carries its rate in both directions at once, unless it is `half_duplex`. Its own attribute
        `shortest` is `'latency'` (the default: least latency, then fewest hops) or `'hops'` (the other way round). It
        is read once: later changes do not matter.
    seed : int
        Of the hash that chooses among equally short ways.
    interruptions : Interruptions, optional
        Outages, and other traffic, which is on every link.
    factors : Factors
        Of all rates and latencies; routes are those without them.

    Attributes
    ----------
    graph : networkx.Graph
    nodes : list
        Names of all nodes: workers, switches, then servers in reverse, so that numbers of nodes index it.

    Raises
    ------
    ValueError
        If a kind is unknown, there is no worker, a rate or latency is missing or out of range, or two of the workers
        and servers are not connected, naming them.

    Notes
    -----
    Messages between workers may pass through other workers, which then forward them. Ties are split as in equal-cost
    multi-path routing, so that a fat tree spreads its load: see `routing`. Routes are searched when first asked for.
    """

    def __init__(
        self,
        graph: nx.Graph,
        seed: int = 0,
        interruptions: Interruptions | None = None,
        factors: Factors = Factors(),  # noqa: B008 - frozen
    ) -> None:
        shortest = graph.graph.get("shortest", "latency")
        if shortest not in _SHORTEST:
            raise ValueError(f"topology: shortest: expected one of {', '.join(_SHORTEST)}, got {shortest!r}")
        self.graph = graph
        self.nodes, self._workers, self._servers = numbered(graph)
        check_connected(graph, [node for node, kind in graph.nodes(data="kind") if kind in ("worker", "server")])
        wires = wired(graph, self.nodes)
        self._wires = wires.scaled(factors)
        if interruptions is not None:
            self._wires = self._wires.changing(interruptions.rates(self, np.flatnonzero(np.isfinite(self._wires.bps))))
        self._wires.bps.flags.writeable = False
        self._routing = Routing(len(self.nodes), wires, graph.is_directed(), shortest, seed)
        self._paths: dict[tuple[int, int], _Path] = {}
        self._figures = lru_cache(maxsize=64)(self._fresh_figures)
        self._kinds = leaf_kinds(self._wires, self._routing.only, self._workers)

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        return self._workers

    @property
    def servers(self) -> int:
        """The number of servers, perhaps 0."""
        return self._servers

    @property
    def capacity_bps(self) -> Floats:
        """Bits/s of each resource, shape (R,)."""
        return self._wires.bps

    @property
    def rates(self) -> Mapping[int, Rate]:
        """The resources whose capacity changes in time."""
        return self._wires.rates

    @property
    def racks(self) -> Integers | None:
        """The number of the switch that each worker hangs on; None unless there are several, each with several."""
        hubs = [self._routing.only[worker] for worker in range(self._workers)]
        _, racks, sizes = np.unique(hubs, return_inverse=True, return_counts=True)
        return racks.astype(np.int64) if min(hubs) >= 0 and len(sizes) > 1 and sizes.max() > 1 else None

    def route(self, source: int, destination: int) -> tuple[int, ...]:
        """The resources with a limit on the way, in order."""
        return self._path(int(source), int(destination)).route

    def walk(self, source: int, destination: int) -> list[Hashable]:
        """The names of the nodes on the way, both ends included."""
        wires = self._path(int(source), int(destination)).wires
        return [self.nodes[source], *(self.nodes[self._wires.head[wire]] for wire in wires)]

    def wires(self) -> Iterator[tuple[int, int, float]]:
        """Every direction of every edge: where it leaves and arrives, as positions in `nodes`, and its bits/s."""
        of = self._wires
        return zip(of.tail.tolist(), of.head.tolist(), of.bps[of.resource].tolist(), strict=True)

    def path_latency_s(self, source: Integers | int, destination: Integers | int) -> Floats:
        """One-way latency, elementwise: the sum over the way."""
        return self._along(0, source, destination)

    def path_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The least capacity on the way, elementwise."""
        return self._along(1, source, destination)

    def path_loss(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The probability that a packet is lost on any of the edges, elementwise."""
        return self._along(2, source, destination)

    def path_hops(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The number of edges on the way, elementwise."""
        return self._along(3, source, destination)

    def alike(self, workers: Integers) -> bool:
        """Whether these workers hang on the same node by links of the same figures; no for all others."""
        kinds = self._kinds[workers]
        return bool((kinds == kinds[0]).all())

    def own(self, worker: int) -> list[int]:
        """The resources of all links of a worker."""
        ends = (self._wires.tail == worker) | (self._wires.head == worker)
        return [int(resource) for resource in np.unique(self._wires.resource[ends])]

    def label(self, resource: int) -> str:
        """``leaf0 -> spine1``, or ``a -- b`` where both directions share."""
        wires, directions = self._users
        ends = (_name(self.nodes[of[wires[resource]]]) for of in (self._wires.tail, self._wires.head))
        return (" -- " if directions[resource] == 2 else " -> ").join(ends)

    @cached_property
    def _users(self) -> tuple[Integers, Integers]:
        """The first wire of each resource, and how many it has."""
        _, first, counts = np.unique(self._wires.resource, return_index=True, return_counts=True)
        return first, counts

    def _along(self, figure: int, source: Integers | int, destination: Integers | int) -> Floats:
        sources, destinations = np.broadcast_arrays(np.asarray(source, np.int64), np.asarray(destination, np.int64))
        found: Floats = self._figures(sources.tobytes(), destinations.tobytes())[figure]
        return found.reshape(sources.shape)

    def _fresh_figures(self, sources: bytes, destinations: bytes) -> Floats:
        """Latency, rate, loss and hops of many pairs, shape (4, m)."""
        ends = (np.frombuffer(of, np.int64).tolist() for of in (sources, destinations))
        figures = np.array([self._path(*pair)[2:] for pair in zip(*ends, strict=True)]).reshape(-1, 4).T.copy()
        figures.flags.writeable = False
        return figures

    def _path(self, source: int, destination: int) -> _Path:
        known = self._paths.get((source, destination))
        return known if known is not None else self._search(source, destination)

    def _search(self, source: int, destination: int) -> _Path:
        for key, node in (("source", source), ("destination", destination)):
            if node < 0 and not self._servers:
                raise ValueError(f"{key}: this topology has no server; give it one (network.topology.servers: 1)")
            if not -self._servers <= node < self._workers:
                servers = f" or a server {-self._servers}..-1" if self._servers else ""
                raise ValueError(f"{key}: expected a worker 0..{self._workers - 1}{servers}, got {node}")
        ends = [node % len(self.nodes) for node in (source, destination)]
        try:
            found = self._routing.path(*ends)
        except LookupError as error:
            raise ValueError(f"topology: no way from {self.nodes[source]} to {self.nodes[destination]}") from error
        of, bps = self._wires, self._wires.bps
        resources = [int(of.resource[wire]) for wire in found]
        self._paths[source, destination] = path = _Path(
            found,
            tuple(resource for resource in resources if bps[resource] < np.inf),
            fsum(of.latency_s[found]),
            min((float(bps[resource]) for resource in resources), default=np.inf),
            1.0 - float(np.prod(1.0 - of.loss[found])),
            float(len(found)),
        )
        return path


def _name(node: Hashable) -> str:
    if isinstance(node, int) and node < 0:
        return "server" if node == -1 else f"server{-node}"
    return str(node)
