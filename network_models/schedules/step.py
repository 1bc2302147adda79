"""A collective as steps of messages between ranks: what every schedule is lowered to, and every engine can play.

A rank enters a step when it is through with all earlier steps in which it sends or receives, and is through with the
step when all its messages of that step, sent and received, have arrived. A message begins when its sender enters the
step or, in a step with `rendezvous`, when both its ends have. With `lag` k a rank enters a step when it is through with
all but the k - 1 steps before it: up to k messages of a channel are then under way, one behind the other as on one
connection, so that a message flows while the next one's latency passes.

Ranks are positions in the list of participants (0..w-1); servers keep their negative numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from network_models.fabric import Floats, Integers


@dataclass(frozen=True, eq=False)
class Step:
    """Messages that belong to the same step of a schedule.

    Parameters
    ----------
    source, destination : ndarray of int, shape (m,)
        Ranks; a rank may send or receive several messages, which then share its links.
    size_bytes : ndarray, shape (m,), or float
        Bytes of each message; one number when all are the same.
    reducing : bool
        Whether the step counts as uplink (what is sent is still to be merged) or as downlink.
    rendezvous : bool
        Whether a message waits for its receiver to enter the step.
    times : int
        How many times in a row the step is done.
    lag : int
        How many messages of a channel may be under way; the same in all steps of a program.
    shift : int
        Every rank r sends to r + shift modulo w, in the order of r; 0 for any other pattern.
    symmetric : bool
        Whether all ranks send, and receive, the same number of messages each.
    """

    source: Integers
    destination: Integers
    size_bytes: Floats | float
    reducing: bool = False
    rendezvous: bool = False
    times: int = 1
    lag: int = 1
    shift: int = 0
    symmetric: bool = False

    def each(self, ranks: int) -> int:
        """How many messages a rank sends in a symmetric step, and how many it receives."""
        return len(self.source) // ranks

    @property
    def sizes(self) -> Floats:
        """Bytes of each message, shape (m,)."""
        return np.broadcast_to(np.asarray(self.size_bytes, dtype=np.float64), self.source.shape)


@dataclass(frozen=True, eq=False)
class Program:
    """A whole collective among `ranks` participants.

    Parameters
    ----------
    ranks : int
        w.
    steps : sequence of Step
        In order; may be lazy.
    servers : int
        How many servers take part.
    """

    ranks: int
    steps: Sequence[Step]
    servers: int = 0

    def total_bytes(self) -> float:
        """What all messages carry together."""
        return float(sum(float(step.sizes.sum()) * step.times for step in self.steps))


class Lazy(Sequence[Step]):
    """Steps that are made when they are looked at, because all of them at once would not fit into memory."""

    def __init__(self, length: int, make: Callable[[int], Step]) -> None:
        self._length, self._make = length, make

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._length:
            raise IndexError(index)
        return self._make(index)

    def __iter__(self) -> Iterator[Step]:
        return map(self._make, range(self._length))


@lru_cache(maxsize=64)
def rotation(ranks: int, shift: int) -> tuple[Integers, Integers]:
    """Every rank, and the rank `shift` places on: the same arrays at every call."""
    numbers = np.arange(ranks)
    return numbers, (numbers + shift) % ranks


def shifted(ranks: int, shift: int, size_bytes: Floats | float, **settings: Any) -> Step:
    """Every rank sends to the one `shift` places on; `settings` are those of `Step`."""
    source, destination = rotation(ranks, shift % ranks)
    return Step(source, destination, size_bytes, shift=shift % ranks, symmetric=True, **settings)


def one_way(sources: Integers, destinations: Integers, size_bytes: Floats | float, **settings: Any) -> Step:
    """Each source sends one message, once its destination is ready."""
    return Step(np.asarray(sources), np.asarray(destinations), size_bytes, rendezvous=True, **settings)
