"""Exact max-min sharing of one hot link by flows that each have a cap of their own (water filling), O(log n) per
event.

Every flow runs at min(cap, level), where the water level solves: sum of the rates = capacity, or is unbounded when
all caps fit. Flows below the level are *claiming* (they run at their cap, so their end is a fixed time); the others
are *sharing* (all at the level, so their end is a fixed amount of work per flow). A change of the level moves flows
between the two; four heaps find the next to end and the next to move in each. An arrival lowers the level, so it can
only turn claiming flows into sharing ones; after that the level only rises, and turns sharing flows into claiming
ones: one pass each way, never a cycle.

References
----------
Bertsekas, Gallager, "Data Networks", 2nd ed., 1992, section 6.5.2 (max-min fair flow control, here with one shared
link).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

_INFINITY = float("inf")


class _Flow:
    """A flow, or `count` identical ones; `end` is work per flow while sharing and a time while claiming."""

    __slots__ = ("cap", "claiming", "count", "end", "key", "stamp")

    def __init__(self, key: int, cap: float, count: int, end: float) -> None:
        self.key, self.cap, self.count, self.end, self.claiming, self.stamp = key, cap, count, end, False, 0

    def __lt__(self, other: object) -> bool:
        """Only entries of one key meet here, removed and added again: all but the last are stale, in any order."""
        return False


_Heap = list[tuple[float, int, int, _Flow]]  # value, key, stamp, flow: stale once the flow's stamp is another


class HotLink:
    """One link that many flows share, driven from outside: `add`, ask `next_finish`, then `pop` what ends there.

    Parameters
    ----------
    capacity_bps : float
        Rate of the shared link in bits/s, finite.
    """

    def __init__(self, capacity_bps: float) -> None:
        self.capacity = capacity_bps
        self._flows: dict[int, _Flow] = {}
        self._now = 0.0
        self._level = _INFINITY
        self._work = 0.0  # what one sharing flow has received since the count of work last began
        self._sharing = 0
        self._claiming = 0
        self._claimed = 0.0
        self._by_work: _Heap = []
        self._by_cap: _Heap = []
        self._by_time: _Heap = []
        self._by_claim: _Heap = []
        self._next = _INFINITY
        self._next_is_sharing = False
        self._settled = True
        self._stale = 0

    def __len__(self) -> int:
        return len(self._flows)

    def add(self, now: float, key: int, bits: float, cap_bps: float, count: int = 1) -> None:
        """Start a flow of `bits` at `now` under a number of its own, or `count` identical ones under one number."""
        if now != self._now:
            self._advance(now)
        flow = self._flows[key] = _Flow(key, cap_bps, count, self._work + bits)
        self._sharing += count
        heappush(self._by_work, (flow.end, key, 0, flow))
        if cap_bps < self.capacity:
            heappush(self._by_cap, (cap_bps, key, 0, flow))
        self._settled = False

    def next_finish(self) -> float:
        """Return the time at which the next flow ends if nothing else starts; infinity when there is none."""
        if not self._settled:
            self._settle()
        return self._next

    def pop(self) -> list[int]:
        """Move to the time of `next_finish` and return the numbers of the flows that end there."""
        time = self.next_finish()
        if self._next_is_sharing:
            # The flow that set the time has ended exactly, whatever rounding says of its work.
            self._now, self._work = time, max(self._work, self._by_work[0][0])
        else:
            self._advance(time)
        ended = []
        while _top(self._by_time) <= time:
            flow = heappop(self._by_time)[3]
            self._claiming -= flow.count
            self._claimed -= flow.cap * flow.count
            ended.append(self._forget(flow))
        while _top(self._by_work) <= self._work:
            flow = heappop(self._by_work)[3]
            self._sharing -= flow.count
            ended.append(self._forget(flow))
        self._settled = False
        if self._stale > 4 * len(self._flows) + 64:
            self._compact()
        return ended

    def drain(self, now: float) -> dict[int, float]:
        """Stop here: the bits that each flow still has to send at `now`."""
        self._advance(now)
        return {key: self._left(flow) for key, flow in self._flows.items()}

    def remove(self, now: float, key: int) -> float:
        """Take a flow out before its end, at `now`: the bits that it still has to send."""
        self._advance(now)
        flow = self._flows[key]
        left = self._left(flow)
        if flow.claiming:
            self._claiming -= flow.count
            self._claimed -= flow.cap * flow.count
        else:
            self._sharing -= flow.count
        self._forget(flow)
        self._settled = False
        if self._stale > 4 * len(self._flows) + 64:
            self._compact()
        return left

    def _left(self, flow: _Flow) -> float:
        return max((flow.end - self._now) * flow.cap if flow.claiming else flow.end - self._work, 0.0)

    def _forget(self, flow: _Flow) -> int:
        flow.stamp = -1
        self._stale += 1
        del self._flows[flow.key]
        return flow.key

    def _advance(self, now: float) -> None:
        if not self._settled:
            self._settle()
        if self._sharing:
            self._work += (now - self._now) * self._level
        self._now = now

    def _settle(self) -> None:
        """Find the level, moving to and fro the flows whose cap it passed."""
        self._settled = True
        now = self._now
        if not self._claiming:
            self._claimed = 0.0  # not what rounding left of it
        by_claim, by_cap, level = self._by_claim, self._by_cap, self._free_level()
        while by_claim and -by_claim[0][0] > level:
            _, _, stamp, flow = heappop(by_claim)
            if flow.stamp != stamp:
                continue
            flow.claiming, flow.stamp, flow.end = False, flow.stamp + 1, self._work + (flow.end - now) * flow.cap
            self._claiming -= flow.count
            self._claimed -= flow.cap * flow.count
            self._sharing += flow.count
            self._stale += 1
            heappush(self._by_work, (flow.end, flow.key, flow.stamp, flow))
            heappush(by_cap, (flow.cap, flow.key, flow.stamp, flow))
            level = self._free_level()
        while by_cap and by_cap[0][0] < level:
            _, _, stamp, flow = heappop(by_cap)
            if flow.stamp != stamp:
                continue
            flow.claiming, flow.stamp, flow.end = True, flow.stamp + 1, now + (flow.end - self._work) / flow.cap
            self._claiming += flow.count
            self._claimed += flow.cap * flow.count
            self._sharing -= flow.count
            self._stale += 1
            heappush(self._by_time, (flow.end, flow.key, flow.stamp, flow))
            heappush(by_claim, (-flow.cap, flow.key, flow.stamp, flow))
            level = self._free_level()
        if not self._sharing:
            self._work = 0.0  # nobody's end is measured in work: begin anew, which keeps the count precise
            self._by_work.clear()
            by_cap.clear()
        self._level = level
        self._next, self._next_is_sharing = _top(self._by_time), False
        if self._sharing:
            ahead = _top(self._by_work) - self._work
            end = now + ahead / level if ahead > 0.0 else now
            if end <= self._next:
                self._next, self._next_is_sharing = end, True

    def _free_level(self) -> float:
        return (self.capacity - self._claimed) / self._sharing if self._sharing else _INFINITY

    def _compact(self) -> None:
        """Drop stale entries that would never come to the top: a long run needs no more memory than its flows."""
        for heap in (self._by_work, self._by_cap, self._by_time, self._by_claim):
            heap[:] = [entry for entry in heap if entry[3].stamp == entry[2]]
            heapify(heap)
        self._stale = 0


def _top(heap: _Heap) -> float:
    """The smallest value of a heap after dropping what is stale; infinity when empty."""
    while heap:
        entry = heap[0]
        if entry[3].stamp == entry[2]:
            return entry[0]
        heappop(heap)
    return _INFINITY
