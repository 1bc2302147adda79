"""Flows over any links, solved anew only where a change can be felt.

Flows of the same route and cap always have the same rate: they are one *group* with a multiplicity, and end in the
order of the bits that they have left. When flows come and go, progressive filling up to the level at which the first of
their links is full, before or after the change, runs as it did: slower groups keep their rates. Of the others, only
those are solved anew that are connected with the change.

Groups are numbered 0..G-1 without gaps: the last one takes the number of one that closes. Links have numbers of their
own here, from 1.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.sharing.filling import NOWHERE, fill, reached, unchanged_below
from network_models.sharing.flow import Flow

_INFINITY = float("inf")
_Key = tuple[tuple[int, ...], float]


class Web:
    """A set of flows; `add`, `take`, `recapacitate`, and ask `next_finish`.

    Parameters
    ----------
    capacity_bps : list of float
        Bits/s of each resource of the network, read when one comes into use.

    Attributes
    ----------
    flows : int
        Flows in flight.
    """

    def __init__(self, capacity_bps: list[float]) -> None:
        self.centre, self.due = None, _INFINITY  # see `Clusters`
        self._capacity = capacity_bps
        self._keys: list[_Key] = []
        self._number: dict[_Key, int] = {}
        self._heaps: list[list[tuple[float, int, Flow]]] = []  # of each group: work at which a flow ends, sequence
        self._link: dict[int, int] = {}  # resource -> number here
        self._users: list[int] = [0]  # flows on each link
        self._unused: list[int] = []
        self._changed: dict[int, tuple[float, float]] = {}  # link -> capacity and load that went, since last solved
        self._since, self._next = 0.0, _INFINITY
        self._ends: Floats = np.empty(0)
        self.flows = self._hops = 0
        self._limits: Floats = np.full(8, np.inf)
        self._ways: Integers = np.full((8, 2), NOWHERE)
        self._columns: Floats = np.zeros((6, 8))
        self._name_columns()

    def _name_columns(self) -> None:
        # work: bits that each flow has received since the group opened; target: the work at which the next one ends;
        # before: flows when last solved
        self._counts, self._before, self._caps, self._rates, self._work, self._target = self._columns

    def add(self, now: float, flow: Flow) -> None:
        """Let a flow in."""
        self._move(now)
        key = (flow.route, flow.cap_bps)
        group = self._number.get(key)
        if group is None:
            group = self._open(key)
        target = float(self._work[group]) + flow.bits
        heappush(self._heaps[group], (target, flow.sequence, flow))
        self._target[group] = self._heaps[group][0][0]
        self._counts[group] += 1
        self.flows += 1
        self._hops += len(flow.route)
        for resource in flow.route:
            link = self._link[resource]
            self._users[link] += 1
            self._feel(link)

    def next_finish(self) -> float:
        """When the next flow ends if nothing changes; infinity when there is none."""
        if self._changed:
            self._solve()
        return self._next

    def finish(self, now: float) -> list[Flow]:
        """Take out the flows that end by `now`."""
        ended: list[Flow] = []
        while (time := self.next_finish()) <= now:
            self._move(time)
            for group in np.flatnonzero(self._ends <= time)[::-1].tolist():
                # The flow that set the time has ended exactly, whatever rounding says of the work.
                work = self._work[group] = max(self._work[group], self._target[group])
                heap = self._heaps[group]
                while heap and heap[0][0] <= work:
                    ended.append(self._remove(group))
                if not heap:
                    self._close(group)
            if time == now:
                break
        return ended

    def recapacitate(self, now: float, resources: list[int]) -> None:
        """Read these resources' capacities again."""
        self._move(now)
        for resource in resources:
            if (link := self._link.get(resource)) is not None:
                self._feel(link)
                self._limits[link] = self._capacity[resource]

    def stop(self, now: float) -> list[Flow]:
        """Let go of all flows, each with the bits that it has left at `now`."""
        return self._release(now, range(len(self._keys) - 1, -1, -1))

    def strays(self, now: float, ended: list[Flow]) -> list[Flow]:
        """Let go of flows that only those which `ended` connected with the rest, with the bits that they have left."""
        loose: list[Flow] = []
        seeds = list(dict.fromkeys(link for flow in ended if len(flow.route) > 1 for link in flow.route))
        seeds = [self._link[resource] for resource in seeds if resource in self._link]
        while len(seeds) > 1 and self._keys:
            groups = len(self._keys)
            bulk = reached(self._ways[:groups], np.array(seeds[:1]), len(self._users))
            if bulk.all():
                break
            if 2 * int(bulk.sum()) < groups:
                bulk = ~bulk
            loose += self._release(now, np.flatnonzero(~bulk)[::-1].tolist())
            seeds = [link for link in seeds if self._users[link]]
        return loose

    def radiates(self) -> bool:
        """Whether all flows share one link, which moves, and nothing else in common."""
        if not self.flows or self._hops != len(self._link) + self.flows - 1:
            return False
        hubs = (link for link in self._keys[0][0] if self._users[self._link[link]] == self.flows)
        return any(self._capacity[hub] for hub in hubs)

    def _move(self, now: float) -> None:
        if now != self._since:
            if self._changed:
                self._solve()
            groups = len(self._keys)
            self._work[:groups] += self._rates[:groups] * (now - self._since)
            self._since = now

    def _feel(self, link: int, load: float = 0.0) -> None:
        capacity, gone = self._changed.get(link, (float(self._limits[link]), 0.0))
        self._changed[link] = (capacity, gone + load)

    def _open(self, key: _Key) -> int:
        group, (route, cap) = len(self._keys), key
        if group == len(self._ways):
            self._ways = np.concatenate((self._ways, np.full_like(self._ways, NOWHERE)))
            self._columns = np.concatenate((self._columns, np.zeros_like(self._columns)), axis=1)
            self._name_columns()
        if len(route) > self._ways.shape[1]:
            more = np.full((len(self._ways), len(route) - self._ways.shape[1]), NOWHERE)
            self._ways = np.concatenate((self._ways, more), axis=1)
        self._ways[group] = NOWHERE
        self._ways[group, : len(route)] = [self._number_of(resource) for resource in route]
        self._columns[:, group] = (0.0, 0.0, cap, cap, 0.0, _INFINITY)  # it rises to its cap unless something is full
        self._keys.append(key)
        self._heaps.append([])
        self._number[key] = group
        return group

    def _number_of(self, resource: int) -> int:
        if resource not in self._link:
            link = self._link[resource] = self._unused.pop() if self._unused else len(self._users)
            if link == len(self._users):
                self._users.append(0)
                if link == len(self._limits):
                    self._limits = np.concatenate((self._limits, np.full(link, np.inf)))
            self._limits[link] = self._capacity[resource]
            self._changed[link] = (_INFINITY, 0.0)  # whoever had this number before: nothing was full here
        return self._link[resource]

    def _remove(self, group: int) -> Flow:
        _, _, flow = heappop(self._heaps[group])
        self._counts[group] -= 1
        self._target[group] = self._heaps[group][0][0] if self._heaps[group] else _INFINITY
        self.flows -= 1
        self._hops -= len(flow.route)
        for resource in flow.route:
            link = self._link[resource]
            self._users[link] -= 1
            self._feel(link)
            if not self._users[link]:
                del self._link[resource]
                self._unused.append(link)
        return flow

    def _close(self, group: int) -> None:
        last = len(self._keys) - 1
        if before := float(self._before[group]):
            for link in self._ways[group].tolist():
                if link in self._changed:
                    self._feel(link, before * float(self._rates[group]))
        del self._number[self._keys[group]]
        key, heap = self._keys.pop(), self._heaps.pop()
        if group != last:
            self._keys[group], self._heaps[group], self._number[key] = key, heap, group
            self._ways[group], self._columns[:, group] = self._ways[last], self._columns[:, last]

    def _release(self, now: float, groups: range | list[int]) -> list[Flow]:
        """Let go of whole groups, the highest number first."""
        self._move(now)
        flows = []
        for group in groups:
            work = float(self._work[group])
            while self._heaps[group]:
                target = self._heaps[group][0][0]
                flows.append(self._remove(group))
                flows[-1].bits = max(target - work, 0.0)
            self._close(group)
        return flows

    def _solve(self) -> None:
        groups, links = len(self._keys), len(self._users)
        ways, limits = self._ways[:groups], self._limits[:links]
        counts, before, caps, rates, work, target = self._columns[:, :groups]
        level = 0.0
        if 4 * len(self._changed) < len(self._link):  # few changes: see what they leave as it is
            level = unchanged_below(ways, counts, before, rates, limits, self._changed)
        if level > 0.0:
            felt = reached(ways, np.array(list(self._changed)), links, rates >= level)
            kept = np.repeat(np.where(felt, 0.0, rates * counts), ways.shape[1])
            free = limits - np.bincount(ways.ravel(), kept, links)
            rates[felt] = fill(ways[felt], counts[felt], caps[felt], free)
        else:
            rates[:] = fill(ways, counts, caps, limits)
        before[:] = counts
        self._changed.clear()
        left = np.maximum(target - work, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._ends = self._since + np.where(left > 0.0, left / rates, 0.0)
        self._next = float(self._ends.min()) if groups else _INFINITY
