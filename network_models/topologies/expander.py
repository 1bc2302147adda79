"""Random regular graphs, which are expanders with high probability: few links, few hops, a large spectral gap.

References
----------
Friedman, "A proof of Alon's second eigenvalue conjecture and related problems", Memoirs of the AMS 910, 2008.
"""

from __future__ import annotations

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, named, on_circle
from network_models.whole import whole

_TRIES = 100


def expander(
    workers: int,
    bps: Value,
    latency_s: Value,
    degree: int = 4,
    seed: int = 1,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Draw a connected graph in which every worker has `degree` links.

    Parameters
    ----------
    workers : int
        n, at least 1; n times the degree must be even.
    bps, latency_s : float or str
        Of each link, in both directions at once.
    degree : int
        At least 2; from n - 1 on all workers are linked.
    seed : int
        Of the draw, at least 0.
    servers : int
        Parameter servers, each with a link of its own to worker 0, 1, ... in turn.
    server_bps, server_latency_s : float or str, optional
        Of those links; by default as between workers.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    ValueError
        If no such graph exists.

    Notes
    -----
    The adjacency matrix's second eigenvalue is close to 2 sqrt(degree - 1), the least possible for large n.
    """
    count = worker_count(workers)
    links = min(whole(degree, "network.topology.degree", 2), count - 1)
    if links * count % 2:
        raise ValueError(
            f"network.topology.degree: expected an even number of link ends, got {count} workers x {degree}"
        )
    graph = named("expander")
    add_workers(graph, on_circle(count))
    graph.add_edges_from(
        sorted(_connected(count, links, whole(seed, "network.topology.seed", 0)).edges), bps=bps, latency_s=latency_s
    )
    figures = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, range(count), *figures, outwards=(0.0, 0.35))
    return graph


def _connected(count: int, degree: int, seed: int) -> nx.Graph:
    """The first connected draw; for a degree of at least 3 nearly every one is."""
    for attempt in range(_TRIES):
        drawn = nx.random_regular_graph(degree, count, seed=seed * _TRIES + attempt)
        if nx.is_connected(drawn):
            return drawn
    raise ValueError(
        f"network.topology.degree: no connected graph in {_TRIES} draws of degree {degree}; take a larger one"
    )
