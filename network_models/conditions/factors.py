"""Factors on all rates and on all latencies of a network, whatever its shape: one knob each for its whole bandwidth.

They act on the links after everything else is settled: routes stay as they are, and a trace keeps its times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from network_models.conditions.trace import Trace
from network_models.units import real


@dataclass(frozen=True)
class Factors:
    """What every rate and every latency is multiplied by.

    Parameters
    ----------
    rate : float
        More than 0; more is faster, and infinite takes every limit away, also one that changes in time.
    latency : float
        At least 0 and finite; less is faster. Jitter is a latency.
    """

    rate: float = 1.0
    latency: float = 1.0

    @classmethod
    def read(cls, rate_factor: object, latency_factor: object) -> Factors:
        """Read the two settings.

        Raises
        ------
        ValueError
            If one is out of range, naming it.
        """
        if not real(rate_factor) > 0:
            raise ValueError(f"network.rate_factor: expected a number above 0 (inf: no limits), got {rate_factor!r}")
        if not 0 <= real(latency_factor) < np.inf:
            raise ValueError(f"network.latency_factor: expected a number >= 0, got {latency_factor!r}")
        return cls(real(rate_factor), real(latency_factor))

    def of_trace(self, trace: Trace | None) -> Trace | None:
        """The trace at these rates; None, a link without a limit, where the factor is infinite."""
        if trace is None or self.rate == np.inf:
            return None
        return trace if self.rate == 1 else trace.mapped(lambda rates: self.rate * rates)
