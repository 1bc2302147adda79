"""Everybody to the servers, and the servers to everybody.

Every message is cut into as many parts as there are servers. Where the messages have nothing in common but the links
of the servers, a formula or water filling gives the answer (`hub_shape` tells); everywhere else they are played as
flows.
"""

from __future__ import annotations

import numpy as np
import simpy

from network_models.conditions.arrivals import arrivals
from network_models.engines.alone import arrival_alone_s, flowing_s, late_s
from network_models.engines.flows import flow_ends
from network_models.engines.shape import Shape, hub_shape
from network_models.fabric import SERVER, Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.paths import Paths
from network_models.sharing.draining import drained
from network_models.timing import Timing


def gather(paths: Paths, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
    """Send each worker's message to the servers; see `Network.gather`."""
    ready = flowing_s(paths, workers, start, sizes_bytes, to_servers=True)
    finish, latency = _arrivals(paths, workers, start, sizes_bytes, to_servers=True)
    alone = arrival_alone_s(paths, workers, ready + latency, sizes_bytes, to_servers=True)
    return gathered(start, finish, latency, alone), float(finish.max())


def gathered(start: Floats, finish: Floats, latency: Floats, alone: Floats) -> Timing:
    """Account for a gather: all of it is uplink, since a worker sends as soon as it is ready.

    What passed after the moment at which the message would have arrived `alone` is queueing.
    """
    return Timing.between(start, finish, finish - start, np.zeros(start.shape), latency, late_s(finish, alone))


def broadcast(
    paths: Paths, workers: Integers, start: Floats, server_start: float, size_bytes: Floats | float
) -> Timing:
    """Send one copy, or to each its own message, from the servers to the workers; see `Network.broadcast`."""
    sizes, begin = np.full(len(workers), size_bytes, dtype=np.float64), np.full(len(workers), server_start)
    ready = flowing_s(paths, workers, begin, sizes, to_servers=False)
    arrived, latency = _arrivals(paths, workers, begin, sizes, to_servers=False)
    alone = arrival_alone_s(paths, workers, ready + latency, sizes, to_servers=False)
    return broadcasted(start, server_start, arrived, latency, alone)


def broadcasted(start: Floats, server_start: float | Floats, arrived: Floats, latency: Floats, alone: Floats) -> Timing:
    """Account for a broadcast that arrives at `arrived`, whether or not the worker is ready for it by then.

    A worker that is ready before the server waits for it; one that is ready later finds the message on its way or
    already there, and is billed only what is left of it. What is left after `alone`, the moment at which the message
    would have arrived on links of its own, is queueing.
    """
    began = np.maximum(start, server_start)
    finish = np.maximum(start, arrived)
    propagation = np.maximum(server_start + latency - began, 0.0)
    queueing = np.minimum(late_s(finish, np.maximum(began, alone)), finish - began)
    return Timing.between(start, finish, np.zeros(start.shape), finish - began, propagation, queueing)


def _arrivals(
    paths: Paths, workers: Integers, begin: Floats, sizes_bytes: Floats, to_servers: bool
) -> tuple[Floats, Floats]:
    """When each worker's message has arrived with all its parts, and its latency."""
    if paths.rates and not paths.transport.remembers:
        return _integrated(paths, workers, begin, sizes_bytes, to_servers)
    shape = hub_shape(paths, workers, to_servers)
    if shape is None or paths.jitter is not None and paths.fabric.servers > 1:
        network = FluidNetwork(simpy.Environment(initial_time=float(begin.min())), paths)
        return played(network, workers, begin, sizes_bytes, to_servers)
    return _shared(paths, shape, workers, begin, sizes_bytes, to_servers)


def _shared(
    paths: Paths, shape: Shape, workers: Integers, begin: Floats, sizes_bytes: Floats, to_servers: bool
) -> tuple[Floats, Floats]:
    """The parts that go to one server, which all other servers' parts mirror."""
    servers = paths.fabric.servers
    part = sizes_bytes / servers
    hub = np.full(len(workers), SERVER)
    source, destination = (workers, hub) if to_servers else (hub, workers)
    latency = paths.latency_s(source, destination, paths.call())
    paths.regime.watch(source, destination, float(part.max()))
    arrival = begin + latency
    if paths.transport.remembers:
        arrival = arrival + paths.stall_s(source, destination, begin, part)
    finish = drained(arrival, paths.bits(part), shape.own_bps, shape.hot_bps)
    if paths.transport.remembers:
        for server in range(servers):
            hub = np.full(len(workers), SERVER - server)
            source, destination = (workers, hub) if to_servers else (hub, workers)
            paths.used(source, destination, finish)
    return finish, latency


def _integrated(
    paths: Paths, workers: Integers, begin: Floats, sizes_bytes: Floats, to_servers: bool
) -> tuple[Floats, Floats]:
    """As `played`, where capacities change in time: no clock where nobody hinders anybody."""
    source, destination = _parts(paths, workers, to_servers)
    servers, key = paths.fabric.servers, paths.call()
    parts, latency = np.tile(sizes_bytes / servers, servers), paths.latency_s(source, destination, key)
    paths.regime.watch(source, destination, float(parts.max()))
    ends = arrivals(paths, source, destination, np.tile(begin, servers) + latency, paths.bits(parts))
    shape = (servers, len(workers))
    return ends.reshape(shape).max(axis=0), latency.reshape(shape).max(axis=0)


def _parts(paths: Paths, workers: Integers, to_servers: bool) -> tuple[Integers, Integers]:
    """Source and destination of every worker's part for every server, server by server."""
    servers = paths.fabric.servers
    worker, server = np.tile(workers, servers), np.repeat(SERVER - np.arange(servers), len(workers))
    return (worker, server) if to_servers else (server, worker)


def played(
    network: FluidNetwork, workers: Integers, begin: Floats, sizes_bytes: Floats, to_servers: bool
) -> tuple[Floats, Floats]:
    """When each worker's message has arrived with all its parts, and its latency, each part a flow in `network`."""
    paths = network.paths
    source, destination = _parts(paths, workers, to_servers)
    servers, key = paths.fabric.servers, paths.call()
    parts = np.tile(sizes_bytes / servers, servers)
    ends = flow_ends(network, source, destination, np.tile(begin, servers), parts, key)
    latency = paths.latency_s(source, destination, key)
    shape = (servers, len(workers))
    return ends.reshape(shape).max(axis=0), latency.reshape(shape).max(axis=0)
