"""Sharing links whose capacity changes in time: two layers around a `Sharing` of constant capacities.

`Stepped` tells the engine inside of each change of a link in use, one event per change. `Integrated`, around it, keeps
to itself what nobody hinders (a flow that is alone on every link that could limit it) and finds its end from the
trace's integral, without events; whoever gets company goes on inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

from network_models.conditions.alone import Way, Ways
from network_models.conditions.trace import Trace
from network_models.sharing.flow import Flow, Sharing

_INFINITY = float("inf")


class Stranded(Exception):
    """A flow can never finish: nothing will ever pass its links again."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(f"flow {flow.sequence} can never finish")
        self.flow = flow


class Stepped:
    """Change the capacities of the links in use when their traces do; see `Sharing` for the methods.

    `next_finish` may be the time of a change, at which `finish` finds no flow.

    Parameters
    ----------
    inner : Sharing
    ways : Ways
        The capacities and their traces.
    """

    def __init__(self, inner: Sharing, ways: Ways) -> None:
        self._inner, self._rates, self._ways = inner, ways.rates, ways
        self._users: dict[int, dict[int, Flow]] = {}
        self._due: dict[int, float] = {}
        self._queue: list[tuple[float, int]] = []

    def start(self, now: float, flows: list[Flow]) -> None:
        """See `Sharing`."""
        fresh = []
        for flow in flows:
            varying = [link for link in flow.route if link in self._rates]
            if varying and self._ways.along(flow.route, flow.cap_bps).finish(now, flow.bits) == _INFINITY:
                raise Stranded(flow)
            for link in varying:
                if link not in self._users:
                    self._users[link] = {}
                    fresh.append(link)
                self._users[link][flow.sequence] = flow
        self._change(now, fresh)
        self._inner.start(now, flows)

    def next_finish(self) -> float:
        """See `Sharing`."""
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heappop(self._queue)
        return min(self._inner.next_finish(), self._queue[0][0] if self._queue else _INFINITY)

    def finish(self, now: float) -> list[Flow]:
        """See `Sharing`."""
        # What is left over by rounding only must not wait for the end of an outage that begins now.
        slack = 1e-11 * abs(now) + 1e-12 if self._queue and self._queue[0][0] <= now else 0.0
        ended = self._inner.finish(now + slack)
        for flow in ended:
            for link in flow.route:
                if link in self._users:
                    del self._users[link][flow.sequence]
                    if not self._users[link]:
                        del self._users[link], self._due[link]
        changed = []
        while self._queue and self._queue[0][0] <= now:
            time, link = heappop(self._queue)
            if self._due.get(link) == time:
                changed.append(link)
        self._change(now, changed)
        return ended

    def _change(self, now: float, links: list[int]) -> None:
        for link in links:
            if self._dead(link, now):
                raise Stranded(next(iter(self._users[link].values())))
            self._due[link] = self._rates[link].next_change(now)
            if self._due[link] < _INFINITY:
                heappush(self._queue, (self._due[link], link))
        if links:
            self._inner.recapacitate(now, {link: self._rates[link].at(now) for link in links})

    def _dead(self, link: int, now: float) -> bool:
        rate = self._rates[link]
        return rate.steps.ends_at_zero and rate.next_change(now) == _INFINITY


class Integrated:
    """Integrate the rate of flows that nobody hinders, and leave the others to `Stepped`; see `Sharing`.

    A link hinders nobody when it has one user, or when the peak rates of all its users fit into its constant capacity.

    Parameters
    ----------
    stepped : Stepped
    ways : Ways
        The capacities and their traces.
    capacity_bps : sequence of float
        Bits/s of each resource; of one that changes, the largest.
    """

    def __init__(self, stepped: Stepped, ways: Ways, capacity_bps: Sequence[float]) -> None:
        self._stepped, self._ways, self._capacity = stepped, ways, list(capacity_bps)
        self._users: dict[int, dict[int, Flow]] = {}
        self._load: dict[int, float] = {}  # sum of the users' peak rates
        self._free: dict[int, tuple[Flow, Way, float]] = {}
        self._ends: list[tuple[float, int]] = []

    def start(self, now: float, flows: list[Flow]) -> None:
        """See `Sharing`."""
        for flow in flows:
            peak = self._ways.along(flow.route, flow.cap_bps).peak_bps
            for link in flow.route:
                self._users.setdefault(link, {})[flow.sequence] = flow
                self._load[link] = self._load.get(link, 0.0) + peak
        crowded = {link for flow in flows for link in flow.route if self._crowded(link)}
        hindered = self._release(now, crowded)
        for flow in flows:
            if crowded.isdisjoint(flow.route):
                way = self._ways.along(flow.route, flow.cap_bps)
                if (end := way.finish(now, flow.bits)) == _INFINITY:
                    raise Stranded(flow)
                self._free[flow.sequence] = flow, way, now
                heappush(self._ends, (end, flow.sequence))
            else:
                hindered.append(flow)
        if hindered:
            self._stepped.start(now, hindered)

    def next_finish(self) -> float:
        """See `Sharing`."""
        while self._ends and self._ends[0][1] not in self._free:
            heappop(self._ends)
        return min(self._stepped.next_finish(), self._ends[0][0] if self._ends else _INFINITY)

    def finish(self, now: float) -> list[Flow]:
        """See `Sharing`."""
        ended = self._stepped.finish(now)
        while self._ends and self._ends[0][0] <= now:
            known = self._free.pop(heappop(self._ends)[1], None)
            ended += [] if known is None else [known[0]]
        for flow in ended:
            peak = self._ways.along(flow.route, flow.cap_bps).peak_bps
            for link in flow.route:
                del self._users[link][flow.sequence]
                self._load[link] -= peak
                if not self._users[link]:
                    del self._users[link], self._load[link]
        return ended

    def _crowded(self, link: int) -> bool:
        roomy = link not in self._ways.rates and self._load[link] <= self._capacity[link] * (1 - 1e-9)
        return len(self._users[link]) > 1 and not roomy

    def _release(self, now: float, crowded: set[int]) -> list[Flow]:
        """Give up the free flows on these links, each with what it has left."""
        released = []
        for sequence in sorted(
            {sequence for link in crowded for sequence in self._users[link] if sequence in self._free}
        ):
            flow, way, since = self._free[sequence]
            left = flow.bits - way.bits(since, now)
            if left > 1e-11 * flow.bits:  # else it ends now but for rounding
                del self._free[sequence]
                flow.bits = left
                released.append(flow)
        return released


def stepped(inner: Sharing, capacity_bps: Sequence[float], rates: Mapping[int, Trace]) -> Sharing | Stepped:
    """Put the first layer around an engine, if any capacity changes."""
    return Stepped(inner, Ways(capacity_bps, rates)) if rates else inner


def integrated(inner: Sharing, capacity_bps: Sequence[float], rates: Mapping[int, Trace]) -> Sharing | Integrated:
    """Put both layers around an engine, if any capacity changes."""
    ways = Ways(capacity_bps, rates)
    return Integrated(Stepped(inner, ways), ways, capacity_bps) if rates else inner
