"""The fast sharing engine: flows that meet on no link are kept apart, and a cluster around one hot link costs O(log
n) per event.

A cluster is a connected set of flows (two flows are connected when they use the same link). Where all flows of a
cluster use one link, its *centre*, and nothing else in common, every other link is a private cap and `HotLink` shares
the centre: a parameter server with a thousand pushes in flight, a fan-out, one flow alone. Any other cluster is a
`Web`, in which a change is solved where it is felt. Flows join and leave a cluster; it is only taken apart when it
falls into several, or when a web has become a star or the reverse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from heapq import heappop, heappush

from network_models.sharing.flow import Flow
from network_models.sharing.hot_link import HotLink
from network_models.sharing.web import Web

_INFINITY = float("inf")
_DISSOLVED = -_INFINITY  # a due time that no entry of the queue has


class _Star:
    """Flows that share their centre only; those whose own links stand still are set aside."""

    def __init__(self, capacity: list[float], centre: int) -> None:
        self.centre, self.due = centre, _INFINITY
        self._capacity = capacity
        self._link = HotLink(capacity[centre])
        self._flows: dict[int, Flow] = {}
        self._still: set[int] = set()
        self._users: dict[int, Flow] = {}  # of links other than the centre: one each

    def add(self, now: float, flow: Flow) -> None:
        cap = flow.cap_bps
        for link in flow.route:
            if link != self.centre:
                self._users[link] = flow
            if self._capacity[link] < cap:
                cap = self._capacity[link]
        self._flows[flow.sequence] = flow
        if cap:
            self._link.add(now, flow.sequence, flow.bits, cap)
        else:
            self._still.add(flow.sequence)

    def recap(self, now: float, link: int) -> None:
        """Hear that the capacity of a link other than the centre has changed."""
        flow = self._users[link]
        if flow.sequence in self._still:
            self._still.remove(flow.sequence)
        else:
            flow.bits = self._link.remove(now, flow.sequence)
        self.add(now, flow)

    def next_finish(self) -> float:
        return self._link.next_finish()

    def finish(self, now: float) -> list[Flow]:
        ended = []
        while self._link.next_finish() <= now:
            ended += [self._flows.pop(sequence) for sequence in self._link.pop()]
        for flow in ended:
            for link in flow.route:
                self._users.pop(link, None)
        return ended

    def stop(self, now: float) -> list[Flow]:
        for sequence, bits in self._link.drain(now).items():
            self._flows[sequence].bits = bits
        return list(self._flows.values())


class Clusters:
    """Share the links max-min fairly, cluster by cluster; see `Sharing` for the methods.

    Parameters
    ----------
    capacity_bps : sequence of float
        Bits/s of each resource.
    hot : collection of int
        Resources that many flows will meet at (a server's), the centre of a flow that is alone.
    """

    def __init__(self, capacity_bps: Sequence[float], hot: Collection[int] = ()) -> None:
        self._capacity = list(capacity_bps)
        self._hot = frozenset(hot)
        self._users: dict[int, int] = {}
        self._of: dict[int, _Star | Web | None] = {}  # link in use -> cluster; None: to be regrouped
        self._queue: list[tuple[float, int, _Star | Web]] = []
        self._pushes = 0
        self._touched: dict[int, _Star | Web] = {}  # clusters whose next end is to be asked anew

    def start(self, now: float, flows: list[Flow]) -> None:
        """See `Sharing`."""
        loose: list[Flow] = []
        for flow in flows:
            star = self._joinable(flow)
            if star is None:
                for link in flow.route:
                    cluster = self._of.get(link)
                    if isinstance(cluster, _Star):
                        loose += self._dissolve(cluster, now)
                    if not isinstance(cluster, Web):
                        self._of[link] = None
                loose.append(flow)
            else:
                for link in flow.route:
                    self._of[link] = star
                star.add(now, flow)
                self._touch(star)
            for link in flow.route:
                self._users[link] = self._users.get(link, 0) + 1
        self._regroup(now, loose)

    def next_finish(self) -> float:
        """See `Sharing`."""
        if self._touched:
            for cluster in self._touched.values():
                if cluster.due != _DISSOLVED and (due := cluster.next_finish()) != cluster.due:
                    cluster.due = due
                    if due < _INFINITY:
                        self._pushes += 1
                        heappush(self._queue, (due, self._pushes, cluster))
            self._touched.clear()
        queue = self._queue
        while queue and queue[0][2].due != queue[0][0]:
            heappop(queue)
        return queue[0][0] if queue else _INFINITY

    def finish(self, now: float) -> list[Flow]:
        """See `Sharing`."""
        ended, due = [], []
        while self.next_finish() <= now:
            due.append(heappop(self._queue)[2])
        for cluster in due:
            cluster.due = _INFINITY
            gone = cluster.finish(now)
            ended += gone
            for flow in gone:
                for link in flow.route:
                    self._users[link] -= 1
                    if not self._users[link]:
                        del self._users[link], self._of[link]
            if isinstance(cluster, Web):
                self._tidy(cluster, now, gone)
            self._touch(cluster)
        return ended

    def recapacitate(self, now: float, capacity: dict[int, float]) -> None:
        """See `Sharing`."""
        loose: list[Flow] = []
        webs: dict[int, Web] = {}
        for link, rate in capacity.items():
            cluster = self._of.get(link)
            if isinstance(cluster, Web):
                webs[id(cluster)] = cluster
            elif cluster is not None and link == cluster.centre:
                loose += self._dissolve(cluster, now)
            self._capacity[link] = rate
            if isinstance(cluster, _Star) and link != cluster.centre:
                cluster.recap(now, link)
                self._touch(cluster)
        self._regroup(now, loose)
        for web in webs.values():
            web.recapacitate(now, list(capacity))
            self._tidy(web, now, [])
            self._touch(web)

    def _joinable(self, flow: Flow) -> _Star | None:
        """The star that stays one when this flow joins; a new one where the flow meets nobody."""
        taken = [link for link in flow.route if link in self._of]
        if not taken:
            centre = self._default_centre(flow)
            return _Star(self._capacity, centre) if self._capacity[centre] else None  # a star cannot stand still
        cluster = self._of[taken[0]]
        return cluster if isinstance(cluster, _Star) and taken == [cluster.centre] else None

    def _default_centre(self, flow: Flow) -> int:
        return next((link for link in flow.route if link in self._hot), flow.route[-1])

    def _touch(self, cluster: _Star | Web) -> None:
        self._touched[id(cluster)] = cluster

    def _tidy(self, web: Web, now: float, gone: list[Flow]) -> None:
        """Take apart a web that is a star now, or no longer connected."""
        loose = [] if web.radiates() else web.strays(now, gone)
        if web.radiates():
            loose += self._dissolve(web, now)
        for flow in loose:
            for link in flow.route:
                self._of[link] = None
        self._regroup(now, loose)

    def _dissolve(self, cluster: _Star | Web, now: float) -> list[Flow]:
        flows = cluster.stop(now)
        cluster.due = _DISSOLVED
        for flow in flows:
            for link in flow.route:
                self._of[link] = None
        return flows

    def _regroup(self, now: float, flows: list[Flow]) -> None:
        """Split loose flows into connected sets, and give each the cheapest engine that is right for it."""
        users: dict[int, list[Flow]] = {}
        for flow in flows:
            for link in flow.route:
                users.setdefault(link, []).append(flow)
        seen: set[int] = set()
        for first in flows:
            if first.sequence in seen:
                continue
            seen.add(first.sequence)
            members = [first]
            for flow in members:  # grows while it is read: a breadth-first search
                for link in flow.route:
                    fresh = [other for other in users.pop(link, ()) if other.sequence not in seen]
                    seen.update(other.sequence for other in fresh)
                    members += fresh
            self._place(now, members)

    def _place(self, now: float, members: list[Flow]) -> None:
        degrees = Counter(link for flow in members for link in flow.route)
        webs = {id(web): web for link in degrees if isinstance(web := self._of[link], Web)}
        centre = self._default_centre(members[0])
        if len(members) > 1:
            centre = max(members[0].route, key=degrees.__getitem__)
        cluster: _Star | Web
        moving = self._capacity[centre] > 0
        lone = moving and degrees[centre] == len(members) and sum(degrees.values()) == len(degrees) + len(members) - 1
        if webs:
            cluster = max(webs.values(), key=lambda web: web.flows)
            for web in webs.values():
                if web is not cluster:
                    members = members + self._dissolve(web, now)
        elif lone:
            cluster = _Star(self._capacity, centre)
        else:
            cluster = Web(self._capacity)
        for flow in members:
            cluster.add(now, flow)
            for link in flow.route:
                self._of[link] = cluster
        self._touch(cluster)
