"""Straggler distributions: by what factor a worker's step is slower than usual, drawn from a named stream.

A draw is keyed by (seed, step, worker), never by the network, so a re-timed run meets the same stragglers.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from algorithms.streams import Stream
from network_models.even import even


class Stragglers(Protocol):
    """A distribution of slow-downs."""

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        """Draw the factor on each worker's compute time in this step, shape (w,)."""
        ...


def _positive(key: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"compute.stragglers.{key}: expected a positive number, got {value!r}")
    return float(value)


def _uniform(seed: int, workers: np.ndarray, step: int) -> np.ndarray:
    rows = torch.from_numpy(np.asarray(workers, dtype=np.int64))
    return Stream(seed, "stragglers", step).uniform(rows, 1, torch.float64)[:, 0].numpy()


class NoStragglers:
    """Every step takes its usual time."""

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        return even(1.0, len(workers))


class LogNormal:
    """exp(sigma z - sigma**2 / 2) with z standard normal: mean 1."""

    def __init__(self, sigma: float = 0.3) -> None:
        self.sigma = _positive("sigma", sigma)

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        rows = torch.from_numpy(np.asarray(workers, dtype=np.int64))
        z = Stream(seed, "stragglers", step).normal(rows, 1, torch.float64)[:, 0].numpy()
        return np.exp(self.sigma * z - self.sigma**2 / 2)


class ShiftedExponential:
    """1 + an exponential (Lee et al., "Speeding Up Distributed ML Using Codes", IEEE Trans. IT 2018)."""

    def __init__(self, mean: float = 0.5) -> None:
        self.mean = _positive("mean", mean)

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        return 1.0 - self.mean * np.log1p(-_uniform(seed, workers, step))


class Pareto:
    """(1 - u) ** (-1 / alpha): at least 1, with a heavy tail; the mean is alpha / (alpha - 1) for alpha > 1."""

    def __init__(self, alpha: float = 3.0) -> None:
        self.alpha = _positive("alpha", alpha)

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        return (1.0 - _uniform(seed, workers, step)) ** (-1.0 / self.alpha)


class Periodic:
    """`factor` for `length` steps in every `period`, each worker with its own seeded phase."""

    def __init__(self, period: int = 100, length: int = 10, factor: float = 5.0) -> None:
        self.factor = _positive("factor", factor)
        for key, value in (("period", period), ("length", length)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"compute.stragglers.{key}: expected a whole number of steps, got {value!r}")
        if not 0 < length <= period:
            raise ValueError(f"compute.stragglers.length: expected 1..period = {period} steps, got {length}")
        self.period, self.length = period, length

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        rows = torch.from_numpy(np.asarray(workers, dtype=np.int64))
        phase = Stream(seed, "stragglers", "phase").integers(rows, 1, self.period)[:, 0].numpy()
        return np.where((step + phase) % self.period < self.length, self.factor, 1.0)
