"""Mixing matrices: doubly stochastic always, with the spectral gaps that theory gives for well-known graphs."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models.topologies import fat_tree, full_mesh, ring, sharded_servers, torus
from network_models.topologies.mixing import gossip_graph, metropolis, spectral_gap, uniform

LINK = {"bps": 1e6, "latency_s": 0}
BOTH = pytest.mark.parametrize("rule", [metropolis, uniform])


@BOTH
@pytest.mark.parametrize("n", [3, 4, 7, 16])
def test_ring(rule: object, n: int) -> None:
    # eigenvalues 1/3 + 2/3 cos(2 pi k / n)
    values = [1 / 3 + 2 / 3 * math.cos(2 * math.pi * k / n) for k in range(1, n)]
    gap = spectral_gap(rule(gossip_graph(ring(n, **LINK))))
    assert gap == pytest.approx(1 - max(map(abs, values)), rel=1e-9)


@BOTH
@pytest.mark.parametrize("n", [2, 5, 8])
def test_complete_graph_averages_at_once(rule: object, n: int) -> None:
    mixing = rule(gossip_graph(full_mesh(n, servers=1, **LINK)))
    assert mixing == pytest.approx(np.full((n, n), 1 / n)) and spectral_gap(mixing) == pytest.approx(1)


@BOTH
def test_torus(rule: object) -> None:
    # 4 x 5, four neighbours: eigenvalues (1 + 2 cos(2 pi i / 4) + 2 cos(2 pi j / 5)) / 5
    values = [
        (1 + 2 * math.cos(2 * math.pi * i / 4) + 2 * math.cos(2 * math.pi * j / 5)) / 5
        for i in range(4)
        for j in range(5)
    ]
    largest = sorted(map(abs, values))[-2]
    assert spectral_gap(rule(gossip_graph(torus(20, sides=[4, 5], **LINK)))) == pytest.approx(1 - largest, rel=1e-9)


def test_a_star_by_hand() -> None:
    # degrees 2, 1, 1: every link weighs 1/3 under both rules; eigenvalues 1, 2/3, 0
    path = nx.path_graph(3)
    expected = np.array([[2, 1, 0], [1, 1, 1], [0, 1, 2]]) / 3
    assert metropolis(path) == pytest.approx(expected) and uniform(path) == pytest.approx(expected)
    assert spectral_gap(metropolis(path)) == pytest.approx(1 / 3)
    # two ends of degree 2 in a path of four, 1 - 2 - 2 - 1, and a fifth node on the second: degrees 1 3 2 1 1
    branched = nx.Graph([(0, 1), (1, 2), (2, 3), (1, 4)])
    assert metropolis(branched)[2].tolist() == pytest.approx([0, 1 / 4, 1 - 1 / 4 - 1 / 3, 1 / 3, 0])
    assert uniform(branched)[2].tolist() == pytest.approx([0, 1 / 4, 1 / 2, 1 / 4, 0])


@given(st.integers(1, 12), st.floats(0, 1), st.integers(0, 1000))
def test_always_symmetric_and_doubly_stochastic(n: int, density: float, seed: int) -> None:
    graph = nx.gnp_random_graph(n, density, seed=seed)
    graph.add_edges_from(nx.utils.pairwise(range(n)))
    for rule in (metropolis, uniform):
        mixing = rule(graph)
        assert (mixing == mixing.T).all() and (mixing >= 0).all()
        assert mixing.sum(axis=0) == pytest.approx(np.ones(n)) and mixing.sum(axis=1) == pytest.approx(np.ones(n))
        assert 0 < spectral_gap(mixing) <= 1 + 1e-12
        x = np.arange(n, dtype=float) ** 2
        away = np.linalg.norm(x - x.mean())
        assert np.linalg.norm(mixing @ x - x.mean()) <= (1 - spectral_gap(mixing)) * away + 1e-9


def test_switches_make_no_neighbours() -> None:
    assert gossip_graph(fat_tree(4, **LINK)) is None
    assert gossip_graph(sharded_servers(2, 1, 1, 1, 0)) is None
    assert gossip_graph(ring(1, **LINK)).number_of_nodes() == 1
    one_way = nx.DiGraph([(0, 1), (1, 2), (2, 0), (1, 0)])
    nx.set_node_attributes(one_way, "worker", "kind")
    assert gossip_graph(one_way) is None  # 2 has no neighbour in both directions


def test_other_matrices_are_refused() -> None:
    for matrix in ([[0.5, 0.5], [0.4, 0.6]], [[0.5, 0.4], [0.4, 0.5]], [[1.5, -0.5], [-0.5, 1.5]]):
        with pytest.raises(ValueError, match="mixing: expected a symmetric matrix"):
            spectral_gap(np.array(matrix))
