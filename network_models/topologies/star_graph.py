"""The graph of a star, for whatever is asked of a graph only."""

from __future__ import annotations

import networkx as nx

from network_models.fabric import SERVER
from network_models.links import Links
from network_models.topologies.parts import in_row


def star_graph(links: Links) -> nx.DiGraph:
    """Give the workers, the server and the switch of a star, with the same figures on the same links."""
    graph, width = nx.DiGraph(topology="star"), float(links.workers)
    graph.add_node("switch", kind="switch", pos=(width / 2, width / 4))
    nodes = links.workers + 1
    places = [*in_row(links.workers, 0.0, width), (width / 2, width * 0.45)]
    for node in [*range(links.workers), SERVER]:
        shared = links.half_duplex is not None and bool(links.half_duplex[node])
        graph.add_node(node, kind="server" if node == SERVER else "worker", pos=places[node])
        latency = float(links.latency_s[node])
        resources = node % nodes, node % nodes + (0 if shared else nodes)
        for ends, resource in zip(((node, "switch"), ("switch", node)), resources, strict=True):
            bps, rate = float(links.capacity_bps[resource]), links.rates.get(resource)
            graph.add_edge(*ends, bps=bps, latency_s=latency, half_duplex=shared, rate=rate)
    return graph
