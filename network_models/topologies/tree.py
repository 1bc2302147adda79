"""A tree of switches with the workers as its leaves."""

from __future__ import annotations

from itertools import count as count_from

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, in_row, named
from network_models.units import rate_bps, real
from network_models.whole import whole


def tree(
    workers: int,
    bps: Value,
    latency_s: Value,
    arity: int = 2,
    growth: float = 1.0,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Hang `arity` workers on each switch, `arity` switches on each switch above, up to one root.

    Parameters
    ----------
    workers : int
        n, at least 1; filled from the left. Switches without workers below are left out.
    bps, latency_s : float or str
        Rate of a worker's link, and latency of every link.
    arity : int
        Children of a switch, at least 2. More makes the tree flatter.
    growth : float
        How much faster links get with each level up, at least 1: 1 is a plain tree, in which the root is the
        bottleneck, and `arity` a fat one, in which no level is.
    servers : int
        Parameter servers, on the root.
    server_bps, server_latency_s : float or str, optional
        Of their links; by default as of a worker's.

    Returns
    -------
    networkx.Graph

    Notes
    -----
    ceil(log_arity n) levels (at least one), so two workers are at most twice as many hops apart.
    """
    count, arity = worker_count(workers), whole(arity, "network.topology.arity", 2)
    if not 1 <= real(growth) < float("inf"):
        raise ValueError(f"network.topology.growth: expected a number of at least 1, got {growth!r}")
    graph, rate, width = named("tree"), rate_bps(bps, "network.topology.bps"), float(count)
    levels = next(levels for levels in count_from(1) if arity**levels >= count)
    below: list[int] | list[str] = list(range(count))
    add_workers(graph, in_row(count, 0.0, width))
    for level in range(1, levels + 1):
        groups = [below[first : first + arity] for first in range(0, len(below), arity)]
        above = ["root"] if len(groups) == 1 else [f"switch{level}.{number}" for number in range(len(groups))]
        for switch, children in zip(above, groups, strict=True):
            middle = sum(graph.nodes[child]["pos"][0] for child in children) / len(children)
            graph.add_node(switch, kind="switch", pos=(middle, 0.6 * width * level / levels))
            graph.add_edges_from(
                ((child, switch) for child in children), bps=rate * growth ** (level - 1), latency_s=latency_s
            )
        below = above
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, ["root"], *links, outwards=(0.0, width / 6))
    return graph
