"""Point-to-point transfers between SimPy processes, as fluid flows that share links max-min fairly.

A transfer first spends the path's latency and then flows at its fair rate; it has drained when its last bit has
arrived. Rates change only when a flow starts or ends, or a trace steps on a link that flows share. Whatever starts or
ends at one instant is settled together, after all else that happens then.
"""

from __future__ import annotations

from collections import Counter, deque
from heapq import heappop, heappush

import numpy as np
import simpy
from simpy.events import EventPriority

from network_models.conditions.varying import Integrated, Stepped, Stranded, integrated, stepped
from network_models.participants import number
from network_models.paths import Paths, hot_resources, never_finishes
from network_models.sharing import Clusters, Flow, Sharing
from network_models.transfer import Message

_AFTER_ALL_ELSE = EventPriority(2)


class FluidNetwork:
    """Carry messages between nodes inside a running SimPy environment.

    Parameters
    ----------
    env : simpy.Environment
        The clock.
    paths : Paths
        The fabric and its transport.
    sharing : Sharing, optional
        The engine that divides the capacities, by default the fast one (`Clusters`).

    Attributes
    ----------
    sent_bytes, received_bytes : list of float, one for each node
        Bytes that have left each node and been delivered to it, the servers last, in reverse (so that `SERVER` indexes
        them).
    carried_bits : ndarray, shape (R,)
        Bits that have passed each resource with a limit.

    Notes
    -----
    Messages on one (source, destination) channel share the links like any others but are delivered in the order in
    which they were handed over. Ties go by sequence number. A wake-up that a later flow made pointless stays in the
    environment's queue, so read the end of a simulation from events (`env.run(until=event)`) or records, not from
    where `env.run()` leaves the clock.
    """

    def __init__(self, env: simpy.Environment, paths: Paths, sharing: Sharing | None = None) -> None:
        self.env, self.paths = env, paths
        fabric = paths.fabric
        self._workers, self._servers = fabric.workers, fabric.servers
        self._sharing: Sharing | Integrated | Stepped
        if sharing is None:
            capacity = paths.capacity_bps.tolist()
            self._sharing = integrated(Clusters(capacity, hot_resources(paths)), capacity, paths.rates)
        else:
            self._sharing = stepped(sharing, paths.capacity_bps.tolist(), paths.rates)
        self._channels: dict[tuple[int, int], deque[Message]] = {}
        self._messages: dict[int, Message] = {}
        self._starting: list[Flow] = []
        self._wakes: list[float] = []  # times at which a wake-up is scheduled; the first is the next to come
        self._due = float("inf")  # when the next flow drains
        self._transfers = 0
        self._opens: dict[tuple[int, int], float] = {}  # when the last message of each channel can begin to flow
        self._bound_for: Counter[int] = Counter()
        self._behind: set[int] = set()  # messages that wait for the earlier ones of their channel
        self._held: dict[int, Flow] = {}
        self._costs: dict[tuple[int, int], tuple[tuple[int, ...], float, float, float]] = {}
        self.sent_bytes = [0.0] * (self._workers + self._servers)
        self.received_bytes = [0.0] * (self._workers + self._servers)
        self.carried_bits = np.zeros(len(paths.capacity_bps))

    def transfer(
        self, source: int, destination: int, size_bytes: float, key: int | None = None, behind: bool = False
    ) -> simpy.Event:
        """Send a message now.

        Parameters
        ----------
        source, destination : int
            Two different nodes, each a worker's number or a server's (`SERVER` is -1).
        size_bytes : float
            At least 0; a schedule's segments may be fractions of a byte.
        key : int, optional
            Number of the message's draws, where its latency is random; by default its sequence number.
        behind : bool
            Whether it flows only when the earlier messages of its channel have drained, as on one connection.

        Returns
        -------
        simpy.Event
            Succeeds when the message is delivered; its value is the `Transfer`.

        Raises
        ------
        ValueError
            If a node does not exist, both are the same, there is no way, or the size is negative or not finite.
        """
        for end, node in (("source", source), ("destination", destination)):
            if not -self._servers <= node < self._workers:
                servers = " or SERVER (-1)" if self._servers else " (this topology has no server)"
                raise ValueError(f"{end}: expected a worker in 0..{self._workers - 1}{servers}, got {node}")
        if source == destination:
            raise ValueError(f"destination: expected another node than the source, got {destination} for both")
        size = number("size_bytes", size_bytes)
        route, latency, cap, alone_bps = self._cost(source, destination, self._transfers if key is None else key)
        channel = self._channels.setdefault((source, destination), deque())
        delay = latency + self._stall_s(source, destination, size, latency, bool(channel))
        times = (self.env.now, latency, self._transfers, self._alone_s(source, destination, size, delay, alone_bps))
        message = Message(source, destination, size, *times, self.env.event())
        self._transfers += 1
        self._messages[message.sequence] = message
        self._bound_for[destination] += size > 0
        self.paths.regime.meet(source, destination, self._bound_for[destination], size)
        flow = Flow(message.sequence, route, float(self.paths.bits(size)), cap)
        if behind:
            self._behind.add(message.sequence)
        channel.append(message)
        if delay > 0:
            self.env.timeout(delay, flow).callbacks.append(self._begin_after_latency)
        else:
            self._begin(flow)
        return message.delivered

    def _cost(self, source: int, destination: int, key: int) -> tuple[tuple[int, ...], float, float, float]:
        """Route, latency (jitter included) and ceiling of a message, and its rate when it is alone."""
        known = self._costs.get((source, destination))
        if known is None or self.paths.jitter is not None:
            route = self.paths.fabric.route(source, destination)
            latency = float(self.paths.latency_s(source, destination, key))
            cap = float(self.paths.ceiling_bps(source, destination))
            alone_bps = min([cap, *(float(self.paths.capacity_bps[link]) for link in route)])
            self._costs[source, destination] = known = (route, latency, cap, alone_bps)
        return known

    def _alone_s(self, source: int, destination: int, size_bytes: float, delay_s: float, rate_bps: float) -> float:
        """How long a message that begins now takes alone on its path, after `delay_s`."""
        if not self.paths.fabric.rates:
            return delay_s + float(self.paths.bits(size_bytes)) / rate_bps
        flows = np.array([self.env.now + delay_s])
        arrived = self.paths.arrival_s(np.array([source]), np.array([destination]), flows, np.array([size_bytes]))
        return float(arrived[0]) - self.env.now

    def _stall_s(self, source: int, destination: int, size_bytes: float, latency_s: float, follows: bool) -> float:
        """Set-up and slow start; where it follows a message that is on its way, only until that one flows."""
        if not self.paths.transport.remembers:
            return 0.0
        now = self.env.now
        if follows:
            stall = max(self._opens[source, destination] - now - latency_s, 0.0)
        else:
            ends = np.array([source]), np.array([destination])
            stall = float(self.paths.stall_s(*ends, np.array([now]), np.array([size_bytes]))[0])
        self._opens[source, destination] = now + latency_s + stall
        return stall

    def _begin_after_latency(self, event: simpy.Event) -> None:
        flow: Flow = event.value  # type: ignore[assignment]  # events carry any value
        self._begin(flow)

    def _begin(self, flow: Flow) -> None:
        if flow.sequence in self._behind:
            message = self._messages[flow.sequence]
            if self._channels[message.source, message.destination][0] is not message:
                self._held[flow.sequence] = flow
                return
        if flow.bits and not flow.route:  # no link limits it, so only its own ceiling does
            bits, flow.bits = flow.bits, 0.0
            if flow.cap_bps < float("inf"):
                self.env.timeout(bits / flow.cap_bps, flow).callbacks.append(self._begin_after_latency)
                return
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
        try:
            drained = self._sharing.finish(now) if now >= self._due else []
            if self._starting:
                drained += [flow for flow in self._starting if not flow.bits]
                self._sharing.start(now, [flow for flow in self._starting if flow.bits])
                self._starting = []
        except Stranded as stranded:
            message = self._messages[stranded.flow.sequence]
            raise ValueError(never_finishes(self.paths, message.source, message.destination, now)) from None
        if len(drained) > 1:
            drained.sort(key=lambda flow: flow.sequence)
        for flow in drained:
            self._deliver(self._messages.pop(flow.sequence), now, flow)
        self._due = self._sharing.next_finish()
        if self._due < float("inf"):
            self._wake_at(self._due)

    def _deliver(self, message: Message, now: float, flow: Flow) -> None:
        """Mark a message as drained, and hand over all that wait for no earlier one of their channel."""
        message.drained_s = now
        self._bound_for[message.destination] -= message.size_bytes > 0
        if self.paths.transport.remembers:
            ends = np.array([message.source]), np.array([message.destination])
            self.paths.used(*ends, np.array([now]))
        for link in flow.route:
            self.carried_bits[link] += flow.size_bits
        self.sent_bytes[message.source] += message.size_bytes
        key = (message.source, message.destination)
        channel = self._channels[key]
        while channel and (first := channel[0]).drained_s is not None:
            channel.popleft()
            self.received_bytes[first.destination] += first.size_bytes
            first.delivered.succeed(first.record(now))
        if not channel:
            del self._channels[key]
        elif (held := self._held.pop(channel[0].sequence, None)) is not None:
            self._begin(held)


class _Wake(simpy.Event):
    """A bare event at an absolute time, processed after everything else that happens then."""

    def __init__(self, env: simpy.Environment, time: float) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, _AFTER_ALL_ELSE, max(time - env.now, 0.0))
