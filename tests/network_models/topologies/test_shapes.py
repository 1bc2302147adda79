"""Counts, routes and capacities of each topology, by hand."""

import networkx as nx
import numpy as np
import pytest

from network_models.topologies import (
    Graph,
    dumbbell,
    expander,
    fat_tree,
    full_mesh,
    racks,
    random_geometric,
    ring,
    sharded_servers,
    torus,
    tree,
)
from network_models.topologies.merit import figures_of_merit
from network_models.topologies.random_geometric import connecting_radius
from network_models.topologies.torus import near_cube

LINK = {"bps": "1 Gbit/s", "latency_s": "1 ms"}
GIGA = 1e9


def merit(graph: nx.Graph) -> dict:
    return figures_of_merit(Graph(graph))


def degrees(graph: nx.Graph) -> set[int]:
    return {graph.degree[node] for node in graph}


def test_ring() -> None:
    graph = ring(6, **LINK)
    assert degrees(graph) == {2} and graph.number_of_edges() == 6
    figures = merit(graph)
    assert figures["diameter_hops"] == 3 and figures["diameter_s"] == pytest.approx(3e-3)
    # from 0: 1 + 2 + 3 + 2 + 1 hops to five others
    assert figures["path_latency_s"]["mean"] == pytest.approx(9e-3 / 5)
    # two links join the halves, which hold three workers with two links each
    assert figures["bisection_bps"] == 2 * GIGA and figures["oversubscription"] == 3
    assert [ring(n, **LINK).number_of_edges() for n in (1, 2, 3)] == [0, 1, 3]


def test_full_mesh() -> None:
    graph = full_mesh(6, servers=2, server_bps="5 Mbit/s", **LINK)
    assert graph.number_of_edges() == 15 + 12
    figures = merit(graph)
    assert figures["diameter_hops"] == 1 and figures["bisection_bps"] == 9 * GIGA
    assert figures["server"]["link_bps"] == 12 * 5e6 and figures["server"]["path_bps"]["max"] == 5e6


def test_tree() -> None:
    # 13 workers on 5 switches of 3, those on 2, those on the root
    graph = tree(13, arity=3, growth=2, servers=1, **LINK)
    fabric, figures = Graph(graph), merit(graph)
    assert figures["switches"] == 5 + 2 + 1 and figures["links"] == 13 + 5 + 2 + 1
    assert figures["diameter_hops"] == 6
    # link rates double with each level
    assert [fabric.capacity_bps[resource] for resource in fabric.route(0, 12)] == [GIGA * g for g in (1, 2, 4, 4, 2, 1)]
    assert fabric.walk(-1, 12) == [-1, "root", "switch2.1", "switch1.4", 12]
    assert merit(tree(16, arity=4, growth=4, **LINK))["oversubscription"] == 1
    # a plain one: half of the workers behind two links of the root
    assert merit(tree(16, arity=4, **LINK))["oversubscription"] == 4
    assert merit(tree(3, arity=3, **LINK))["switches"] == merit(tree(1, **LINK))["switches"] == 1


def test_torus() -> None:
    flat, cube = torus(16, sides=[4, 4], **LINK), torus(27, dimensions=3, **LINK)
    assert degrees(flat) == {4} and flat.number_of_edges() == 32
    assert degrees(cube) == {6} and cube.number_of_edges() == 81
    assert merit(flat)["diameter_hops"] == 2 + 2 and merit(cube)["diameter_hops"] == 1 + 1 + 1
    # rows 0 and 1 against 2 and 3: four columns, cut twice
    assert merit(flat)["bisection_bps"] == 8 * GIGA
    assert set(flat[5]) == {1, 4, 6, 9} and set(cube[13]) == {4, 22, 10, 16, 12, 14}
    # places without a worker forward
    part = torus(13, sides=[4, 4], **LINK)
    assert degrees(part) == {4} and merit(part)["workers"] == 13 and merit(part)["switches"] == 3
    assert near_cube(13, 2) == [4, 4] and near_cube(12, 2) == [4, 3] and near_cube(16, 3) == [3, 3, 2]
    # two places have one link between them
    assert degrees(torus(4, sides=[2, 2], **LINK)) == {2} and torus(1, **LINK).number_of_edges() == 0


def test_fat_tree() -> None:
    graph = fat_tree(16, k=4, **LINK)
    figures, fabric = merit(graph), Graph(graph)
    assert figures["switches"] == 20 and figures["links"] == 48 and figures["diameter_hops"] == 6
    assert figures["bisection_bps"] == 8 * GIGA and figures["oversubscription"] == 1
    assert {graph.degree[node] for node in graph if node not in range(16)} == {4}
    assert fabric.path_hops(0, [1, 2, 4]).tolist() == [2, 4, 6]
    assert len(Graph(fat_tree(16, k=4, servers=1, **LINK)).walk(-1, 15)) == 5
    # the least k with room: 2 hosts, 16, 54
    switches = [merit(fat_tree(n, **LINK))["switches"] for n in (2, 3, 16, 17)]
    assert switches == [5, 20, 20, 45]
    with pytest.raises(ValueError, match="k: expected room for 17 workers, got 4 for 16"):
        fat_tree(17, k=4, **LINK)
    with pytest.raises(ValueError, match="k: expected an even number, got 5"):
        fat_tree(16, k=5, **LINK)


def test_dumbbell() -> None:
    fabric = Graph(dumbbell(5, bottleneck_bps="10 Mbit/s", bottleneck_latency_s="10 ms", servers=1, **LINK))
    assert fabric.walk(2, 3) == [2, "left", "right", 3] and fabric.walk(0, 2) == [0, "left", 2]
    assert fabric.path_bps(2, [1, 3]).tolist() == [GIGA, 1e7] and fabric.path_latency_s(-1, 4) == pytest.approx(0.012)
    assert figures_of_merit(fabric)["bisection_bps"] == 1e7


def test_racks() -> None:
    # 5 workers of 1 Gbit/s a rack, 10:1
    fabric = Graph(racks(10, racks=2, oversubscription=10, uplink_latency_s="2 ms", servers=1, **LINK))
    assert fabric.path_bps(0, [4, 5, -1]).tolist() == [GIGA, 0.5 * GIGA, 0.5 * GIGA]
    assert fabric.path_latency_s(0, [4, 5, -1]) == pytest.approx(np.array([0.002, 0.006, 0.004]))
    assert fabric.alike(np.arange(5)) and not fabric.alike(np.arange(6))
    figures = figures_of_merit(fabric)
    assert figures["oversubscription"] == 10 and figures["diameter_hops"] == 4
    # ceil(13 / 4) = 4 to a rack: 4, 4, 4, 1
    assert merit(racks(13, racks=4, **LINK))["switches"] == 5


def test_random_geometric() -> None:
    graph = random_geometric(40, seed=3, latency_per_side_s="10 ms", **LINK)
    places = np.array([graph.nodes[worker]["pos"] for worker in range(40)])
    radius = connecting_radius(places)
    apart = np.hypot(*(places[:, None] - places[None]).T)
    assert {tuple(sorted(edge)) for edge in graph.edges} == {
        (a, b) for a, b in zip(*np.nonzero(apart <= radius), strict=True) if a < b
    }
    a, b = next(iter(graph.edges))
    assert graph.edges[a, b]["latency_s"] == pytest.approx(0.001 + 0.01 * apart[a, b])
    # any less would leave somebody alone
    with pytest.raises(ValueError, match="expected a way between all workers"):
        Graph(random_geometric(40, seed=3, radius=radius * (1 - 1e-9), **LINK))
    mesh = nx.from_numpy_array(apart)
    longest = max(of["weight"] for _, _, of in nx.minimum_spanning_tree(mesh).edges(data=True))
    assert radius == pytest.approx(longest, rel=1e-12)
    assert set(random_geometric(40, seed=3, **LINK).edges) == set(graph.edges)
    assert set(random_geometric(40, seed=4, **LINK).edges) != set(graph.edges)
    assert random_geometric(1, **LINK).number_of_edges() == 0


def test_expander() -> None:
    graph = expander(20, degree=3, seed=5, **LINK)
    assert degrees(graph) == {3} and nx.is_connected(graph)
    assert set(graph.edges) == set(expander(20, degree=3, seed=5, **LINK).edges)
    assert set(graph.edges) != set(expander(20, degree=3, seed=6, **LINK).edges)
    assert expander(4, degree=9, **LINK).number_of_edges() == 6
    with pytest.raises(ValueError, match="expected an even number of link ends, got 5 workers x 3"):
        expander(5, degree=3, **LINK)


def test_sharded_servers() -> None:
    fabric = Graph(sharded_servers(3, 4, "10 Mbit/s", "20 Mbit/s", "5 ms", server_down_bps="1 Gbit/s"))
    assert fabric.servers == 4 and fabric.walk(2, -3) == [2, "switch", -3]
    # each server has a link of its own
    assert len({fabric.route(0, server)[-1] for server in (-1, -2, -3, -4)}) == 4
    assert fabric.path_bps([0, -4], [-4, 0]).tolist() == [1e7, 1e7]  # by default a server sends as a worker does
    assert figures_of_merit(fabric)["server"]["link_bps"] == 4e9


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: ring(0, **LINK), "network.workers: expected a whole number of at least 1, got 0"),
        (lambda: ring(3, servers=-1, **LINK), "topology.servers: expected a whole number of at least 0"),
        (lambda: tree(4, arity=1, **LINK), "topology.arity: expected a whole number of at least 2"),
        (lambda: tree(4, growth=0.5, **LINK), "topology.growth: expected a number of at least 1, got 0.5"),
        (lambda: tree(4, growth=float("nan"), **LINK), "topology.growth"),
        (lambda: torus(9, sides=[2, 4], **LINK), r"topology.sides: expected room for 9 workers, got \[2, 4\] for 8"),
        (lambda: torus(9, sides=[3, 0], **LINK), r"topology.sides\[1\]: expected a whole number of at least 1"),
        (lambda: racks(4, racks=0, **LINK), "topology.racks: expected a whole number of at least 1"),
        (lambda: racks(4, racks=2, oversubscription=0, **LINK), "topology.oversubscription: expected a ratio above 0"),
        (lambda: random_geometric(4, radius=-1, **LINK), "topology.radius: expected a length above 0, got -1"),
        (lambda: expander(9, degree=1, **LINK), "topology.degree: expected a whole number of at least 2"),
        (lambda: sharded_servers(2, 0, 1, 1, 1), "topology.servers: expected a whole number of at least 1"),
        (lambda: sharded_servers(2, 1, [1], 1, 1), r"topology.up_bps: expected one value or 2 of them"),
        (lambda: Graph(ring(3, 0, 0)), "edge 0 - 1: bps: expected a positive rate"),
        (lambda: Graph(ring(3, 1, 0, servers=1, server_bps=0)), "edge 0 - -1: bps: expected a positive rate"),
    ],
)
def test_bad_settings_are_refused(make: object, key: str) -> None:
    with pytest.raises(ValueError, match=key):
        make()
