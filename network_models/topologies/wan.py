"""Regions with a link between every two of them, from a matrix of bandwidths and latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import networkx as nx

from network_models.links import worker_count
from network_models.topologies.parts import Value, either, on_circle
from network_models.topologies.regions import Pair, matrix_pairs, read_regions
from network_models.whole import whole

#: Ten AWS regions, measured in 2022; source and licence stand beside it.
AWS_REGIONS = "aws_regions_2022.csv"


def wan(
    workers: int,
    bps: Value,
    latency_s: Value,
    matrix: str | None = None,
    regions: Sequence[str] | None = None,
    bandwidths_bps: Sequence[Sequence[Value]] | None = None,
    latencies_s: Sequence[Sequence[Value]] | None = None,
    servers: int = 0,
    server_region: str | None = None,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.DiGraph:
    """Deal the workers to regions, each a switch with a link to every other region.

    Parameters
    ----------
    workers : int
        n, at least 1; dealt in blocks that differ by at most one, to the regions in order.
    bps, latency_s : float or str
        Of a worker's own link into its region, in both directions at once.
    matrix : str, optional
        A CSV file with the columns `source`, `destination`, `bandwidth_bps` and `latency_s` (one way) or `rtt_s` (half
        of which is taken); by default measured figures of ten AWS regions.
    regions : sequence of str, optional
        Which regions of the matrix there are, in this order; by default all.
    bandwidths_bps, latencies_s : square nested sequences, optional
        Instead of a file: figures from region (row) to region (column), one-way latencies; the diagonal is not read.
        `regions` then gives names.
    servers : int
        Parameter servers.
    server_region : str, optional
        Where they are; by default the first region.
    server_bps, server_latency_s : float or str, optional
        Of their links into it; by default as of a worker's.

    Returns
    -------
    networkx.DiGraph

    Notes
    -----
    Messages take the direct link between two regions, also where two links in a row would be sooner. All messages
    between two regions share one capacity: that of one pair of machines, where the shipped figures are used.
    """
    count = worker_count(workers)
    if (bandwidths_bps is None) != (latencies_s is None):
        raise ValueError("network.topology: expected both bandwidths_bps and latencies_s, got one of them")
    if bandwidths_bps is not None and latencies_s is not None:
        names, pairs = matrix_pairs(bandwidths_bps, latencies_s, regions)
    else:
        path = files("network_models.topologies") / "data" / AWS_REGIONS if matrix is None else Path(matrix)
        names, pairs = read_regions(path, regions)
    graph = nx.DiGraph(topology="wan", shortest="hops")
    outwards = dict(zip(names, on_circle(len(names)), strict=True))
    for region, place in outwards.items():
        graph.add_node(region, kind="switch", pos=place)
    _link_regions(graph, names, pairs)
    spread = min(1.0, 6 / len(names))  # of a drawing's fans of workers
    for position, region in enumerate(names):
        low, high = (-(-count * edge // len(names)) for edge in (position, position + 1))
        for worker in range(low, high):
            aside = spread * (worker - (low + high - 1) / 2) / max(high - low, 3)
            _hang(graph, worker, "worker", region, bps, latency_s, outwards[region], aside)
    home = names[0] if server_region is None else server_region
    if home not in outwards:
        raise ValueError(f"network.topology.server_region: expected one of {', '.join(names)}, got {home!r}")
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    for number in range(whole(servers, "network.topology.servers", 0)):
        _hang(graph, -1 - number, "server", home, *links, outwards[home], spread * (-0.75 - 0.25 * number))
    return graph


def _link_regions(graph: nx.DiGraph, names: Sequence[str], pairs: Mapping[tuple[str, str], Pair]) -> None:
    for one in names:
        for other in names:
            if one != other:
                if (one, other) not in pairs:
                    raise ValueError(
                        f"network.topology.matrix: expected every pair of regions, got none from {one} to {other}"
                    )
                bandwidth_bps, latency_s = pairs[one, other]
                graph.add_edge(one, other, bps=bandwidth_bps, latency_s=latency_s)


def _hang(
    graph: nx.DiGraph,
    node: int,
    kind: str,
    region: str,
    bps: Value,
    latency_s: Value,
    outwards: tuple[float, float],
    aside: float,
) -> None:
    """Link a node to its region, both ways; in a drawing it stands outwards of it, `aside` by so much of that."""
    x, y = graph.nodes[region]["pos"]
    place = (x + 0.6 * outwards[0] - 0.9 * aside * outwards[1], y + 0.6 * outwards[1] + 0.9 * aside * outwards[0])
    graph.add_node(node, kind=kind, pos=place)
    for ends in ((node, region), (region, node)):
        graph.add_edge(*ends, bps=bps, latency_s=latency_s)
