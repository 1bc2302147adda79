"""The fat tree of switches with k ports, which carries any permutation of its hosts' traffic at full rate.

References
----------
Al-Fares, Loukissas, Vahdat, "A scalable, commodity data center network architecture", SIGCOMM 2008, section 2.2.
"""

from __future__ import annotations

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, add_servers, add_workers, either, in_row, named
from network_models.whole import whole


def fat_tree(
    workers: int,
    bps: Value,
    latency_s: Value,
    k: int | None = None,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Link (k/2)^2 core switches with k pods of k/2 aggregation and k/2 edge switches, and those with k/2 hosts each.

    Parameters
    ----------
    workers : int
        n, at least 1 and at most k^3 / 4; they fill the first hosts, other hosts are left out.
    bps, latency_s : float or str
        Of each link, in both directions at once.
    k : int, optional
        Ports of a switch, even, at least 2; by default the least that has room.
    servers : int
        Parameter servers, on core switch 0, 1, ... in turn (no pod is nearer than another).
    server_bps, server_latency_s : float or str, optional
        Of their links; by default as of a worker's.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    ValueError
        If k is odd or there are more workers than hosts.

    Notes
    -----
    5 k^2 / 4 switches and, with all hosts, 3 k^3 / 4 links; six hops between pods; bisection of n / 2 links.
    """
    count = worker_count(workers)
    ports = next(ports for ports in range(2, 2 * count + 2, 2) if ports**3 >= 4 * count) if k is None else k
    half, odd = divmod(whole(ports, "network.topology.k", 2), 2)
    if odd:
        raise ValueError(f"network.topology.k: expected an even number, got {k}")
    if count > half * half * ports:
        raise ValueError(
            f"network.topology.k: expected room for {count} workers, got {ports} for {half * half * ports}"
        )
    graph, width = named("fat_tree"), float(half * half * ports)
    add_workers(graph, in_row(int(width), 0.0, width)[:count])
    layers = ("edge", half * ports, 1), ("aggregation", half * ports, 2), ("core", half * half, 3)
    for layer, switches, level in layers:
        for number, place in enumerate(in_row(switches, level * width / 5, width)):
            graph.add_node(f"{layer}{number}", kind="switch", pos=place)
    figures = {"bps": bps, "latency_s": latency_s}
    graph.add_edges_from(((host, f"edge{host // half}") for host in range(count)), **figures)
    for number in range(half * ports):
        pod, row = divmod(number, half)
        below = (f"edge{pod * half + port}" for port in range(half))
        above = (f"core{row * half + port}" for port in range(half))
        graph.add_edges_from(((f"aggregation{number}", switch) for switch in (*below, *above)), **figures)
    cores = [f"core{number}" for number in range(half * half)]
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, cores, *links, outwards=(0.0, width / 8))
    return graph
