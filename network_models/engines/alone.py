"""When messages between workers and servers would arrive if there were no others: what queueing is measured against."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from network_models.fabric import SERVER, Floats, Integers
from network_models.paths import Paths

_ROUNDING = 1e-14  # of a moment


def late_s(finish: Floats, alone: Floats) -> Floats:
    """How much later than alone each message was; what is less than rounding is nothing."""
    late = finish - alone
    return np.where(late > _ROUNDING * np.abs(finish), late, 0.0)


def flowing_s(paths: Paths, workers: Integers, begin: Floats, sizes_bytes: Floats, to_servers: bool) -> Floats:
    """When each worker's message is past set-up and slow start, by what its connections remember before it is sent."""
    if not paths.transport.remembers:
        return begin
    part = sizes_bytes / paths.fabric.servers
    stalls = [paths.stall_s(*ends, begin, part) for ends in _ends(paths, workers, to_servers)]
    return np.asarray(begin + np.max(stalls, axis=0))


def arrival_alone_s(paths: Paths, workers: Integers, flows_s: Floats, sizes_bytes: Floats, to_servers: bool) -> Floats:
    """When each worker's message, cut into a part for each server, has arrived if it is alone in the network.

    `flows_s` is when its first bits flow. Parts of one message share what their routes have in common.
    """
    part = sizes_bytes / paths.fabric.servers
    arrivals = [paths.arrival_s(*ends, flows_s, part) for ends in _ends(paths, workers, to_servers)]
    if paths.fabric.servers == 1:
        return arrivals[0]
    whole = paths.fabric.servers * paths.bits(part) / _shared_bps(paths, workers.tobytes(), to_servers)
    return np.asarray(np.maximum(np.max(arrivals, axis=0), flows_s + whole))


def _ends(paths: Paths, workers: Integers, to_servers: bool) -> list[tuple[Integers, Integers]]:
    """Source and destination of the parts for each server."""
    hubs = [np.full(len(workers), SERVER - number) for number in range(paths.fabric.servers)]
    return [(workers, hub) if to_servers else (hub, workers) for hub in hubs]


@lru_cache(maxsize=64)
def _shared_bps(paths: Paths, members: bytes, to_servers: bool) -> Floats:
    """The least capacity that all parts of a worker's message pass."""
    rates = []
    for worker in np.frombuffer(members, dtype=np.int64).tolist():
        pairs = [(worker, SERVER - number) for number in range(paths.fabric.servers)]
        routes = [set(paths.fabric.route(*(pair if to_servers else pair[::-1]))) for pair in pairs]
        common = set.intersection(*routes)
        rates.append(min((float(paths.capacity_bps[resource]) for resource in common), default=np.inf))
    return np.array(rates)
