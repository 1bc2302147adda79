"""Messages that have arrived at a node of a co-simulation, and the order in which they are taken."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import simpy
import torch
from simpy.events import EventPriority

from algorithms.payloads import Payload
from algorithms.streams import Stream

_AFTER_ALL_ARRIVALS = EventPriority(3)  # lower numbers go first at equal times; arrivals use 2


@dataclass(order=True)
class Message:
    """One arrived message; messages sort by time, then by a seeded number of instant and source, then by arrival."""

    seconds: float
    rank: int
    number: int
    source: int = field(compare=False)
    payload: Payload = field(compare=False)
    transfer_s: float = field(compare=False)


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

    def put(self, now: float, source: int, payload: Payload, transfer_s: float) -> None:
        """Take a message in and wake who waits, once everything else of this moment has happened."""
        self.count += 1
        if now != self.instant:
            self.instant, self.instants = now, self.instants + 1
        rank = int(Stream(self.seed, "ties", self.instants).bits(torch.tensor([source]), 1)[0, 0])
        heapq.heappush(self.arrived, Message(now, rank, self.count, source, payload, transfer_s))
        if self.waiting is not None and not self.waiting.triggered:
            event, self.waiting = self.waiting, None
            event._ok, event._value = True, None
            event.env.schedule(event, priority=_AFTER_ALL_ARRIVALS)

    def take(self, source: int | None) -> Message | None:
        """Give the next message, from `source` or (None) from anyone, if there is one."""
        if source is None:
            return heapq.heappop(self.arrived) if self.arrived else None
        found = min((message for message in self.arrived if message.source == source), default=None)
        if found is not None:
            self.arrived.remove(found)
            heapq.heapify(self.arrived)
        return found
