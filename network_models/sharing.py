"""What a sharing engine must offer to a network of flows in flight."""

from __future__ import annotations

from typing import Protocol

from network_models.links import Links


class Flow:
    """Bits that are on their way through a few capacities.

    Parameters
    ----------
    sequence : int
        Number of the transfer; ties go by it.
    route : tuple of int
        Resources it uses that have a limit: uplink of node i is i, downlink of node j is n + 1 + j (the server's i or
        j is n).
    bits : float
        What is left to send; engines update it when they let go of the flow or re-solve.
    """

    __slots__ = ("bits", "rate", "route", "sequence")

    def __init__(self, sequence: int, route: tuple[int, ...], bits: float) -> None:
        self.sequence, self.route, self.bits, self.rate = sequence, route, bits, 0.0


class Sharing(Protocol):
    """Divides the links' capacities among the flows in flight, max-min fairly."""

    def start(self, now: float, flows: list[Flow]) -> None:
        """Let these flow from `now` on; each has bits left and a route of at least one resource."""

    def next_finish(self) -> float:
        """When the next flow ends if nothing else starts; infinity when there is none."""

    def finish(self, now: float) -> list[Flow]:
        """Take out all flows that end at `now` or before."""


def capacities(links: Links) -> list[float]:
    """Bits/s of every resource: all uplinks, then all downlinks, the server last in each."""
    return [*links.up_bps.tolist(), *links.down_bps.tolist()]
