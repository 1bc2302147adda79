"""A message between two nodes: on its way, and once it has arrived."""

from __future__ import annotations

from dataclasses import dataclass

import simpy


@dataclass(frozen=True, slots=True)
class Transfer:
    """The record of a message that has arrived.

    Parameters
    ----------
    source, destination : int
        Node numbers; `SERVER` is -1.
    size_bytes : float
        What was sent.
    start_s, finish_s : float
        When it was handed to the network, and when it was delivered.
    latency_s : float
        Propagation, the first part of the time between.
    drained_s : float
        When its last bit arrived. Before `finish_s` only where an earlier message of the channel arrived later.
    sequence : int
        Number of the transfer in this network, from 0.
    alone_s : float
        How long it would have taken alone on its path, propagation and set-up included.
    """

    source: int
    destination: int
    size_bytes: float
    start_s: float
    finish_s: float
    latency_s: float
    drained_s: float
    sequence: int
    alone_s: float

    @property
    def queueing_s(self) -> float:
        """The part of the time between that it owes to others: a share of a link, or an earlier message."""
        late = self.finish_s - (self.start_s + self.alone_s)
        return late if late > 1e-14 * abs(self.finish_s) else 0.0  # what is less is rounding


@dataclass(slots=True)
class Message:
    """A message that is on its way; what its fields have in common with a Transfer means the same."""

    source: int
    destination: int
    size_bytes: float
    start_s: float
    latency_s: float
    sequence: int
    alone_s: float
    delivered: simpy.Event
    drained_s: float | None = None

    def record(self, now: float) -> Transfer:
        """Write the record of this message, delivered at `now`."""
        drained = now if self.drained_s is None else self.drained_s
        ends, times = (self.source, self.destination), (self.start_s, now, self.latency_s, drained)
        return Transfer(*ends, self.size_bytes, *times, self.sequence, self.alone_s)
