"""Mixing matrices of gossip among workers that are linked with one another, and how fast they mix.

A round of gossip replaces the vectors x_i of n workers by sum_j W_ij x_j. W is symmetric and doubly stochastic, and the
distance from the mean shrinks by |lambda_2|, its second largest eigenvalue in magnitude: the spectral gap is 1 -
|lambda_2|.

References
----------
Xiao, Boyd, "Fast linear iterations for distributed averaging", Systems & Control Letters 53, 2004, section 4.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from network_models.fabric import Floats
from network_models.topologies.wires import numbered


def gossip_graph(topology: nx.Graph) -> nx.Graph | None:
    """Give the links of workers with one another (of a directed graph, those both ways), relabelled 0..n-1.

    Returns
    -------
    networkx.Graph or None
        None where these links do not connect all workers: through switches, gossip has no neighbours.
    """
    nodes, workers, _ = numbered(topology)
    inside = topology.subgraph(nodes[:workers])
    undirected = inside.to_undirected(reciprocal=True) if inside.is_directed() else inside
    if not nx.is_connected(undirected):
        return None
    graph = nx.Graph()
    graph.add_nodes_from(range(workers))
    number = {node: worker for worker, node in enumerate(nodes[:workers])}
    graph.add_edges_from((number[one], number[other]) for one, other in undirected.edges)
    return graph


def metropolis(graph: nx.Graph) -> Floats:
    """Weigh each link by the larger degree of its ends (Metropolis-Hastings).

    Parameters
    ----------
    graph : networkx.Graph
        Nodes 0..n-1, connected.

    Returns
    -------
    ndarray, shape (n, n)
        W_ij = 1 / (1 + max(degree_i, degree_j)) on links; the diagonal takes what is left. A worker needs to know its
        neighbours' degrees only.
    """
    linked, degree = _links(graph)
    return _with_diagonal(linked / (1.0 + np.maximum(degree[:, None], degree[None, :])))


def uniform(graph: nx.Graph) -> Floats:
    """Weigh each link the same, by the largest degree anywhere.

    Returns
    -------
    ndarray, shape (n, n)
        W_ij = 1 / (1 + max degree) on links; the diagonal takes what is left.
    """
    linked, degree = _links(graph)
    return _with_diagonal(linked / (1.0 + degree.max()))


def spectral_gap(mixing: Floats) -> float:
    """1 - |lambda_2| of a symmetric doubly stochastic matrix; 1 mixes in one round, 0 never. One worker has 1.

    Raises
    ------
    ValueError
        If the matrix is not symmetric and doubly stochastic.
    """
    if not (np.allclose(mixing, mixing.T) and np.allclose(mixing.sum(axis=0), 1.0) and (mixing >= -1e-12).all()):
        raise ValueError("mixing: expected a symmetric matrix with rows that add up to 1 and no negative weight")
    magnitudes = np.sort(np.abs(np.linalg.eigvalsh(mixing)))
    return float(1.0 - magnitudes[-2]) if len(magnitudes) > 1 else 1.0


def _links(graph: nx.Graph) -> tuple[Floats, Floats]:
    linked: Floats = nx.to_numpy_array(graph, nodelist=range(len(graph)), weight=None)
    return linked, linked.sum(axis=0)


def _with_diagonal(weights: Floats) -> Floats:
    np.fill_diagonal(weights, 1.0 - weights.sum(axis=1))
    return weights
