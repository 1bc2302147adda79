"""A collective as posted sends and receives that depend on one another, and its play on a network of flows.

A message leaves when its sender has what it needs and, with rendezvous, when the receiver's note that it has posted
the receive has come in. Messages and notes between two ranks follow one another as on one connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import simpy

from network_models.fabric import Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.paths import Paths
from network_models.profiles.account import account
from network_models.schedules.step import Program, Step
from network_models.timing import Timing


@dataclass(frozen=True, slots=True)
class Post:
    """A message of a plan.

    Parameters
    ----------
    source, destination : int
        Ranks, or servers (negative).
    size_bytes : float
    after : tuple of int
        Numbers of the messages that the sender must have received, or handed over, before it sends this one.
    posted_after : tuple of int
        The same for the receiver, before it posts the receive.
    reducing : bool
        Whether it counts as uplink.
    """

    source: int
    destination: int
    size_bytes: float
    after: tuple[int, ...] = ()
    posted_after: tuple[int, ...] = ()
    reducing: bool = False


@dataclass(frozen=True)
class Software:
    """What a machine adds: seconds of each rank's call, and of each message before its first byte leaves."""

    call_s: float = 0.0
    message_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Played:
    """How a plan went.

    Parameters
    ----------
    timing : Timing
    program : Program
        What was carried, for counting: its steps may hold many messages between two ranks as one.
    handed, arrived : ndarray, shape (m,), optional
        Absolute seconds at which each message was handed over and delivered, where messages were played.
    """

    timing: Timing
    program: Program
    handed: Floats = field(default_factory=lambda: np.empty(0))
    arrived: Floats = field(default_factory=lambda: np.empty(0))


def play(
    paths: Paths,
    workers: Integers,
    start: Floats,
    posts: Sequence[Post],
    rendezvous: bool,
    software: Software,
    server_start: float | None = None,
) -> Played:
    """Play a plan between `workers` (rank = position), each from its `start` on.

    A rank is released when all that it receives has arrived and the last bit of all that it sends has left.

    Parameters
    ----------
    paths : Paths
    workers, start : ndarray, shape (w,)
    posts : sequence of Post
        In the order in which a rank that could do several does them.
    rendezvous : bool
        Whether data waits for the receiver's note.
    software : Software
    server_start : float, optional
        When servers are ready, by default with the first rank.
    """
    if not posts:
        return Played(Timing.nothing(start), Program(len(workers), []), np.empty(0), np.empty(0))
    ready = float(start.min()) if server_start is None else server_start
    player = _Player(paths, workers, start, posts, rendezvous, software, ready)
    player.run()
    latency = paths.latency_s(player.source, player.destination, player.key)
    timing = account(start, posts, player.handed, player.arrived, latency)
    return Played(timing, carried(len(workers), paths.fabric.servers, posts), player.handed, player.arrived)


def carried(ranks: int, servers: int, posts: Sequence[Post]) -> Program:
    """The messages of a plan as steps, one for those that reduce and one for the others."""
    steps = []
    for reducing in (True, False):
        some = [post for post in posts if post.reducing == reducing]
        if some:
            source, destination = np.array([(post.source, post.destination) for post in some]).T
            steps.append(Step(source, destination, np.array([post.size_bytes for post in some]), reducing))
    return Program(ranks, steps, servers)


class _Player:
    """Counts down what each message waits for."""

    def __init__(
        self,
        paths: Paths,
        workers: Integers,
        start: Floats,
        posts: Sequence[Post],
        rendezvous: bool,
        software: Software,
        server_start: float,
    ) -> None:
        self.posts, self.software, self.rendezvous, self.key = posts, software, rendezvous, paths.call()
        uses_server = any(min(post.source, post.destination) < 0 for post in posts)
        first = min(float(start.min()), server_start) if uses_server else float(start.min())
        self.env = simpy.Environment(initial_time=first)
        self.network = FluidNetwork(self.env, paths)
        self.source = np.array([_node(post.source, workers) for post in posts])
        self.destination = np.array([_node(post.destination, workers) for post in posts])
        self.handed, self.arrived = np.empty(len(posts)), np.empty(len(posts))
        # What still has to happen: 1 for the rank's own start, and 1 for the note.
        self.sends = [len(post.after) + 1 + rendezvous for post in posts]
        self.receives = [len(post.posted_after) + 1 for post in posts]
        self.left, self.done = len(posts), self.env.event()
        self.senders: list[list[int]] = [[] for _ in posts]
        self.receivers: list[list[int]] = [[] for _ in posts]
        begins: dict[float, list[int]] = {}
        for number, post in enumerate(posts):
            for earlier in post.after:
                self.senders[earlier].append(number)
            for earlier in post.posted_after:
                self.receivers[earlier].append(number)
            for rank in (post.source, post.destination):
                time = (server_start if rank < 0 else float(start[rank])) + software.call_s
                begins.setdefault(time, []).append(number if rank == post.source else ~number)
        for time, numbers in sorted(begins.items()):
            self.env.timeout(time - first, numbers).callbacks.append(self._begin)

    def run(self) -> None:
        self.env.run(until=self.done)

    def _begin(self, event: simpy.Event) -> None:
        numbers: list[int] = event.value  # type: ignore[assignment]  # events carry any value
        for number in numbers:
            if number < 0:
                self._receivable(~number)
        for number in numbers:
            if number >= 0:
                self._sendable(number)

    def _receivable(self, number: int) -> None:
        """One thing less to wait for before the receive is posted; posted, a note goes to the sender."""
        self.receives[number] -= 1
        if not self.receives[number] and self.rendezvous:
            back = int(self.destination[number]), int(self.source[number])
            note = self.network.transfer(*back, 0.0, self.key, behind=True)
            note.callbacks.append(lambda _: self._sendable(number))

    def _sendable(self, number: int) -> None:
        """One thing less to wait for before the message leaves."""
        self.sends[number] -= 1
        if not self.sends[number]:
            if self.software.message_s:
                self.env.timeout(self.software.message_s).callbacks.append(lambda _: self._hand_over(number))
            else:
                self._hand_over(number)

    def _hand_over(self, number: int) -> None:
        post = self.posts[number]
        self.handed[number] = self.env.now
        ways = int(self.source[number]), int(self.destination[number])
        sent = self.network.transfer(*ways, post.size_bytes, self.key, behind=True)
        sent.callbacks.append(lambda _: self._arrive(number))
        self._settle(number, post.source)

    def _arrive(self, number: int) -> None:
        self.arrived[number] = self.env.now
        self._settle(number, self.posts[number].destination)
        self.left -= 1
        if not self.left:
            self.done.succeed()

    def _settle(self, number: int, rank: int) -> None:
        """Tell what waits at `rank` for this message."""
        for later in self.receivers[number]:
            if self.posts[later].destination == rank:
                self._receivable(later)
        for later in self.senders[number]:
            if self.posts[later].source == rank:
                self._sendable(later)


def _node(rank: int, workers: Integers) -> int:
    return rank if rank < 0 else int(workers[rank])
