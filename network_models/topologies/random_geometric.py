"""Workers at random places, each linked with those that are near: a sensor or ad-hoc network.

References
----------
Penrose, "Random Geometric Graphs", 2003. Boyd, Ghosh, Prabhakar, Shah, "Randomized gossip algorithms", IEEE Trans. Inf.
Theory 52(6), 2006, section IV.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from network_models.fabric import Floats
from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, named
from network_models.units import real, seconds
from network_models.whole import whole


def random_geometric(
    workers: int,
    bps: Value,
    latency_s: Value,
    radius: float | None = None,
    latency_per_side_s: Value = 0.0,
    seed: int = 1,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Throw workers into the unit square and link those at most `radius` apart.

    Parameters
    ----------
    workers : int
        n, at least 1.
    bps, latency_s : float or str
        Of each link, in both directions at once.
    radius : float, optional
        In sides of the square, more than 0; more links more. By default the least that connects all workers.
    latency_per_side_s : float or str
        Latency that a link has on top, for each side of the square in its length.
    seed : int
        Of the places, at least 0.
    servers : int
        Parameter servers, on the worker nearest to the middle.
    server_bps, server_latency_s : float or str, optional
        Of their links; by default as between workers (`latency_s` alone).

    Returns
    -------
    networkx.Graph

    Notes
    -----
    Connected with high probability where n pi radius^2 > log n; a graph that is not is refused when it becomes a
    network.
    """
    count = worker_count(workers)
    rng = np.random.Generator(np.random.Philox(key=whole(seed, "network.topology.seed", 0)))
    places = rng.random((count, 2))
    if radius is None:
        radius = connecting_radius(places)
    if not 0 <= real(radius) < float("inf") or radius == 0 < count - 1:
        raise ValueError(f"network.topology.radius: expected a length above 0, got {radius!r}")
    base, slope = (
        seconds(latency_s, "network.topology.latency_s"),
        seconds(latency_per_side_s, "network.topology.latency_per_side_s"),
    )
    graph = named("random_geometric")
    add_workers(graph, [(float(x), float(y)) for x, y in places])
    for worker in range(count - 1):
        lengths = np.hypot(*(places[worker + 1 :] - places[worker]).T)
        for other in np.flatnonzero(lengths <= radius).tolist():
            graph.add_edge(worker, worker + 1 + other, bps=bps, latency_s=base + slope * float(lengths[other]))
    middle = int(np.hypot(*(places - 0.5).T).argmin())
    links = either(server_bps, bps), either(server_latency_s, base)
    add_servers(graph, servers, [middle], *links, outwards=(0.0, 0.12))
    return graph


def connecting_radius(places: Floats) -> float:
    """The least radius that connects points, shape (n, 2): the longest edge of their minimum spanning tree (Prim)."""
    away = np.full(len(places), np.inf)
    outside = np.ones(len(places), dtype=bool)
    longest, last = 0.0, 0
    outside[0] = False
    for _ in range(len(places) - 1):
        away = np.minimum(away, np.hypot(*(places - places[last]).T))
        last = int(np.where(outside, away, np.inf).argmin())
        longest = max(longest, float(away[last]))
        outside[last] = False
    return longest
