"""Workers in a grid of two, three or more dimensions whose ends are joined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import networkx as nx
import numpy as np

from network_models.links import worker_count
from network_models.topologies.parts import Place, Value, add_servers, either, named
from network_models.whole import whole


def torus(
    workers: int,
    bps: Value,
    latency_s: Value,
    sides: Sequence[int] | None = None,
    dimensions: int = 2,
    servers: int = 0,
    server_bps: Value | None = None,
    server_latency_s: Value | None = None,
) -> nx.Graph:
    """Link each place of a grid with its neighbours in every dimension, the last with the first.

    Parameters
    ----------
    workers : int
        n, at least 1; they fill the first places, the last dimension fastest. Places left over only forward.
    bps, latency_s : float or str
        Of each link, in both directions at once.
    sides : sequence of int, optional
        Places in each dimension; by default about equal ones, in `dimensions` dimensions, with room for all. Two places
        have one link between them, not two.
    dimensions : int
        Used where `sides` is not given.
    servers : int
        Parameter servers, each with a link of its own to place 0, 1, ... in turn.
    server_bps, server_latency_s : float or str, optional
        Of those links; by default as between workers.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    ValueError
        If there are more workers than places.

    Notes
    -----
    With D sides s > 2: D links a place, degree 2 D, diameter the sum of floor(s / 2).
    """
    count = worker_count(workers)
    shape = near_cube(count, whole(dimensions, "network.topology.dimensions", 1)) if sides is None else list(sides)
    for axis, side in enumerate(shape):
        whole(side, f"network.topology.sides[{axis}]", 1)
    if math.prod(shape) < count:
        raise ValueError(
            f"network.topology.sides: expected room for {count} workers, got {shape} for {math.prod(shape)}"
        )
    graph = named("torus")
    number = np.arange(math.prod(shape)).reshape(shape)
    for index in product(*map(range, shape)):
        here = int(number[index])
        name = here if here < count else f"place{here}"
        graph.add_node(name, kind="worker" if here < count else "switch", pos=_drawn(index))
    names = list(graph)
    for axis, side in enumerate(shape):
        following = np.roll(number, -1, axis)
        pairs = zip(number.ravel().tolist(), following.ravel().tolist(), strict=True)
        if side > 1:
            graph.add_edges_from(((names[a], names[b]) for a, b in pairs), bps=bps, latency_s=latency_s)
    links = either(server_bps, bps), either(server_latency_s, latency_s)
    add_servers(graph, servers, names[:count], *links, outwards=(-0.7, 0.7))
    return graph


def near_cube(count: int, dimensions: int) -> list[int]:
    """About equal sides, decreasing, of a grid with room for `count`."""
    sides = []
    for left in range(dimensions, 0, -1):
        side = next(side for side in range(1, count + 1) if side**left >= count)
        sides.append(side)
        count = -(-count // side)
    return sides


def _drawn(index: tuple[int, ...]) -> Place:
    """The last dimension to the right, the one before it downwards, each further one aslant."""
    right, down, *deeper = (*reversed(index), 0)[: max(len(index), 2)]
    aside = sum(depth * 0.37 * 0.45**level for level, depth in enumerate(deeper))
    return right + aside, -down + 0.8 * aside
