"""A fabric as a transport sees it: what a message meets between two nodes, before any sharing.

Every engine takes delays, bits and rates from here, so that a transport, jitter or a trace means the same in each.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from network_models.conditions.alone import Way, Ways, mapped
from network_models.connections import Connections
from network_models.fabric import Fabric, Floats, Integers
from network_models.regime import Regime
from network_models.transports import Ideal, Transport


class Jitter(Protocol):
    """Random extra latency; see `conditions`."""

    def delay_s(self, source: Integers, destination: Integers, key: int) -> Floats:
        """Seconds to add to each message's latency, shape (m,); the same arguments give the same draw."""
        ...


class Paths:
    """Delays, bits and rates of messages, and what connections remember.

    Parameters
    ----------
    fabric : Fabric
    transport : Transport, optional
        By default `Ideal`.
    jitter : Jitter, optional
    buffer_bytes : float, optional
        What a port can hold of packets that wait; deep enough for everything if None.

    Attributes
    ----------
    regime : Regime
        Says so when these paths are used outside what a fluid model can tell.
    """

    def __init__(
        self,
        fabric: Fabric,
        transport: Transport | None = None,
        jitter: Jitter | None = None,
        buffer_bytes: float | None = None,
    ) -> None:
        self.fabric, self.transport, self.jitter = fabric, transport or Ideal(), jitter
        self.capacity_bps = self.transport.capacity_bps(fabric.capacity_bps)
        self.rates = mapped(fabric.rates, self.transport.capacity_bps)
        self._ways = Ways(self.capacity_bps, self.rates)
        self._known: dict[tuple[int, int], Way] = {}
        self.regime = Regime(fabric, self.transport, buffer_bytes)
        self._connections = Connections()
        self._calls = 0

    @property
    def plain(self) -> bool:
        """Whether the time of a lone message is latency + bits / rate with constants of its path."""
        return not (self.jitter or self.transport.remembers or self.fabric.rates)

    def reset(self) -> None:
        """Forget every connection and draw, as before the first message."""
        self._connections.clear()
        self._calls = 0

    def call(self) -> int:
        """Number a collective; keys of its messages are this plus the number of their step."""
        self._calls += 1
        return self._calls << 24

    def bits(self, size_bytes: Floats | float) -> Floats:
        """Bits on the wire."""
        return 8.0 * self.transport.wire_bytes(np.asarray(size_bytes, dtype=np.float64))

    def latency_s(self, source: Integers | int, destination: Integers | int, key: int = 0) -> Floats:
        """Propagation, jitter included, elementwise."""
        latency = self.transport.latency_s(self.fabric.path_latency_s(source, destination))
        if self.jitter is not None:
            latency = latency + self.jitter.delay_s(np.asarray(source), np.asarray(destination), key)
        return latency

    def ceiling_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The most that one flow reaches whatever is free, elementwise."""
        latency = self.fabric.path_latency_s(source, destination)
        return self.transport.ceiling_bps(latency, self.fabric.path_loss(source, destination))

    def rate_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The rate of a message that is alone on its path, elementwise."""
        capacity = self.transport.capacity_bps(self.fabric.path_bps(source, destination))
        return np.minimum(capacity, self.ceiling_bps(source, destination))

    def arrival_s(
        self, source: Integers, destination: Integers | int, begin_s: Floats, size_bytes: Floats | float
    ) -> Floats:
        """When messages whose first bits flow at `begin_s` have arrived if each is alone on its path, elementwise.

        Raises
        ------
        ValueError
            If one can never finish, naming its route.
        """
        bits = self.bits(size_bytes)
        if not self.rates:
            return np.asarray(begin_s + bits / self.rate_bps(source, destination))
        many = np.broadcast_shapes(source.shape, np.shape(begin_s))
        begin, size = np.broadcast_to(begin_s, many), np.broadcast_to(bits, many)
        pairs = list(zip(*(np.broadcast_to(end, many).tolist() for end in (source, destination)), strict=True))
        end = self._ways.finish([self._way(*pair) for pair in pairs], begin, size)
        for late in np.flatnonzero(np.isinf(end)):
            raise ValueError(never_finishes(self, pairs[late][0], pairs[late][1], float(begin[late])))
        return end

    def _way(self, source: int, destination: int) -> Way:
        if (way := self._known.get((source, destination))) is None:
            cap = float(self.ceiling_bps(source, destination))
            way = self._known[source, destination] = self._ways.along(self.fabric.route(source, destination), cap)
        return way

    def stall_s(self, source: Integers, destination: Integers, begin_s: Floats, size_bytes: Floats | float) -> Floats:
        """Set-up and slow start of messages that begin at `begin_s`, elementwise, from what connections remember."""
        if not self.transport.remembers:
            return np.zeros(np.shape(source))
        idle = self._connections.idle_s(source, destination, begin_s)
        latency, rate = self.fabric.path_latency_s(source, destination), self.rate_bps(source, destination)
        return self.transport.stall_s(np.broadcast_to(size_bytes, idle.shape), latency, rate, idle)

    def used(self, source: Integers, destination: Integers, end_s: Floats) -> None:
        """Note when connections carried their last bit."""
        if self.transport.remembers:
            self._connections.used(source, destination, end_s)


def never_finishes(paths: Paths, source: int, destination: int, now: float) -> str:
    """Say which transfer will never end, and which link of its route is why."""
    ends = [node if node >= 0 else "server" if node == -1 else f"server {-node - 1}" for node in (source, destination)]
    route = paths.fabric.route(source, destination)
    dead = [link for link in route if link in paths.rates and paths.rates[link].steps.ends_at_zero]
    why = [f"{paths.fabric.label(link)} carries nothing from {paths.rates[link].stop_s:g} s on" for link in dead]
    return (
        f"transfer {ends[0]} -> {ends[1]} under way at {now:g} s can never finish: "
        f"{'; '.join(why) or 'its links never carry anything at the same time'} "
        f"(route: {', '.join(map(paths.fabric.label, route))})"
    )


def hot_resources(paths: Paths) -> set[int]:
    """The resources that messages of different workers to, or from, a server have in common."""
    fabric = paths.fabric
    first, last = 0, fabric.workers - 1
    hot: set[int] = set()
    for server in range(-fabric.servers, 0):
        hot |= set(fabric.route(server, first)) & set(fabric.route(server, last))
        hot |= set(fabric.route(first, server)) & set(fabric.route(last, server))
    return hot


def hot_bps(paths: Paths, source: int, destination: int) -> float:
    """Capacity of the server's own link, which all messages share, in the direction of this pair."""
    server = {resource for resource in hot_resources(paths) if resource in paths.fabric.route(source, destination)}
    return min((float(paths.capacity_bps[resource]) for resource in server), default=np.inf)
