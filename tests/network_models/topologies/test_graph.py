"""A graph as a fabric: numbering, resources, routes by hand, and what is refused before any clock starts."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest

from network_models.conditions import Trace
from network_models.fabric import Fabric
from network_models.topologies import Graph, fat_tree, full_mesh, ring, sharded_servers


def diamond(**bottom: object) -> nx.Graph:
    """Workers a, b; a - x - b takes 3 ms at 5 Mbit/s, a - y - b takes 2 ms at 10 Mbit/s; a server on x."""
    graph = nx.Graph()
    graph.add_node("a", kind="worker")
    graph.add_node("x")
    graph.add_node("s", kind="server")
    graph.add_node("b", kind="worker")
    graph.add_edge("a", "x", bps="5 Mbit/s", latency_s="1 ms", loss=0.1)
    graph.add_edge("x", "b", bps="20 Mbit/s", latency_s="2 ms", loss=0.2)
    graph.add_edge("a", "y", bandwidth_bps=1e7, latency_s=0.001)
    graph.add_edge("y", "b", **{"bps": "inf", "latency_s": 0.001, **bottom})
    graph.add_edge("s", "x", bps="1 Gbit/s", latency_s=0)
    return graph


def labels(fabric: Graph, source: int, destination: int) -> list[str]:
    return [fabric.label(resource) for resource in fabric.route(source, destination)]


def test_routes_by_hand() -> None:
    fabric: Fabric = Graph(diamond())
    assert isinstance(fabric, Graph) and (fabric.workers, fabric.servers) == (2, 1)
    assert fabric.nodes == ["a", "b", "x", "y", "s"]
    assert fabric.walk(0, 1) == ["a", "y", "b"] and fabric.walk(1, 0) == ["b", "y", "a"]
    assert labels(fabric, 0, 1) == ["a -> y"]  # y -> b has no limit
    assert labels(fabric, 1, 0) == ["y -> a"] and labels(fabric, -1, 1) == ["s -> x", "x -> b"]
    assert fabric.path_latency_s([0, 1, 0, -1], [1, 0, -1, 1]).tolist() == [0.002, 0.002, 0.001, 0.002]
    assert fabric.path_bps(np.array([[0], [-1]]), np.array([-1, 1])).tolist() == [[5e6, 1e7], [np.inf, 2e7]]
    assert fabric.path_loss(1, -1) == pytest.approx(0.2) and fabric.path_loss(0, 1) == 0
    assert fabric.path_hops(0, [0, 1, -1]).tolist() == [0, 2, 2] and fabric.path_latency_s(0, 0) == 0
    assert not fabric.alike(np.array([0, 1]))


def test_losses_on_a_way_add_up() -> None:
    # a - x - b is now the shorter way: 1 - 0.9 * 0.8
    fabric = Graph(diamond(latency_s="5 ms"))
    assert fabric.walk(0, 1) == ["a", "x", "b"] and fabric.path_loss(0, 1) == pytest.approx(0.28)


def test_fewest_hops_before_least_latency_where_asked() -> None:
    graph = ring(4, "1 Mbit/s", "1 ms")
    graph.add_edge(0, 2, bps=1e6, latency_s="5 ms")
    assert len(Graph(graph).walk(0, 2)) == 3
    graph.graph["shortest"] = "hops"
    assert Graph(graph).walk(0, 2) == [0, 2]
    graph.graph["shortest"] = "widest"
    with pytest.raises(ValueError, match="shortest: expected one of latency, hops, got 'widest'"):
        Graph(graph)


def test_half_duplex_is_one_resource_for_both_directions() -> None:
    graph = ring(3, "1 Mbit/s", "1 ms")
    graph.edges[0, 1]["half_duplex"] = True
    fabric = Graph(graph)
    assert fabric.route(0, 1) == fabric.route(1, 0) and fabric.label(fabric.route(0, 1)[0]) == "0 -- 1"
    assert fabric.route(1, 2) != fabric.route(2, 1) and len(fabric.capacity_bps) == 5
    directed = graph.to_directed()
    assert len(Graph(directed).capacity_bps) == 5 and Graph(directed).route(0, 1) == Graph(directed).route(1, 0)
    directed.edges[0, 1]["bps"] = 2e6
    with pytest.raises(ValueError, match="edge 0 - 1: half_duplex: expected the same rate in both directions"):
        Graph(directed)


def test_directed_edges_carry_what_they_say() -> None:
    fabric = Graph(sharded_servers(2, 2, up_bps=["1 Mbit/s", "2 Mbit/s"], down_bps=3e6, latency_s=["1 ms", "2 ms"]))
    assert fabric.path_bps([0, 1, 0, -2], [1, 0, -1, 1]).tolist() == [1e6, 2e6, 1e6, 2e6]
    assert labels(fabric, 0, -2) == ["0 -> switch", "switch -> server2"]
    assert not fabric.alike(np.array([0, 1]))
    assert Graph(sharded_servers(3, 1, 1e6, 2e6, 0)).alike(np.arange(3))
    one_way = nx.DiGraph()
    one_way.add_nodes_from(range(3), kind="worker")
    nx.add_cycle(one_way, range(3), bps=1e6, latency_s=0.1)
    assert Graph(one_way).walk(1, 0) == [1, 2, 0] and Graph(one_way).path_latency_s([1, 0], [0, 2]).tolist() == [
        0.2,
        0.2,
    ]


def test_a_rate_that_changes_is_listed_by_resource() -> None:
    graph, rate = fat_tree(2, "1 Mbit/s", 0), Trace([0, 1], [1e6, 4e6])
    graph.edges[0, "edge0"]["rate"] = rate
    fabric = Graph(graph)
    assert dict(fabric.rates) == {fabric.route(0, 1)[0]: rate, fabric.route(1, 0)[-1]: rate}
    assert not fabric.alike(np.arange(2))
    assert [fabric.capacity_bps[at] for at in fabric.rates] == [4e6, 4e6]  # of one that changes, the largest
    for bad, told in ((5, "expected a Trace, got 5"), (Trace([0, 1], [1e6, 0.0]), "got nothing after 1 s")):
        graph.edges[0, "edge0"]["rate"] = bad
        with pytest.raises(ValueError, match=f"topology: edge .* rate: .*{told}"):
            Graph(graph)


def test_ties_spread_a_fat_tree_and_depend_on_the_pair_and_the_seed_only() -> None:
    graph = fat_tree(54, "1 Gbit/s", "1 us", k=6)
    fabric, again, other = Graph(graph), Graph(graph), Graph(graph, seed=1)
    pairs = [(a, b) for a in range(54) for b in range(54) if a // 9 != b // 9]
    ways = [fabric.walk(*pair) for pair in pairs]
    # 1,215 pairs of other pods, each one way for both directions, over nine cores: 135 each, give or take 11
    used = Counter(way[3] for way in ways)
    assert len(used) == 9 and all(abs(count / 2 - 135) < 3 * 11 for count in used.values())
    assert [again.walk(*pair) for pair in reversed(pairs)] == ways[::-1]
    assert [other.walk(*pair) for pair in pairs] != ways
    assert all(fabric.walk(*pair) == fabric.walk(*pair[::-1])[::-1] for pair in pairs)


def test_ranks_number_workers_and_servers() -> None:
    graph = diamond()
    graph.nodes["a"]["rank"], graph.nodes["b"]["rank"] = 1, 0
    assert Graph(graph).nodes[:2] == ["b", "a"]
    graph.nodes["b"]["rank"] = 2
    with pytest.raises(ValueError, match=r"expected ranks 0\.\.1 of the workers, each once, got \[1, 2\]"):
        Graph(graph)


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        ({"bps": 0}, "edge b - y: bps: expected a positive rate"),
        ({"bps": -1e6}, "edge b - y: bps: expected a positive rate"),
        ({"bps": float("nan")}, "edge b - y: bps: expected a positive rate"),
        ({"bps": "10 parsec"}, "edge b - y: bps: expected a positive rate"),
        ({"bandwidth_bps": 1}, "edge b - y: bps: expected a rate as bps or bandwidth_bps, got bps and bandwidth_bps"),
        ({"latency_s": "-1 ms"}, "edge b - y: latency_s: expected a duration >= 0"),
        ({"latency_s": float("nan")}, "edge b - y: latency_s: expected a duration >= 0"),
        ({"loss": 1.0}, r"edge b - y: loss: expected a probability in \[0, 1\), got 1.0"),
        ({"loss": float("nan")}, "edge b - y: loss: expected a probability"),
        ({"half_duplex": "no"}, "edge b - y: half_duplex: expected true or false, got 'no'"),
    ],
)
def test_bad_edges_are_refused(edge: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Graph(diamond(**edge))


def test_bad_graphs_are_refused() -> None:
    apart = diamond()
    apart.remove_edges_from([("x", "b"), ("y", "b")])
    with pytest.raises(ValueError, match="expected a way between all workers and servers, got none from a to b"):
        Graph(apart)
    alone = diamond()
    alone.remove_edge("s", "x")
    with pytest.raises(ValueError, match="got none from a to s"):
        Graph(alone)
    one_way = nx.DiGraph(diamond())
    one_way.remove_edges_from([("x", "b"), ("y", "b")])
    with pytest.raises(ValueError, match="got none from a to b"):
        Graph(one_way)
    back = nx.DiGraph(diamond())
    back.remove_edges_from([("b", "x"), ("b", "y")])
    with pytest.raises(ValueError, match="got none from b to a"):
        Graph(back)
    strange = diamond()
    strange.nodes["y"]["kind"] = "router"
    with pytest.raises(ValueError, match="node 'y': expected kind worker, server, switch, got 'router'"):
        Graph(strange)
    bare = diamond()
    del bare.edges["a", "x"]["latency_s"], bare.edges["a", "x"]["bps"]
    with pytest.raises(ValueError, match="edge a - x: bps: expected a rate as bps or bandwidth_bps, got nothing"):
        Graph(bare)
    bare.edges["a", "x"]["bps"] = 1
    with pytest.raises(ValueError, match="edge a - x: latency_s: expected a duration, got nothing"):
        Graph(bare)
    with pytest.raises(ValueError, match="expected at least one node of kind worker, got 4 nodes"):
        Graph(nx.path_graph(4))
    with pytest.raises(ValueError, match="got a multigraph"):
        Graph(nx.MultiGraph(diamond()))
    loop = diamond()
    loop.add_edge("x", "x", bps=1, latency_s=0)
    with pytest.raises(ValueError, match="edge x - x: expected two different nodes"):
        Graph(loop)


def test_unknown_nodes_are_refused() -> None:
    fabric = Graph(diamond())
    for ends, message in (
        ((0, 2), r"destination: expected a worker 0\.\.1 or a server -1\.\.-1, got 2"),
        ((-2, 0), "source: expected a worker"),
    ):
        with pytest.raises(ValueError, match=message):
            fabric.route(*ends)
        with pytest.raises(ValueError, match=message):
            fabric.path_bps(*(np.array([node]) for node in ends))
    with pytest.raises(ValueError, match="this topology has no server; give it one"):
        Graph(full_mesh(3, 1e6, 0)).route(0, -1)
