"""Workers and several parameter servers around one switch: a star whose server is cut into shards."""

from __future__ import annotations

import networkx as nx

from network_models.links import PerWorker, per_worker, worker_count
from network_models.topologies.parts import Value, either, in_row
from network_models.units import rate_bps, seconds
from network_models.whole import whole


def sharded_servers(
    workers: int,
    servers: int,
    up_bps: PerWorker,
    down_bps: PerWorker,
    latency_s: PerWorker,
    server_up_bps: Value | None = None,
    server_down_bps: Value | None = None,
    server_latency_s: Value = 0.0,
) -> nx.DiGraph:
    """Give each worker and each server its own link to a switch that itself never limits.

    Parameters
    ----------
    workers : int
        n, at least 1.
    servers : int
        At least 1, numbered -1, -2, ...
    up_bps, down_bps, latency_s : float, str or sequence of n of them
        Of each worker's link, out of it and into it.
    server_up_bps, server_down_bps : float or str, optional
        Of each server's link; by default the largest of the workers' values.
    server_latency_s : float or str
        Its latency.

    Returns
    -------
    networkx.DiGraph

    Notes
    -----
    With alike links the servers share W n bytes in max(W n / s / B_server, n / B) seconds, against W n / B_server with
    one.
    """
    count, shards = worker_count(workers), whole(servers, "network.topology.servers", 1)
    graph = nx.DiGraph(topology="sharded_servers")
    width = float(max(count, shards))
    ups = per_worker(up_bps, count, "network.topology.up_bps", rate_bps)
    downs = per_worker(down_bps, count, "network.topology.down_bps", rate_bps)
    delays = per_worker(latency_s, count, "network.topology.latency_s", seconds)
    graph.add_node("switch", kind="switch", pos=(width / 2, width / 4))
    for worker, place in enumerate(in_row(count, 0.0, width)):
        graph.add_node(worker, kind="worker", pos=place)
        _link(graph, worker, float(ups[worker]), float(downs[worker]), float(delays[worker]))
    rates = either(server_up_bps, float(ups.max())), either(server_down_bps, float(downs.max()))
    for number, place in enumerate(in_row(shards, width / 2, width)):
        graph.add_node(-1 - number, kind="server", pos=place)
        _link(graph, -1 - number, *rates, server_latency_s)
    return graph


def _link(graph: nx.DiGraph, node: int, up_bps: Value, down_bps: Value, latency_s: Value) -> None:
    graph.add_edge(node, "switch", bps=up_bps, latency_s=latency_s)
    graph.add_edge("switch", node, bps=down_bps, latency_s=latency_s)
