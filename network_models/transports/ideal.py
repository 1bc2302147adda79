"""Latency and bandwidth, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from network_models.fabric import Floats


@dataclass(frozen=True)
class Ideal:
    """A message takes latency + bits / rate."""

    name: ClassVar[str] = "ideal"
    remembers: ClassVar[bool] = False

    def wire_bytes(self, size_bytes: Floats) -> Floats:
        """The message itself."""
        return size_bytes

    def latency_s(self, latency_s: Floats) -> Floats:
        """The path's."""
        return latency_s

    def capacity_bps(self, capacity_bps: Floats) -> Floats:
        """All of it."""
        return capacity_bps

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        """None."""
        return np.full(np.shape(latency_s), np.inf)

    def stall_s(self, size_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        """Nothing."""
        return np.zeros(np.shape(latency_s))
