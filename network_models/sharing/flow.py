"""What a sharing engine must offer to a network of flows in flight."""

from __future__ import annotations

from typing import Protocol


class Flow:
    """Bits that are on their way through a few capacities.

    Parameters
    ----------
    sequence : int
        Number of the transfer; ties go by it.
    route : tuple of int
        The resources with a limit that it uses, each once.
    bits : float
        What is left to send; engines update it when they let go of the flow or re-solve.
    cap_bps : float
        What it may not exceed whatever is free.

    Attributes
    ----------
    size_bits : float
        What was left when it was made.
    """

    __slots__ = ("bits", "cap_bps", "rate", "route", "sequence", "size_bits")

    def __init__(self, sequence: int, route: tuple[int, ...], bits: float, cap_bps: float = float("inf")) -> None:
        self.sequence, self.route, self.cap_bps, self.rate = sequence, route, cap_bps, 0.0
        self.bits = self.size_bits = bits


class Sharing(Protocol):
    """Divides the links' capacities among the flows in flight, max-min fairly."""

    def start(self, now: float, flows: list[Flow]) -> None:
        """Let these flow from `now` on; each has bits left and a route of at least one resource, or a finite cap."""

    def next_finish(self) -> float:
        """When the next flow ends if nothing else starts; infinity when there is none."""

    def finish(self, now: float) -> list[Flow]:
        """Take out all flows that end at `now` or before."""

    def recapacitate(self, now: float, capacity: dict[int, float]) -> None:
        """Change these resources' bits/s from `now` on; 0 stands still."""
