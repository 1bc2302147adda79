"""At which bandwidth two algorithms meet a target at the same time: both traces re-timed inside a root finder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from omegaconf import DictConfig

from simulator.answers.crossings import Crossing, crossings
from simulator.answers.knobs import Knob
from simulator.answers.runs import Finished, Floats
from simulator.answers.student import mean_interval
from simulator.answers.target import Target, place_in
from simulator.answers.timing import seconds_at_marks


@dataclass(frozen=True)
class Contest:
    """Two runs of one seed with the configurations on which they are played.

    Parameters
    ----------
    runs : (Finished, Finished)
    configs : (DictConfig, DictConfig)
        As `knobs.played_on` gives them: the same network, each with its run's own seed.
    """

    runs: tuple[Finished, Finished]
    configs: tuple[DictConfig, DictConfig]


@dataclass(frozen=True)
class BreakEven:
    """Where two runs meet a target at the same time.

    Parameters
    ----------
    seed : int
    meetings : tuple of Crossing
        In the knob's unit; `rising` where the second run is faster above it.
    faster : int or None
        Without a meeting: which run, 0 or 1, is faster in the whole range; None where neither is, or it is not known.
    why : str
        Where no meeting could be looked for: who does not reach the target.
    """

    seed: int
    meetings: tuple[Crossing, ...]
    faster: int | None
    why: str = ""


def break_even(
    contest: Contest, target: Target, knob: Knob, low: float, high: float, points: int = 25, tolerance: float = 1e-3
) -> BreakEven:
    """Find every value of a knob at which two runs take the same time to a target.

    Parameters
    ----------
    contest : Contest
    target : Target
    knob : Knob
        Such as `knobs.bandwidth` of either configuration.
    low, high : float
        The range to search, in the knob's unit.
    points : int
        Of the coarse scan; two meetings between neighbouring points are not seen.
    tolerance : float
        Relative, on the knob.

    Returns
    -------
    BreakEven

    Raises
    ------
    NotReplayable
        If a run is racy.
    Missing
        If a run has no such metric.

    Notes
    -----
    The mark at which a run meets the target does not depend on the network, so each time is a continuous function of
    the bandwidth (but where a schedule or a slow start changes its number of steps); the logarithm of their ratio is
    what is solved for, in the logarithm of the knob. A run that ends before the target gives a lower bound only: where
    that is still later than the other's time in the whole range, the other is faster, and else nothing is known.
    """
    places = [place_in(run, target) for run in contest.runs]

    def times(which: int, values: Floats) -> Floats:
        configs = [knob.turned(contest.configs[which], float(value)) for value in values]
        return places[which].of(seconds_at_marks(contest.runs[which].folder, configs))

    def ratio(values: Floats) -> Floats:
        first, second = (times(which, values) for which in (0, 1))
        if not (first > 0).all() or not (second > 0).all():
            raise ValueError(f"target: expected {target} after some time, got a run that meets it at 0 s")
        return np.log(first / second)

    seed, reached = contest.runs[0].seed, [found.reached for found in places]
    if all(reached):
        found = tuple(crossings(ratio, low, high, points, tolerance))
        return BreakEven(seed, found, None if found else _ahead(ratio(np.array([low, math.sqrt(low * high), high]))))
    late = [run.path for run, known in zip(contest.runs, reached, strict=True) if not known]
    why = f"{target} is not reached by {' and '.join(map(str, late))}"
    if not any(reached):
        return BreakEven(seed, (), None, why)
    winner = reached.index(True)
    ahead = _ahead(ratio(np.geomspace(low, high, points)))
    return BreakEven(seed, (), winner if ahead == winner else None, why)


def _ahead(ratios: Floats) -> int | None:
    """Who is faster at all points: 0, 1, or None."""
    return 0 if (ratios < 0).all() else 1 if (ratios > 0).all() else None


def mean_meeting(answers: Sequence[BreakEven], confidence: float = 0.95) -> tuple[float, float, float]:
    """Give the geometric mean over seeds of the meeting, and its interval by Student's t in the logarithm.

    Returns
    -------
    tuple of float
        Mean, low, high; NaN where a seed has not exactly one meeting, the interval also where there is one seed.
    """
    if any(len(one.meetings) != 1 for one in answers):
        return math.nan, math.nan, math.nan
    logs = [math.log(one.meetings[0].at) for one in answers]
    low, high = mean_interval(logs, confidence) if len(logs) > 1 else (math.nan, math.nan)
    return math.exp(fmean(logs)), math.exp(low), math.exp(high)


def pairs(first: Sequence[Finished], second: Sequence[Finished]) -> list[tuple[Finished, Finished]]:
    """Pair runs by seed.

    Raises
    ------
    ValueError
        If no seed is in both.
    """
    seeds = {run.seed: run for run in second}
    found = [(run, seeds[run.seed]) for run in first if run.seed in seeds]
    if not found:
        told = [", ".join(str(run.seed) for run in runs) for runs in (first, second)]
        raise ValueError(f"a, b: expected runs of the same seeds, got {told[0]} and {told[1]}")
    return found
