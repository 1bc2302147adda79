"""Which algorithm meets a target first on each network, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.answers.runs import Floats
from simulator.answers.student import mean_interval


@dataclass(frozen=True)
class Best:
    """The winner on each of some networks; arrays of any shape (...), such as bandwidth x latency.

    Parameters
    ----------
    winner, second : ndarray of int, shape (...)
        Positions in the list of groups; -1 where there is none.
    seconds : ndarray, shape (..., g)
        The mean time of each group over its seeds: a lower bound where the group is censored.
    margin : ndarray, shape (...)
        The second's time over the winner's, at least 1: a lower bound where the second is censored. NaN without one.
    low, high : ndarray, shape (...)
        Confidence interval of the margin, paired by seed: of the geometric mean of ratios, by Student's t in the
        logarithm. NaN where the two do not share two seeds, or the second is censored.
    decided : ndarray of bool, shape (...)
        False where a censored group's bound is below the winner's time, so that it might have won, or nobody reached
        the target.
    censored : ndarray of bool, shape (g,)
        Whether a seed of the group did not reach the target.
    """

    winner: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    seconds: Floats
    margin: Floats
    low: Floats
    high: Floats
    decided: npt.NDArray[np.bool_]
    censored: npt.NDArray[np.bool_]


def best(times: Floats, reached: npt.NDArray[np.bool_], confidence: float = 0.95) -> Best:
    """Compare groups of runs on networks.

    Parameters
    ----------
    times : ndarray, shape (..., g, s)
        Seconds to the target of each group and seed on each network; the lower bound where it was not reached, NaN
        where a group has no run of that seed.
    reached : ndarray of bool, shape (g, s)
        Whether it was; what is NaN does not count.
    confidence : float
        Of the margin's interval.

    Returns
    -------
    Best

    Notes
    -----
    A group is censored when any of its seeds is: its mean is then no more than a bound, and it cannot win. It may be
    second, if its bound is the least of the others.
    """
    present = np.asarray(np.isfinite(times).reshape(-1, *reached.shape).all(axis=0))
    if not present.any(axis=1).all():
        raise ValueError("runs: expected at least one seed of each algorithm, got none of some")
    censored = np.asarray((~reached & present).any(axis=1))
    means = np.nanmean(times, axis=-1)
    running = np.where(censored, np.inf, means)
    order = np.argsort(running, axis=-1, kind="stable")
    winner = np.where(np.isfinite(running.min(axis=-1)), order[..., 0], -1)
    others = means.copy()
    np.put_along_axis(others, np.maximum(winner, 0)[..., None], np.inf, axis=-1)
    none = (winner < 0) | (means.shape[-1] == 1)
    second = np.where(none, -1, others.argmin(axis=-1))
    ahead = np.take_along_axis(means, np.maximum(winner, 0)[..., None], axis=-1)[..., 0]
    margin = np.where(none, np.nan, others.min(axis=-1) / ahead)
    low, high = _interval(times, present & ~censored[:, None], winner, second, confidence)
    bound = np.where(censored, means, np.inf).min(axis=-1)
    decided = np.asarray((winner >= 0) & (bound >= ahead))
    return Best(winner, second, means, margin, low, high, decided, censored)


def _interval(
    times: Floats,
    counted: npt.NDArray[np.bool_],
    winner: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    confidence: float,
) -> tuple[Floats, Floats]:
    """The interval of second over winner, over the seeds that count for both."""
    low, high = np.full(winner.shape, np.nan), np.full(winner.shape, np.nan)
    for at in np.ndindex(winner.shape):
        one, other = int(winner[at]), int(second[at])
        if one < 0 or other < 0 or (seeds := counted[one] & counted[other]).sum() < 2:
            continue
        logs = np.log(times[at][other, seeds] / times[at][one, seeds])
        low[at], high[at] = np.exp(mean_interval(logs.tolist(), confidence))
    return low, high
