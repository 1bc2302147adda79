"""SimGrid's default factors (LV08): what its authors fitted to TCP, for comparison with its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from network_models.fabric import Floats
from network_models.transports.settings import positive


@dataclass(frozen=True)
class Lv08:
    """Latency x 13.01, bandwidth x 0.97, and at most `gamma_bytes` in flight per round trip of the path's own latency.

    Parameters
    ----------
    latency_factor, bandwidth_factor : float
        1 and 1 give SimGrid's CM02.
    gamma_bytes : float or None
        TCP-gamma: a flow's rate is at most gamma / (2 latency); None is no limit.

    Notes
    -----
    Left out, because max-min sharing here has no weights: SimGrid's RTT-aware shares (weight-S 20537), and the 5 % of
    a flow that it charges to the way back. The latency factor stands for slow start on new connections; on warm ones
    it is far too much.

    References
    ----------
    Velho, Legrand, "Accuracy study and improvement of network simulation in the SimGrid framework", SIMUTools 2009.
    """

    name: ClassVar[str] = "lv08"
    remembers: ClassVar[bool] = False

    latency_factor: float = 13.01
    bandwidth_factor: float = 0.97
    gamma_bytes: float | None = 4194304.0

    def __post_init__(self) -> None:
        positive(self, "bandwidth_factor", "gamma_bytes")
        positive(self, "latency_factor", low=0.0)

    def wire_bytes(self, size_bytes: Floats) -> Floats:
        """The message itself."""
        return size_bytes

    def latency_s(self, latency_s: Floats) -> Floats:
        """The path's, times the factor."""
        return self.latency_factor * latency_s

    def capacity_bps(self, capacity_bps: Floats) -> Floats:
        """97 % of it."""
        return self.bandwidth_factor * capacity_bps

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        """TCP-gamma per round trip; loss plays no part."""
        latency = np.asarray(latency_s, dtype=np.float64)
        if self.gamma_bytes is None:
            return np.full(latency.shape, np.inf)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(8.0 * self.gamma_bytes / (2.0 * latency))

    def stall_s(self, size_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        """Nothing: the latency factor has it."""
        return np.zeros(np.shape(latency_s))
