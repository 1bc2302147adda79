"""Messages that are lost on the way and sent again."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from algorithms.streams import Stream


@dataclass(frozen=True)
class MessageLoss:
    """Each transmission of a message is lost with one probability, whatever its size; the sender waits and repeats it.

    Parameters
    ----------
    seed : int
        Keys the draws, with sender, receiver, number of the message on that channel, and attempt.
    probability : float
        In [0, 1).
    retry_after_s : float
        How long after its last bit would have arrived a lost message is sent again, positive.
    backoff : float
        By what factor this grows from one attempt to the next, at least 1.
    longest_s : float
        What it never exceeds.
    """

    seed: int
    probability: float
    retry_after_s: float
    backoff: float
    longest_s: float

    def lost(self, source: int, to: int, number: int, attempt: int) -> bool:
        """Draw whether a transmission is lost; attempts count from 0."""
        stream = Stream(self.seed, "faults", "loss", source, to, number)
        return float(stream.uniform(torch.tensor([attempt]), 1, torch.float64)) < self.probability

    def wait_s(self, attempt: int) -> float:
        """Give the time between the loss of an attempt and the next."""
        # beyond 64 attempts any backoff has met its limit, and a float its own
        return min(self.retry_after_s * self.backoff ** min(attempt, 64), self.longest_s)
