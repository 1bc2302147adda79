"""Messages that have arrived at a node of a co-simulation, and the order in which they are taken."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy
import torch
from simpy.events import EventPriority

from algorithms.ops import Joined, Left
from algorithms.payloads import Payload
from algorithms.streams import Stream

_AFTER_ALL_ARRIVALS = EventPriority(3)  # lower numbers go first at equal times; arrivals use 2


@dataclass(order=True)
class Message:
    """One arrived message, or news of its source; they sort by time, then by a seeded number of instant and source,
    then by arrival.
    """

    seconds: float
    rank: int
    number: int
    source: int = field(compare=False)
    payload: Payload | Joined | Left = field(compare=False)
    transfer_s: float = field(compare=False)
    latency_s: float = field(compare=False, default=0.0)
    queueing_s: float = field(compare=False, default=0.0)


@dataclass
class Mailbox:
    """What has arrived at one node and not been taken.

    Parameters
    ----------
    seed : int
        Orders messages that arrive at the very same time; those of one source keep their order.
    """

    seed: int
    arrived: list[Message] = field(default_factory=list)
    waiting: simpy.Event | None = None
    count: int = 0
    instant: float = -1.0
    instants: int = 0

    def put(
        self,
        now: float,
        source: int,
        payload: Payload | Joined | Left,
        transfer_s: float,
        latency_s: float = 0.0,
        queueing_s: float = 0.0,
    ) -> None:
        """Take a message in and wake who waits, once everything else of this moment has happened."""
        self.count += 1
        if now != self.instant:
            self.instant, self.instants = now, self.instants + 1
        rank = int(Stream(self.seed, "ties", self.instants).bits(torch.tensor([source]), 1)[0, 0])
        message = Message(now, rank, self.count, source, payload, transfer_s, latency_s, queueing_s)
        heapq.heappush(self.arrived, message)
        if self.waiting is not None:
            self.wake(self.waiting)

    def wake(self, event: simpy.Event, late: bool = False) -> None:
        """Wake who waits for `event`, if that is still so, and say whether time was up."""
        if event is self.waiting and not event.triggered:
            self.waiting = None
            event._ok, event._value = True, late
            event.env.schedule(event, priority=_AFTER_ALL_ARRIVALS)

    def pause(self, env: simpy.Environment, seconds: float) -> Generator[simpy.Event, Any, bool]:
        """Wait until something arrives, at most for so long; give whether time was up first."""
        event = self.waiting = env.event()
        if seconds < float("inf"):
            env.timeout(max(seconds, 0.0)).callbacks.append(lambda _: self.wake(event, late=True))
        late: bool = yield event
        return late

    def clear(self) -> None:
        """Forget what has arrived and who waits."""
        self.arrived.clear()
        self.waiting = None

    def take(self, source: int | None) -> Message | None:
        """Give the next message from `source`, or (None) the next message or news from anyone, if there is one."""
        if source is None:
            return heapq.heappop(self.arrived) if self.arrived else None
        messages = (m for m in self.arrived if m.source == source and not isinstance(m.payload, (Joined, Left)))
        found = min(messages, default=None)
        if found is not None:
            self.arrived.remove(found)
            heapq.heapify(self.arrived)
        return found
