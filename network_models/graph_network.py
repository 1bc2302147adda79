"""A network over any topology."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from network_models.conditions.assembled import Conditions
from network_models.conditions.factors import Factors
from network_models.conditions.interruptions import Interruptions
from network_models.links import worker_count
from network_models.network import Network
from network_models.whole import whole

if TYPE_CHECKING:
    import networkx as nx


def graph(
    topology: nx.Graph,
    workers: int,
    name: str = "graph",
    ecmp_seed: int = 0,
    jitter_s: float | str = 0.0,
    jitter: str = "exponential",
    seed: int = 0,
    outages: Sequence[Any] | None = None,
    background_load: float = 0.0,
    background_mean_on_s: float | str | None = None,
    background_mean_off_s: float | str | None = None,
    rate_factor: float = 1.0,
    latency_factor: float = 1.0,
    **network: Any,
) -> Network:
    """A network whose messages take the shortest routes through a graph.

    Parameters
    ----------
    topology : networkx.Graph
        One that `network_models.topologies` makes, or any other; see `topologies.Graph` for the attributes of its nodes
        and edges.
    workers : int
        n, which the topology must have.
    name : str
        How reports call this network.
    ecmp_seed : int
        Of the hash that chooses among equally short routes, at least 0.
    jitter_s : float or str
        Mean random delay added to each message's latency.
    jitter : {'exponential', 'uniform', 'lognormal'}
        Its distribution.
    seed : int
        Of these delays and of the times with other traffic.
    outages, background_load, background_mean_on_s, background_mean_off_s
        See `Interruptions`; a link is named as in `links.parquet`, such as `'leaf0 -> spine1'`, and other traffic is on
        every link.
    rate_factor, latency_factor : float
        Of every link; see `Factors`. Routes are those without them.
    **network
        As for `Network`.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If the topology makes no sense (see `topologies.Graph`) or has another number of workers.
    """
    # networkx takes 0.15 s to import, which a star need not pay
    import networkx as nx

    from network_models.topologies.graph import Graph

    if not isinstance(topology, nx.Graph):
        raise ValueError(f"network.topology: expected a networkx graph, got {topology!r}")
    background = (background_load, background_mean_on_s, background_mean_off_s)
    interruptions = Interruptions(outages, *background, seed=seed)
    factors = Factors.read(rate_factor, latency_factor)
    fabric = Graph(topology, whole(ecmp_seed, "network.ecmp_seed", 0), interruptions, factors)
    if fabric.workers != worker_count(workers):
        raise ValueError(f"network.workers: expected as many as the topology has, {fabric.workers}, got {workers}")
    delays = Conditions(jitter_s=jitter_s, jitter=jitter, seed=seed, latency_factor=latency_factor).delays()
    return Network(fabric, jitter=delays, name=name, **network)
