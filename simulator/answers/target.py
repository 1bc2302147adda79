"""When a metric reaches a target: the first evaluated mark at or beyond it, and what is known where none is.

A run that ends before it is *censored*: all that is known is a lower bound, the last evaluated mark. A run in which the
metric was never measured is `Missing` and no bound at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.answers.runs import Finished, Floats, Missing

# Metrics of which more is better, and those of which less is.
RISING = frozenset({"accuracy", "bleu"})
FALLING = frozenset({"loss", "train_loss", "perplexity"})


@dataclass(frozen=True)
class Target:
    """A value of a metric to reach.

    Parameters
    ----------
    metric : str
        ``accuracy`` (a fraction) and ``bleu`` rise to it; ``loss``, ``train_loss`` and ``perplexity`` fall to it.
    value : float
    interpolate : bool
        Draw a straight line between the last mark that misses it and the first that does not. Nothing was measured
        there, so it is not done unless asked for, and never before the first mark.

    Raises
    ------
    ValueError
        If the metric is unknown, or the value is not a number that it can have.
    """

    metric: str
    value: float
    interpolate: bool = False

    def __post_init__(self) -> None:
        if self.metric not in RISING | FALLING:
            raise ValueError(f"metric: expected one of {', '.join(sorted(RISING | FALLING))}, got {self.metric!r}")
        if not math.isfinite(self.value):
            raise ValueError(f"target: expected a finite number, got {self.value!r}")
        if self.metric == "accuracy" and not 0 < self.value <= 1:
            raise ValueError(f"target: expected an accuracy in (0, 1], got {self.value:g}")

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.metric in RISING else -1

    def __str__(self) -> str:
        return f"{self.metric} {self.value:g}"


@dataclass(frozen=True)
class Place:
    """Where among a run's marks a target is met, or how far it is known not to be.

    Parameters
    ----------
    at : int
        The first evaluated mark that meets it; where none does, the last evaluated one.
    before : int or None
        The evaluated mark before that; None where there is none, and it may have been met at any time until `at`.
    weight : float
        Of `at` against `before`, in (0, 1]: less than 1 only where it was interpolated.
    reached : bool
    """

    at: int
    before: int | None
    weight: float
    reached: bool

    def of(self, series: Floats) -> Floats:
        """Read a series by mark there, shape (..., m) to (...): a value, or the lower bound where it was not reached.

        Series must not fall from mark to mark, as seconds and bits do not.
        """
        there = series[..., self.at]
        if self.before is None or self.weight == 1:
            return np.asarray(there)
        return np.asarray((1 - self.weight) * series[..., self.before] + self.weight * there)

    def not_before(self, series: Floats) -> Floats:
        """The series when the target was last seen missed, shape (..., m) to (...): it was met after that."""
        seen = self.before if self.reached else self.at
        return np.zeros(series.shape[:-1]) if seen is None else np.asarray(series[..., seen])


def place(values: Floats, target: Target) -> Place:
    """Find the target among a metric's values by mark, shape (m,), NaN where it was not evaluated.

    Raises
    ------
    Missing
        If it never was.

    Examples
    --------
    >>> found = place(np.array([0.5, 0.7, 0.9]), Target("accuracy", 0.8, interpolate=True))
    >>> float(found.of(np.array([10.0, 20.0, 30.0])).round(6)), found.reached
    (25.0, True)
    """
    evaluated = np.flatnonzero(np.isfinite(values))
    if not evaluated.size:
        raise Missing(f"metric: expected values of {target.metric}, got none")
    met = np.flatnonzero(target.sign * values[evaluated] >= target.sign * target.value)
    if not met.size:
        return Place(int(evaluated[-1]), int(evaluated[-2]) if evaluated.size > 1 else None, 1.0, reached=False)
    at, before = int(evaluated[met[0]]), int(evaluated[met[0] - 1]) if met[0] else None
    weight = 1.0
    if target.interpolate and before is not None:
        weight = float((target.value - values[before]) / (values[at] - values[before]))
    return Place(at, before, weight, reached=True)


def place_in(run: Finished, target: Target) -> Place:
    """Find the target in a run.

    Raises
    ------
    Missing
        If the run has no such metric.
    """
    return place(run.column(target.metric), target)
