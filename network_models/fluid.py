"""Point-to-point transfers between SimPy processes, as fluid flows that share the star's links max-min fairly.

A transfer first spends the path's latency and then flows at its fair rate; it has drained when its last bit has
arrived. Rates change only when a flow starts or ends. Whatever starts or ends at one instant is settled together,
after all else that happens then.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Protocol

import simpy
from simpy.events import EventPriority

from network_models.clusters import Clusters
from network_models.links import Links
from network_models.participants import number
from network_models.sharing import Flow, Sharing
from network_models.transfer import Message

_AFTER_ALL_ELSE = EventPriority(2)


class HasLinks(Protocol):
    """A topology: for this network, the links of its nodes."""

    @property
    def links(self) -> Links:
        """The links of all nodes."""


class FluidNetwork:
    """Carry messages between the nodes of a star inside a running SimPy environment.

    Parameters
    ----------
    env : simpy.Environment
        The clock.
    star : Star
        The topology; only its `links` are used.
    sharing : Sharing, optional
        The engine that divides the capacities, by default the fast one (`Clusters`).

    Attributes
    ----------
    sent_bytes, received_bytes : list of float, length n + 1
        Bytes that have left each node and been delivered to it, the server last (so that `SERVER` indexes it).

    Notes
    -----
    Messages on one (source, destination) channel share the links like any others but are delivered in the order in
    which they were handed over. Ties go by sequence number. A wake-up that a later flow made pointless stays in the
    environment's queue, so read the end of a simulation from events (`env.run(until=event)`) or records, not from
    where `env.run()` leaves the clock.
    """

    def __init__(self, env: simpy.Environment, star: HasLinks, sharing: Sharing | None = None) -> None:
        self.env = env
        self._links = star.links
        self._nodes = self._links.workers + 1
        self._up = self._links.up_bps.tolist()
        self._down = self._links.down_bps.tolist()
        self._latency = self._links.latency_s.tolist()
        self._sharing: Sharing = Clusters(self._links) if sharing is None else sharing
        self._channels: dict[tuple[int, int], deque[Message]] = {}
        self._messages: dict[int, Message] = {}
        self._starting: list[Flow] = []
        self._wakes: list[float] = []  # times at which a wake-up is scheduled; the first is the next to come
        self._transfers = 0
        self.sent_bytes = [0.0] * self._nodes
        self.received_bytes = [0.0] * self._nodes

    def transfer(self, source: int, destination: int, size_bytes: float) -> simpy.Event:
        """Send a message now.

        Parameters
        ----------
        source, destination : int
            Two different nodes, each a worker's number or `SERVER`.
        size_bytes : float
            At least 0; a schedule's segments may be fractions of a byte.

        Returns
        -------
        simpy.Event
            Succeeds when the message is delivered; its value is the `Transfer`.

        Raises
        ------
        ValueError
            If a node does not exist, both are the same, or the size is negative or not finite.
        """
        for key, node in (("source", source), ("destination", destination)):
            if not -1 <= node < self._nodes - 1:
                raise ValueError(f"{key}: expected a worker in 0..{self._nodes - 2} or SERVER (-1), got {node}")
        if source == destination:
            raise ValueError(f"destination: expected another node than the source, got {destination} for both")
        size = number("size_bytes", size_bytes)
        latency = self._latency[source] + self._latency[destination]
        message = Message(source, destination, size, self.env.now, latency, self._transfers, self.env.event())
        self._transfers += 1
        self._messages[message.sequence] = message
        self._channels.setdefault((source, destination), deque()).append(message)
        flow = Flow(message.sequence, self._route(source, destination), 8.0 * size)
        if latency > 0:
            self.env.timeout(latency, flow).callbacks.append(self._begin_after_latency)
        else:
            self._begin(flow)
        return message.delivered

    def _route(self, source: int, destination: int) -> tuple[int, ...]:
        """The resources of a path that have a limit."""
        up = (source % self._nodes,) if self._up[source] < float("inf") else ()
        down = (self._nodes + destination % self._nodes,) if self._down[destination] < float("inf") else ()
        return up + down

    def _begin_after_latency(self, event: simpy.Event) -> None:
        flow: Flow = event.value  # type: ignore[assignment]  # events carry any value
        self._begin(flow)

    def _begin(self, flow: Flow) -> None:
        self._starting.append(flow)
        self._wake_at(self.env.now)

    def _wake_at(self, time: float) -> None:
        if not self._wakes or time < self._wakes[0]:
            heappush(self._wakes, time)
            _Wake(self.env, time).callbacks.append(self._settle)

    def _settle(self, event: simpy.Event) -> None:
        """Take out the flows that have drained, let in those that start, and sleep until the next one drains."""
        heappop(self._wakes)
        now = self.env.now
        drained = self._sharing.finish(now)
        if self._starting:
            drained += [flow for flow in self._starting if not (flow.bits and flow.route)]
            self._sharing.start(now, [flow for flow in self._starting if flow.bits and flow.route])
            self._starting = []
        for flow in sorted(drained, key=lambda flow: flow.sequence):
            self._deliver(self._messages.pop(flow.sequence), now)
        if (time := self._sharing.next_finish()) < float("inf"):
            self._wake_at(time)

    def _deliver(self, message: Message, now: float) -> None:
        """Mark a message as drained, and hand over all that wait for no earlier one of their channel."""
        message.drained_s = now
        self.sent_bytes[message.source] += message.size_bytes
        key = (message.source, message.destination)
        channel = self._channels[key]
        while channel and (first := channel[0]).drained_s is not None:
            channel.popleft()
            self.received_bytes[first.destination] += first.size_bytes
            first.delivered.succeed(first.record(now))
        if not channel:
            del self._channels[key]


class _Wake(simpy.Event):
    """A bare event at an absolute time, processed after everything else that happens then."""

    def __init__(self, env: simpy.Environment, time: float) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, _AFTER_ALL_ELSE, max(time - env.now, 0.0))
