"""Workers in a ring, each linked to the next."""

from __future__ import annotations

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, named, on_circle


def ring(
    workers: int,
    bps: Value,
    latency_s: Value,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Link each worker to the next and the last to the first; messages further on pass through those between.

    Parameters
    ----------
    workers : int
        n, at least 1. Two have one link, not two.
    bps, latency_s : float or str
        Of each link, in both directions at once.
    servers : int
        Parameter servers, each with a link of its own to worker 0, 1, ... in turn.
    server_bps, server_latency_s : float or str, optional
        Of those links; by default as between workers.

    Returns
    -------
    networkx.Graph

    Notes
    -----
    n links, diameter floor(n / 2) hops, bisection of two links; the gossip matrix of uniform mixing has eigenvalues 1/3
    + 2/3 cos(2 pi k / n).
    """
    count = worker_count(workers)
    graph = named("ring")
    add_workers(graph, on_circle(count))
    graph.add_edges_from(
        ((worker, (worker + 1) % count) for worker in range(count if count > 2 else count - 1)),
        bps=bps,
        latency_s=latency_s,
    )
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, range(count), *links, outwards=(0.0, 0.35))
    return graph
