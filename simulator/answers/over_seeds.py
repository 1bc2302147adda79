"""Sum up one quantity over seeds, some of which may be censored: known only to be more than a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from simulator.answers.student import mean_interval


@dataclass(frozen=True)
class OverSeeds:
    """What is known of a quantity over seeds.

    Parameters
    ----------
    seeds, reached : int
        How many there are, and how many are not censored.
    median : float
        A lower bound where `median_known` is false: too many are censored, or too early.
    median_known : bool
    mean : float
        NaN where a seed is censored and no horizon was given.
    low, high : float
        The mean's confidence interval by Student's t; NaN where there is no mean, or one seed.
    horizon : float or None
        Where given, `mean` is the restricted mean: of min(quantity, horizon).
    """

    seeds: int
    reached: int
    median: float
    median_known: bool
    mean: float
    low: float
    high: float
    horizon: float | None = None


def over_seeds(
    values: Sequence[float], reached: Sequence[bool], confidence: float = 0.95, horizon: float | None = None
) -> OverSeeds:
    """Sum up values over seeds.

    Parameters
    ----------
    values : sequence of float, one for each seed
        The quantity, or its lower bound where it was not reached.
    reached : sequence of bool
    confidence : float
        Of the interval, in (0, 1).
    horizon : float, optional
        Give the restricted mean up to here: the mean of min(quantity, horizon), which needs to know no more.

    Raises
    ------
    ValueError
        If there are no seeds, or a seed is censored before the horizon, so that its part is not known.

    Notes
    -----
    The median is known when it is the same whether a censored seed is as small as its bound or infinite; nothing is
    assumed of how they are spread beyond. A mean over censored seeds would be made up, so there is none.

    Examples
    --------
    >>> over_seeds([3.0, 5.0, 9.0], [True, True, False]).median
    5.0
    """
    if not len(values) or len(values) != len(reached):
        raise ValueError(f"seeds: expected a value for each, at least one, got {len(values)} and {len(reached)}")
    least = median(values)
    most = median([value if known else math.inf for value, known in zip(values, reached, strict=True)])
    counted: Sequence[float] | None = values if all(reached) else None
    if horizon is not None:
        early = [value for value, known in zip(values, reached, strict=True) if not known and value < horizon]
        if early:
            raise ValueError(
                f"horizon: expected at most {min(early):g}, where a seed ends without the target, got {horizon:g}"
            )
        counted = [min(value, horizon) for value in values]
    mean = math.nan if counted is None else fmean(counted)
    low, high = (math.nan, math.nan)
    if counted is not None and len(counted) > 1:
        low, high = mean_interval(counted, confidence)
    return OverSeeds(len(values), sum(reached), least, least == most, mean, low, high, horizon)
