"""Max-min fair rates of flows over any set of links, by progressive filling: the general engine, and the reference
for the fast one.

References
----------
Bertsekas, Gallager, "Data Networks", 2nd ed., 1992, section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from network_models.sharing.flow import Flow


def fair_rates(
    routes: Sequence[tuple[int, ...]], capacity: Sequence[float], caps: Sequence[float] | None = None
) -> list[float]:
    """Solve for the max-min fair rate of each flow, in O(flows log links).

    Parameters
    ----------
    routes : sequence of tuple of int
        The resources that each flow uses, at least one.
    capacity : sequence of float
        Bits/s of each resource, finite.
    caps : sequence of float, optional
        What each flow may not exceed whatever is free.

    Returns
    -------
    list of float

    Notes
    -----
    Repeatedly take the resource with the smallest fair share of what is free and fix its flows at that share. Fixing
    flows can only raise the share of other resources, so a heap of old shares, looked at again when they come up, is
    enough. A cap is one more resource, which nobody else uses.
    """
    if caps is not None and min(caps, default=float("inf")) < float("inf"):
        capped = [flow for flow, cap in enumerate(caps) if cap < float("inf")]
        private = {flow: len(capacity) + number for number, flow in enumerate(capped)}
        routes = [(*route, private[flow]) if flow in private else route for flow, route in enumerate(routes)]
        capacity = [*capacity, *(caps[flow] for flow in capped)]
    users: dict[int, list[int]] = {}
    for flow, route in enumerate(routes):
        for link in route:
            users.setdefault(link, []).append(flow)
    free = {link: capacity[link] for link in users}
    waiting = {link: len(flows) for link, flows in users.items()}
    shares = [(free[link] / waiting[link], link) for link in users]
    heapify(shares)
    rates = [-1.0] * len(routes)
    while shares:
        share, link = heappop(shares)
        if not waiting[link]:
            continue
        if free[link] / waiting[link] > share:
            heappush(shares, (free[link] / waiting[link], link))
            continue
        for flow in users[link]:
            if rates[flow] < 0:
                rates[flow] = share
                for other in routes[flow]:
                    free[other] -= share
                    waiting[other] -= 1
    return rates


class MaxMinSharing:
    """Share by solving for all flows anew whenever one starts or ends.

    Parameters
    ----------
    capacity_bps : sequence of float
        Bits/s of each resource.
    """

    def __init__(self, capacity_bps: Sequence[float]) -> None:
        self._capacity = list(capacity_bps)
        self._solver = Solved(self._capacity)

    def start(self, now: float, flows: list[Flow]) -> None:
        """See `Sharing`."""
        if flows:
            self._solver.solve(now, self._solver.stop(now) + flows)

    def next_finish(self) -> float:
        """See `Sharing`."""
        return self._solver.next_finish

    def finish(self, now: float) -> list[Flow]:
        """See `Sharing`."""
        if self._solver.next_finish > now:
            return []
        ended = self._solver.finish(now)
        self._solver.solve(now, self._solver.stop(now))
        return ended

    def recapacitate(self, now: float, capacity: dict[int, float]) -> None:
        """See `Sharing`."""
        flows = self._solver.stop(now)
        for link, rate in capacity.items():
            self._capacity[link] = rate
        self._solver.solve(now, flows)


class Solved:
    """A set of flows with their rates, valid until one starts or ends."""

    def __init__(self, capacity: Sequence[float]) -> None:
        self._capacity = capacity
        self._since = 0.0
        self._ends: list[tuple[float, Flow]] = []
        self.next_finish = float("inf")

    def solve(self, now: float, flows: list[Flow]) -> None:
        """Hold these flows from `now` on."""
        self._since = now
        rates = fair_rates([flow.route for flow in flows], self._capacity, [flow.cap_bps for flow in flows])
        for flow, rate in zip(flows, rates, strict=True):
            flow.rate = rate
        self._ends = [(now + flow.bits / flow.rate if flow.rate else float("inf"), flow) for flow in flows]
        self.next_finish = min((end for end, _ in self._ends), default=float("inf"))

    def finish(self, now: float) -> list[Flow]:
        """Take out the flows that end by `now`."""
        ended = [flow for end, flow in self._ends if end <= now]
        self._ends = [(end, flow) for end, flow in self._ends if end > now]
        return ended

    def stop(self, now: float) -> list[Flow]:
        """Let go of the flows, each with the bits that it has left at `now`."""
        flows = [flow for _, flow in self._ends]
        for flow in flows:
            flow.bits = max(flow.bits - flow.rate * (now - self._since), 0.0)
        self._ends, self.next_finish = [], float("inf")
        return flows
