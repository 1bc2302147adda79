"""The fast engine: closed forms, water filling and max-plus vectors in place of messages."""

from __future__ import annotations

from network_models.engines import hub
from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.schedules.halving_doubling import Exchange, run_butterfly
from network_models.schedules.ring import Ring, run_ring
from network_models.timing import Timing


class Collapsed:
    """Time each primitive of a star by formula; the same methods as `Messages`, and the same answers."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
        """Workers to server."""
        return hub.gather(self.paths, workers, start, sizes_bytes)

    def broadcast(self, workers: Integers, start: Floats, server_start: float, size_bytes: float) -> Timing:
        """Server to workers."""
        return hub.broadcast(self.paths, workers, start, server_start, size_bytes)

    def ring(self, workers: Integers, start: Floats, ring: Ring) -> Timing:
        """Each to the next."""
        return run_ring(self.paths, workers, start, ring)

    def butterfly(self, workers: Integers, start: Floats, exchanges: list[Exchange]) -> Timing:
        """Pairwise exchanges."""
        return run_butterfly(self.paths, workers, start, exchanges)
