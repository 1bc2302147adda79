"""Where a function of a positive figure changes sign: a coarse scan for brackets, then a safeguarded secant in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.answers.runs import Floats

Function = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Crossing:
    """Where a function changes sign.

    Parameters
    ----------
    at : float
        To the tolerance asked for, relative.
    rising : bool
        From negative to positive as the figure grows.
    """

    at: float
    rising: bool


@dataclass
class _Bracket:
    """Logarithms of both ends and the function there, of different signs; `side` remembers which end moved last."""

    low: float
    high: float
    f_low: float
    f_high: float
    side: int = 0
    steps: int = 0

    def next(self) -> float:
        """Where to look: by false position, and in the middle every third time, so that it ends whatever the shape."""
        width = self.high - self.low
        if self.steps % 3 == 2:
            return self.low + width / 2
        at = self.high - self.f_high * width / (self.f_high - self.f_low)
        return min(max(at, self.low + 1e-3 * width), self.high - 1e-3 * width)

    def narrow(self, at: float, value: float) -> None:
        """Take a new point in; the end that stays put twice counts half (Illinois)."""
        self.steps += 1
        if value == 0:
            self.low = self.high = at
        elif (value > 0) == (self.f_high > 0):
            self.f_low *= 0.5 if self.side == 1 else 1.0
            self.high, self.f_high, self.side = at, value, 1
        else:
            self.f_high *= 0.5 if self.side == -1 else 1.0
            self.low, self.f_low, self.side = at, value, -1


def crossings(function: Function, low: float, high: float, points: int = 25, tolerance: float = 1e-3) -> list[Crossing]:
    """Find where a function changes sign between two positive figures.

    Parameters
    ----------
    function : callable
        float64 [k] to float64 [k]; all it is asked at one time may be computed together.
    low, high : float
        0 < low < high.
    points : int
        Of the scan, evenly spaced in the logarithm, at least 2. Two crossings between neighbours are not seen.
    tolerance : float
        Relative, on each crossing.

    Returns
    -------
    list of Crossing
        In increasing order. A point of the scan where the function is exactly 0 is one if the signs on its two sides
        differ; a stretch of zeros is one, at its lower end.

    Raises
    ------
    ValueError
        If the range, the points or the tolerance make no sense.

    Examples
    --------
    >>> found = crossings(lambda x: (x - 2) * (x - 50), 1.0, 100.0, tolerance=1e-9)
    >>> [(round(one.at, 6), one.rising) for one in found]
    [(2.0, False), (50.0, True)]
    """
    if not 0 < low < high < np.inf:
        raise ValueError(f"low, high: expected 0 < low < high, got {low:g} and {high:g}")
    if points < 2:
        raise ValueError(f"points: expected at least 2, got {points}")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance: expected a fraction in (0, 1), got {tolerance:g}")
    grid = np.linspace(np.log(low), np.log(high), points)
    values = function(np.exp(grid))
    if not np.isfinite(values).all():
        raise ValueError("the function to solve: expected finite values, got some that are not")
    signs = np.flatnonzero(values != 0)  # a change of sign across zeros lies at the first of them
    brackets = [
        _Bracket(grid[a], grid[b], values[a], values[b])
        for a, b in zip(signs[:-1], signs[1:], strict=True)
        if (values[a] > 0) != (values[b] > 0)
    ]
    for bracket in brackets:
        inside = (grid > bracket.low) & (grid < bracket.high)
        if inside.any():
            bracket.low = bracket.high = float(grid[inside][0])
    limit = np.log1p(tolerance)
    while open_ones := [one for one in brackets if one.high - one.low > limit]:
        asked = np.array([one.next() for one in open_ones])
        for bracket, at, value in zip(open_ones, asked, function(np.exp(asked)), strict=True):
            bracket.narrow(float(at), float(value))
    return [Crossing(float(np.exp((one.low + one.high) / 2)), bool(one.f_high > 0)) for one in brackets]
