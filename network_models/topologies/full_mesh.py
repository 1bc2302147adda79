"""A link between every two workers."""

from __future__ import annotations

from itertools import combinations

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_workers, either, named, on_circle
from network_models.whole import whole


def full_mesh(
    workers: int,
    bps: Value,
    latency_s: Value,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Link every two workers, and every server with each of them.

    Parameters
    ----------
    workers : int
        n, at least 1. Memory and time grow with its square.
    bps, latency_s : float or str
        Of each link, in both directions at once.
    servers : int
        Parameter servers.
    server_bps, server_latency_s : float or str, optional
        Of each of a server's links; by default as between workers.

    Returns
    -------
    networkx.Graph

    Notes
    -----
    n (n - 1) / 2 links between workers, diameter one hop, bisection floor(n / 2) ceil(n / 2) links.
    """
    count = worker_count(workers)
    graph = named("full_mesh")
    add_workers(graph, on_circle(count))
    graph.add_edges_from(combinations(range(count), 2), bps=bps, latency_s=latency_s)
    for server in range(-1, -1 - whole(servers, "network.topology.servers", 0), -1):
        graph.add_node(server, kind="server", pos=(1.4, 0.3 * (server + (servers + 1) / 2)))
        links = {"bps": either(server_bps, bps), "latency_s": either(server_latency_s, latency_s)}
        graph.add_edges_from(((server, worker) for worker in range(count)), **links)
    return graph
