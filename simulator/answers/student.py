"""Student's t: the quantiles of its distribution, and the interval of a mean of few values that they give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean, stdev


@lru_cache
def t_quantile(confidence: float, freedom: int) -> float:
    """Give the t with P(-t < T < t) = `confidence` for `freedom` degrees of freedom.

    Parameters
    ----------
    confidence : float
        In (0, 1), such as 0.95.
    freedom : int
        Degrees of freedom, at least 1: one less than there are values.

    Raises
    ------
    ValueError
        If one is out of range.

    Notes
    -----
    For whole degrees of freedom the probability is a finite series in the angle whose tangent is t / sqrt(freedom);
    the angle is found by bisection, to rounding.

    References
    ----------
    Abramowitz, Stegun, "Handbook of Mathematical Functions", 1964, equations 26.7.3 and 26.7.4.

    Examples
    --------
    >>> [round(t_quantile(0.95, freedom), 3) for freedom in (1, 2, 9)]
    [12.706, 4.303, 2.262]
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a probability in (0, 1), got {confidence!r}")
    if freedom < 1:
        raise ValueError(f"seeds: expected at least two for an interval, got {freedom + 1}")
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """P(-t < T < t) at t = sqrt(freedom) tan(angle)."""
    sine, cosine, odd = math.sin(angle), math.cos(angle), freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= (k - 1) / k * cosine**2
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Give the confidence interval of the mean of at least two values, by Student's t."""
    half = t_quantile(confidence, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return fmean(values) - half, fmean(values) + half
