"""Two groups of workers with one link between them."""

from __future__ import annotations

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, named


def dumbbell(
    workers: int,
    bps: Value,
    latency_s: Value,
    bottleneck_bps: Value,
    bottleneck_latency_s: Value,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Hang the first half of the workers on one switch, the others on a second, and link the two.

    Parameters
    ----------
    workers : int
        n, at least 1; an odd one more is on the left.
    bps, latency_s : float or str
        Of a worker's link, in both directions at once.
    bottleneck_bps, bottleneck_latency_s : float or str
        Of the link between the switches.
    servers : int
        Parameter servers, on the left switch.
    server_bps, server_latency_s : float or str, optional
        Of their links; by default as of a worker's.

    Returns
    -------
    networkx.Graph

    Notes
    -----
    Two hops within a group, three between them; the bisection is the bottleneck.
    """
    count = worker_count(workers)
    left = -(-count // 2)
    graph = named("dumbbell")
    aside = max(1.7, left / 4)
    sides = ((-aside, left), (aside, count - left))
    add_workers(graph, [(x, 0.5 * (of - 1) / 2 - 0.5 * number) for x, of in sides for number in range(of)])
    graph.add_node("left", kind="switch", pos=(-0.6, 0.0))
    graph.add_node("right", kind="switch", pos=(0.6, 0.0))
    graph.add_edges_from(
        ((worker, "left" if worker < left else "right") for worker in range(count)), bps=bps, latency_s=latency_s
    )
    graph.add_edge("left", "right", bps=bottleneck_bps, latency_s=bottleneck_latency_s)
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, ["left"], *links, outwards=(0.0, 0.8))
    return graph
