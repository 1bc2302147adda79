"""How a gradient's time is spread over its operations: some layers are slower per operation than others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Profile:
    """A map from the fraction of a gradient's operations that are done to the fraction of its time that is over.

    Parameters
    ----------
    points : sequence of (operations, seconds), or None
        Pairs of fractions, both in [0, 1] and growing, joined by straight lines with (0, 0) and (1, 1); None: every
        operation takes the same time.

    Raises
    ------
    ValueError
        If a point is not a pair of fractions, or the points do not grow.
    """

    def __init__(self, points: Sequence[Sequence[float]] | None = None) -> None:
        try:
            pairs = np.array([(0.0, 0.0), *map(tuple, points or ()), (1.0, 1.0)], dtype=np.float64)
        except (TypeError, ValueError):
            pairs = np.empty(0)
        if pairs.ndim != 2 or not bool((np.diff(pairs, axis=0) >= 0).all()):
            raise ValueError(
                f"compute.profile: expected growing pairs [operations, seconds] of fractions in [0, 1], got {points!r}"
            )
        self._operations, self._seconds = pairs.T

    def __call__(self, operations: float) -> float:
        """Give the fraction of time at which this fraction of the operations is done."""
        return float(np.interp(operations, self._operations, self._seconds))
