"""The two ways to and from the server where all workers do the same: one of them stands for all."""

from __future__ import annotations

import numpy as np

from network_models.engines import hub
from network_models.fabric import SERVER, Floats, Integers
from network_models.links import Links
from network_models.paths import Paths, hot_bps
from network_models.timing import Timing, same


class AlikeHub:
    """The two ways to and from the server, in closed form; alike workers that do the same are one."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
        """Workers to server; see `hub.gather`."""
        if not (self._one(workers, start) and same(sizes_bytes)):
            return hub.gather(self._paths, workers, start, sizes_bytes)
        latency, rate = (
            self._paths.latency_s(workers[:1], SERVER),
            self._rate_bps(int(workers[0]), SERVER, len(workers)),
        )
        self._paths.regime.meet(int(workers[0]), SERVER, len(workers), float(sizes_bytes[0]))
        one, bits = workers[:1], self._paths.bits(sizes_bytes[:1])
        finish = start[:1] + latency + bits / rate
        alone = start[:1] + latency + bits / self._paths.rate_bps(one, SERVER)
        return hub.gathered(start[:1], finish, latency, alone).widened(len(workers)), float(finish[0])

    def broadcast(self, workers: Integers, start: Floats, server_start: float, size_bytes: Floats | float) -> Timing:
        """Server to workers; see `hub.broadcast`."""
        if isinstance(size_bytes, np.ndarray) or not self._one(workers, start):
            return hub.broadcast(self._paths, workers, start, server_start, size_bytes)
        latency, rate = (
            self._paths.latency_s(SERVER, workers[:1]),
            self._rate_bps(SERVER, int(workers[0]), len(workers)),
        )
        self._paths.regime.meet(SERVER, int(workers[0]), 1, size_bytes)
        one, bits = workers[:1], self._paths.bits(size_bytes)
        arrived = server_start + latency + bits / rate
        alone = server_start + latency + bits / self._paths.rate_bps(SERVER, one)
        return hub.broadcasted(start[:1], server_start, arrived, latency, alone).widened(len(workers))

    def _one(self, workers: Integers, start: Floats) -> bool:
        star = isinstance(self._paths.fabric, Links)  # elsewhere alike workers may meet before the server's link
        return star and self._paths.plain and self._paths.fabric.alike(workers) and same(start)

    def _rate_bps(self, source: int, destination: int, workers: int) -> float:
        """What each of so many flows gets."""
        alone = float(self._paths.rate_bps(source, destination))
        return min(alone, hot_bps(self._paths, source, destination) / workers)
