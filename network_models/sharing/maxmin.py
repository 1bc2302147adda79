"""Max-min fair rates of flows over any set of links, by progressive filling: the general engine, and the reference
for the fast one.

References
----------
Bertsekas, Gallager, "Data Networks", 2nd ed., 1992, section 6.5.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace

from network_models.sharing.flow import Flow

_INFINITY = float("inf")


def fair_rates(
    routes: Sequence[Sequence[int]],
    capacity: Sequence[float],
    caps: Sequence[float] | None = None,
    counts: Sequence[float] | None = None,
) -> list[float]:
    """Solve for the max-min fair rate of each flow, in O(flows log flows).

    Parameters
    ----------
    routes : sequence of sequence of int
        The resources that each flow uses, at least one with a limit where the flow has no cap.
    capacity : sequence of float
        Bits/s of each resource.
    caps : sequence of float, optional
        What each flow may not exceed whatever is free.
    counts : sequence of float, optional
        How many flows each entry stands for: alike flows are one group with a multiplicity.

    Returns
    -------
    list of float
        The rate of one flow of each entry.

    Notes
    -----
    Repeatedly take the resource with the smallest fair share of what is free and fix its flows at that share, but those
    with a smaller cap first, at their cap. Fixing flows can only raise the share of other resources, so a heap of old
    shares, looked at again when they come up, is enough.
    """
    counts = counts or [1.0] * len(routes)
    users: dict[int, list[int]] = {}
    waiting: dict[int, float] = {}
    for flow, route in enumerate(routes):
        for link in route:
            users.setdefault(link, []).append(flow)
            waiting[link] = waiting.get(link, 0.0) + counts[flow]
    free = {link: capacity[link] for link in users}
    shares = [(free[link] / waiting[link], link) for link in users]
    heapify(shares)
    capped = [] if caps is None else [(cap, flow) for flow, cap in enumerate(caps) if cap < _INFINITY]
    capped.sort(reverse=True)
    rates = [-1.0] * len(routes)

    def fix(flow: int, rate: float) -> None:
        rates[flow] = rate
        for link in routes[flow]:
            free[link] -= rate * counts[flow]
            waiting[link] -= counts[flow]

    while shares or capped:
        share, link = shares[0] if shares else (_INFINITY, -1)
        if capped and capped[-1][0] <= share:
            cap, flow = capped.pop()
            if rates[flow] < 0:
                fix(flow, cap)
        elif not waiting[link]:
            heappop(shares)
        elif free[link] / waiting[link] > share:
            heapreplace(shares, (free[link] / waiting[link], link))
        else:
            heappop(shares)
            for flow in users[link]:
                if rates[flow] < 0:
                    fix(flow, share)
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
