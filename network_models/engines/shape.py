"""Do messages between workers and servers meet anywhere but at the servers' own links?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from network_models.fabric import SERVER, Floats, Integers
from network_models.links import Links
from network_models.paths import Paths

_INFINITY = float("inf")


@dataclass(frozen=True, eq=False)
class Shape:
    """What one server's parts of all messages meet, when every server's parts meet the same.

    Parameters
    ----------
    own_bps : ndarray, shape (w,)
        What each worker's part may not exceed: its private links, its share of those that its parts have in common, and
        the transport's ceiling; perhaps infinite.
    hot_bps : float
        What all workers' parts share; perhaps infinite.
    """

    own_bps: Floats
    hot_bps: float


def hub_shape(paths: Paths, workers: Integers, to_servers: bool) -> Shape | None:
    """Describe the messages between `workers` and all servers, one part for each server, if it is that simple.

    Returns
    -------
    Shape or None
        None where parts of different workers meet elsewhere, servers differ, or a capacity changes in time. The answer
        is remembered for the last sets of workers.

    Notes
    -----
    A resource is private to a part, common to one worker's parts, or common to all parts of one server; with anything
    else the answer is None. Parts of one worker are alike when they start alike and servers are alike, so each gets
    the same share of what they have in common.
    """
    if isinstance(paths.fabric, Links) and not paths.fabric.rates:
        return _star(paths, paths.fabric, workers, to_servers)
    return _shape(paths, workers.tobytes(), to_servers)


def _star(paths: Paths, links: Links, workers: Integers, to_servers: bool) -> Shape:
    """Every worker's link is its own, so there is nothing to look for."""
    own, hot = (links.up_bps, links.down_bps) if to_servers else (links.down_bps, links.up_bps)
    usable = paths.transport.capacity_bps
    ends = (workers, SERVER) if to_servers else (SERVER, workers)
    return Shape(np.minimum(usable(own[workers]), paths.ceiling_bps(*ends)), float(usable(hot[SERVER])))


@lru_cache(maxsize=64)
def _shape(paths: Paths, members: bytes, to_servers: bool) -> Shape | None:
    fabric, capacity = paths.fabric, paths.capacity_bps
    workers = np.frombuffer(members, dtype=np.int64)
    servers = [SERVER - number for number in range(fabric.servers)]
    pairs = [[(worker, server) for server in servers] for worker in workers.tolist()]
    ends = pairs if to_servers else [[pair[::-1] for pair in row] for row in pairs]
    routes = [[fabric.route(*pair) for pair in row] for row in ends]
    uses = Counter(resource for row in routes for route in row for resource in route)
    if any(resource in fabric.rates for resource in uses):
        return None
    hot = [_common([row[number] for row in routes]) for number in range(len(servers))]
    own = [_common(row) if len(servers) > 1 else set[int]() for row in routes]
    for row, mine in zip(routes, own, strict=True):
        for route, theirs in zip(row, hot, strict=True):
            for resource in route:
                expected = (len(workers) if resource in theirs else 1) * (len(servers) if resource in mine else 1)
                if uses[resource] != expected or resource in theirs and resource in mine and len(workers) > 1:
                    return None
    hot_bps = [_least(capacity, theirs) for theirs in hot]
    shares = np.array([_least(capacity, mine) / len(servers) for mine in own])
    private = np.array(
        [
            [_least(capacity, set(route) - mine - theirs) for route, theirs in zip(row, hot, strict=True)]
            for row, mine in zip(routes, own, strict=True)
        ]
    )
    node = np.array(ends)
    source, destination = node[..., 0], node[..., 1]
    ceiling = paths.ceiling_bps(source, destination)
    latency = fabric.path_latency_s(source, destination)
    if any((of != of[:, :1]).any() for of in (private, ceiling, latency)) or len(set(hot_bps)) > 1:
        return None
    return Shape(np.minimum(np.minimum(shares, private[:, 0]), ceiling[:, 0]), hot_bps[0])


def _common(routes: list[tuple[int, ...]]) -> set[int]:
    """The resources that all routes use."""
    return set(routes[0]).intersection(*routes[1:])


def _least(capacity: Floats, resources: set[int]) -> float:
    return min((float(capacity[resource]) for resource in resources), default=_INFINITY)
