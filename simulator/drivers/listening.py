"""What a co-simulation needs from its surroundings: gradients, and somebody to tell."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from algorithms.payloads import Payload
from simulator.moment import Moment
from simulator.trace import Entry


class Gradients(Protocol):
    """Computes gradients for programs that are in the middle of one, or leaves it."""

    @property
    def train_loss(self) -> float:
        """The mean over workers of each one's latest loss."""
        ...

    def ask(self, at: Tensor, worker: int, step: int) -> Any:
        """Begin a gradient."""
        ...

    def value(self, request: Any) -> Any:
        """End it."""
        ...

    def withdraw(self, request: Any) -> None:
        """Give it up."""
        ...


class Listener(Protocol):
    """Is told what the programs do."""

    def entry(self, entry: Entry) -> None:
        """Hear of an op."""
        ...

    def carried(self, direction: str, payload: Payload) -> None:
        """Hear of a message that leaves (uplink) or is on its way to (downlink) a worker."""
        ...

    def mark(self, t: int, model: Tensor, train_loss: float, moment: Moment, process: int) -> None:
        """Hear of a mark."""
        ...
