"""Figures of merit of a topology."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from network_models.fabric import Floats, Integers
from network_models.topologies.graph import Graph
from network_models.topologies.mixing import gossip_graph, metropolis, spectral_gap, uniform

_SAMPLE = 256  # workers between which routes are looked at; of more, every so-manieth
_CUT_WIRES = 60_000  # beyond so many, the least cut would take minutes
_GOSSIPERS = 2_000  # beyond so many, eigenvalues would


def figures_of_merit(fabric: Graph) -> dict[str, Any]:
    """Measure a topology.

    Returns
    -------
    dict
        `workers`, `servers`, `switches`, `nodes`, `links` (both directions of one count once); `diameter_hops` and
        `diameter_s` (the longest route between workers), and least, mean and largest `path_latency_s` and `path_bps`
        (alone on the way) over `pairs` of workers, in order; `bisection_bps`, the least cut between the first half of
        the workers and the others; `oversubscription`, what the first half can send, or the second receive, against it;
        `server`, the same figures of the ways from workers to servers; `spectral_gap` by rule, where workers are linked
        with one another. None where it would take too long or makes no sense.

    Notes
    -----
    Of more than 256 workers, routes between 256 are looked at. Rates that change in time count with their largest.
    """
    number, graph = fabric.workers, fabric.graph
    some = np.unique(np.linspace(0, number - 1, min(number, _SAMPLE)).astype(np.int64))
    source, destination = (ends.ravel() for ends in np.meshgrid(some, some, indexing="ij"))
    source, destination = source[source != destination], destination[source != destination]
    latency, bps = fabric.path_latency_s(source, destination), fabric.path_bps(source, destination)
    cut = bisection_bps(fabric)
    return {
        "workers": number,
        "servers": fabric.servers,
        "switches": len(fabric.nodes) - number - fabric.servers,
        "nodes": len(fabric.nodes),
        "links": graph.to_undirected(as_view=True).number_of_edges(),
        "pairs": len(source),
        "diameter_hops": int(fabric.path_hops(source, destination).max(initial=0)),
        "diameter_s": float(latency.max(initial=0.0)),
        "path_latency_s": _spread(latency),
        "path_bps": _spread(bps),
        "bisection_bps": cut,
        "oversubscription": _injected_bps(fabric) / cut if cut and cut < np.inf else None,
        "server": _towards_servers(fabric, some),
        "spectral_gap": _gaps(graph) if number <= _GOSSIPERS else None,
    }


def bisection_bps(fabric: Graph) -> float | None:
    """The least capacity, in bits/s, that cuts workers 0..ceil(n/2)-1 from the others; infinite where no link limits.

    Returns
    -------
    float or None
        None for one worker, or a graph too large to cut.

    Notes
    -----
    A maximum flow over all ways at once, through servers only where there is no other; routes may use less of it.
    Half-duplex links count in full in both directions.
    """
    if fabric.workers == 1 or 2 * fabric.graph.number_of_edges() > _CUT_WIRES:
        return None
    inside = len(fabric.nodes) - fabric.servers
    return _cut_bps(fabric, inside) or _cut_bps(fabric, len(fabric.nodes))


def _cut_bps(fabric: Graph, nodes: int) -> float:
    """The least cut through the first so many nodes."""
    half = -(-fabric.workers // 2)
    flow = nx.DiGraph()
    for tail, head, bps in fabric.wires():
        if tail < nodes and head < nodes:
            # whole bits/s, since a flow of fractions may never settle
            flow.add_edge(tail, head, **({"capacity": round(bps)} if bps < np.inf else {}))
    flow.add_edges_from(("all senders", worker) for worker in range(half))
    flow.add_edges_from((worker, "all receivers") for worker in range(half, fabric.workers))
    try:
        return float(nx.maximum_flow_value(flow, "all senders", "all receivers"))
    except nx.NetworkXUnbounded:
        return float("inf")


def _injected_bps(fabric: Graph) -> float:
    """What the first half of the workers can send, or the others receive: the less."""
    half, servers = -(-fabric.workers // 2), range(len(fabric.nodes) - fabric.servers, len(fabric.nodes))
    sent = [bps for tail, head, bps in fabric.wires() if tail < half and head not in servers]
    received = [bps for tail, head, bps in fabric.wires() if half <= head < fabric.workers and tail not in servers]
    return min(sum(sent), sum(received))


def _towards_servers(fabric: Graph, workers: Integers) -> dict[str, Any] | None:
    if not fabric.servers:
        return None
    servers = np.arange(-1, -1 - fabric.servers, -1)[:, None]
    last = len(fabric.nodes) - fabric.servers
    return {
        "path_latency_s": _spread(fabric.path_latency_s(workers, servers)),
        "path_bps": _spread(fabric.path_bps(workers, servers)),
        "link_bps": sum(bps for _, head, bps in fabric.wires() if head >= last),
    }


def _spread(values: Floats) -> dict[str, float] | None:
    if not values.size:
        return None
    return {"min": float(values.min()), "mean": float(values.mean()), "max": float(values.max())}


def _gaps(graph: nx.Graph) -> dict[str, float] | None:
    gossip = gossip_graph(graph)
    if gossip is None:
        return None
    return {"metropolis": spectral_gap(metropolis(gossip)), "uniform": spectral_gap(uniform(gossip))}
