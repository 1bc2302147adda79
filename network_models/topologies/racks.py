"""Racks of workers whose uplinks carry less than the workers in them together."""

from __future__ import annotations

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, in_row, named
from network_models.units import rate_bps, real
from network_models.whole import whole


def racks(
    workers: int,
    bps: Value,
    latency_s: Value,
    racks: int,
    oversubscription: float = 1.0,
    uplink_latency_s: Value | None = None,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Hang the workers on the switches of their racks, and those on one spine that itself never limits.

    Parameters
    ----------
    workers : int
        n, at least 1; dealt in blocks, to each rack ceil(n / racks) until there are no more.
    bps, latency_s : float or str
        Of a worker's link, in both directions at once.
    racks : int
        At least 1. Those without workers are left out.
    oversubscription : float
        Ratio of a full rack's links to its uplink, more than 0: an uplink has ceil(n / racks) bps / oversubscription.
        More is slower between racks; 1 never limits.
    uplink_latency_s : float or str, optional
        Latency of an uplink; by default as of a worker's link.
    servers : int
        Parameter servers, on the spine.
    server_bps, server_latency_s : float or str, optional
        Of their links; by default as of a worker's.

    Returns
    -------
    networkx.Graph

    Notes
    -----
    Two hops in a rack, four between racks.
    """
    count, per_rack = worker_count(workers), -(-worker_count(workers) // whole(racks, "network.topology.racks", 1))
    if not 0 < real(oversubscription) < float("inf"):
        raise ValueError(f"network.topology.oversubscription: expected a ratio above 0, got {oversubscription!r}")
    graph, width = named("racks"), float(count)
    uplink = per_rack * rate_bps(bps, "network.topology.bps") / oversubscription
    add_workers(graph, in_row(count, 0.0, width))
    graph.add_node("spine", kind="switch", pos=(width / 2, width / 2))
    for rack, first in enumerate(range(0, count, per_rack)):
        inside = range(first, min(first + per_rack, count))
        graph.add_node(f"rack{rack}", kind="switch", pos=((inside[0] + inside[-1] + 1) / 2, width / 4))
        graph.add_edges_from(((worker, f"rack{rack}") for worker in inside), bps=bps, latency_s=latency_s)
        graph.add_edge(f"rack{rack}", "spine", bps=uplink, latency_s=either(uplink_latency_s, latency_s))
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, ["spine"], *links, outwards=(0.0, width / 6))
    return graph
