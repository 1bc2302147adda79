"""Every route is a real way, a shortest one, and has the figures of its edges: networkx is the oracle."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models.topologies import Graph

LATENCIES = st.sampled_from([0.0, 0.001, 0.0015, 0.002]) | st.floats(0.0, 0.1)
RATES = st.sampled_from([1e6, 2e6, math.inf]) | st.floats(1e3, 1e9)


@st.composite
def graphs(draw: st.DrawFn) -> nx.Graph:
    """A connected graph of up to 9 nodes: a random tree and a few more edges, perhaps with different ways back."""
    count = draw(st.integers(2, 9))
    workers = draw(st.integers(1, count))
    servers = draw(st.integers(0, min(2, count - workers)))
    order = draw(st.permutations(range(count)))
    graph = nx.Graph(shortest=draw(st.sampled_from(["latency", "hops"])))
    for place, node in enumerate(order):
        kind = "worker" if place < workers else "server" if place < workers + servers else "switch"
        graph.add_node(node, kind=kind)
    for node in range(1, count):
        graph.add_edge(node, draw(st.integers(0, node - 1)))
    for _ in range(draw(st.integers(0, 8))):
        one, other = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
        if one != other:
            graph.add_edge(one, other)
    if draw(st.booleans()):
        graph = graph.to_directed()
    for _, _, attributes in graph.edges(data=True):
        attributes.update(bps=draw(RATES), latency_s=draw(LATENCIES), loss=draw(st.sampled_from([0.0, 0.1])))
    return graph


@given(graphs(), st.integers(0, 3))
def test_routes_are_shortest_ways_with_the_figures_of_their_edges(graph: nx.Graph, seed: int) -> None:
    fabric = Graph(graph, seed)
    ends = [*range(fabric.workers), *range(-fabric.servers, 0)]

    def least(one: object, other: object, attributes: dict) -> float:
        picoseconds = round(attributes["latency_s"] * 1e12)
        return 1 + picoseconds * 1e-20 if graph.graph["shortest"] == "hops" else picoseconds * 1e-12

    for source in ends:
        for destination in ends:
            way = fabric.walk(source, destination)
            edges = [graph.edges[step] for step in nx.utils.pairwise(way)]  # each step is an edge, or this fails
            assert (way[0], way[-1]) == (fabric.nodes[source], fabric.nodes[destination])
            assert len(set(way)) == len(way)
            shortest = nx.dijkstra_path_length(graph, way[0], way[-1], weight=least)
            assert sum(least(0, 0, edge) for edge in edges) == pytest.approx(shortest, rel=1e-12, abs=1e-15)
            assert float(fabric.path_latency_s(source, destination)) == pytest.approx(
                sum(edge["latency_s"] for edge in edges), rel=1e-12
            )
            assert float(fabric.path_bps(source, destination)) == min((edge["bps"] for edge in edges), default=math.inf)
            assert float(fabric.path_loss(source, destination)) == pytest.approx(
                1 - math.prod(1 - edge["loss"] for edge in edges)
            )
            limited = [edge["bps"] for edge in edges if edge["bps"] < math.inf]
            assert fabric.capacity_bps[list(fabric.route(source, destination))].tolist() == limited
            if not graph.is_directed():
                assert fabric.walk(destination, source) == way[::-1]


@given(graphs())
def test_figures_of_many_pairs_are_those_of_each(graph: nx.Graph) -> None:
    fabric, again = Graph(graph), Graph(graph)
    ends = np.array([*range(fabric.workers), *range(-fabric.servers, 0)])
    for name in ("path_latency_s", "path_bps", "path_loss", "path_hops"):
        table = getattr(fabric, name)(ends[:, None], ends)
        each = [[float(getattr(again, name)(int(a), int(b))) for b in ends] for a in ends]
        assert table.tolist() == each
