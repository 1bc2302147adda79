"""How a clock tells what it plays, if anybody listens, and what its links have carried."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from network_models import SERVER, Network
from simulator.spans import SpanListener, tell_parts
from simulator.streams import Leg
from simulator.trace import Entry


class Teller:
    """Passes spans on to a listener; without one, nothing is done.

    Parameters
    ----------
    listener : SpanListener or None
    network : Network
        Counts the bits of collectives.
    """

    def __init__(self, listener: SpanListener | None, network: Network) -> None:
        self._listener, self._network = listener, network
        # bits that the network counted and nobody sent, and those that the listener knows of
        self._tried, self._told = np.zeros((2, len(network.fabric.capacity_bps)))

    @property
    def carried_bits(self) -> np.ndarray:
        """What has passed each of the network's resources, shape (R,)."""
        return self._network.carried_bits - self._tried

    def trying(self, collective: Callable[[], Leg]) -> Leg:
        """Ask for a collective only to compare: it moves nothing."""
        before = self._network.carried_bits
        leg = collective()
        self._tried += self._network.carried_bits - before
        return leg

    def entry(self, entry: Entry) -> None:
        """Tell an op, before its spans."""
        if self._listener is not None:
            self._listener.entry(entry)

    def span(self, kind: str, workers: np.ndarray, begin: np.ndarray, end: np.ndarray) -> None:
        """Tell one thing that workers did."""
        if self._listener is not None:
            self._listener.span(kind, workers, begin, end)

    def parts(
        self,
        workers: np.ndarray,
        begin: np.ndarray,
        end: np.ndarray,
        spent: dict[str, np.ndarray],
        stream: str = "compute",
    ) -> None:
        """Tell what workers spent their time on; see `tell_parts`."""
        if self._listener is not None:
            tell_parts(self._listener, workers, begin, end, spent, stream)

    def collective(self, workers: np.ndarray, leg: Leg, stream: str = "compute") -> None:
        """Tell a collective, and what it has moved, spread evenly from its first message on."""
        if self._listener is None:
            return
        self.parts(workers, leg.begin, leg.finish, leg.spent, stream)
        before, self._told = self._told, self.carried_bits
        used = np.flatnonzero(self._told - before)
        first = np.where(leg.spent["uplink"] > 0, leg.begin, leg.begin + leg.spent["waiting"]).min()
        self._listener.moved(float(first), float(leg.finish.max()), used, (self._told - before)[used])

    def server(self, begin: float, end: float) -> None:
        """Tell that the server worked."""
        self.span("server", np.array([SERVER]), np.array([begin]), np.array([end]))

    def mark(self, t: int, seconds: float) -> None:
        """Tell that round t has ended."""
        if self._listener is not None:
            self._listener.mark(t, seconds)
