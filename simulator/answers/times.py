"""Times to a target of groups of runs on many networks, ready to be compared: as a table or over a grid of figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from simulator.answers.groups import Group
from simulator.answers.knobs import Knob
from simulator.answers.runs import Finished, Floats
from simulator.answers.target import Target, place_in
from simulator.answers.timing import seconds_at_marks

# Gives the configurations on which a run is played, in the same order for every run.
Networks = Callable[[Finished], Sequence[DictConfig]]


def times_to_target(
    groups: Sequence[Group], target: Target, networks: Networks
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Re-time every run on every network.

    Parameters
    ----------
    groups : sequence of Group, g of them
    target : Target
    networks : callable
        Finished to sequence of DictConfig, c of them.

    Returns
    -------
    times : ndarray, shape (c, g, s)
        Seconds to the target for each of the s seeds that any group has, in increasing order; the lower bound where it
        was not reached, NaN where a group lacks the seed.
    reached : ndarray of bool, shape (g, s)

    Raises
    ------
    NotReplayable
        If a run is racy.
    Missing
        If a run has no such metric.
    ValueError
        If no run reaches the target.
    """
    return _times(groups, target, lambda run: seconds_at_marks(run.folder, networks(run)))


def recorded_times(groups: Sequence[Group], target: Target) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Give what `times_to_target` gives, as it was recorded: times of shape (g, s), also of racy runs."""
    return _times(groups, target, lambda run: run.seconds)


def _times(
    groups: Sequence[Group], target: Target, clock: Callable[[Finished], Floats]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Read clocks of shape (..., m) where each run meets the target: times of shape (..., g, s)."""
    seeds = sorted({run.seed for group in groups for run in group.runs})
    reached = np.zeros((len(groups), len(seeds)), dtype=bool)
    found: dict[tuple[int, int], Floats] = {}
    somebody_reaches([run for group in groups for run in group.runs], target)
    for at, group in enumerate(groups):
        for run in group.runs:
            where, column = place_in(run, target), seeds.index(run.seed)
            found[at, column] = where.of(clock(run))
            reached[at, column] = where.reached
    times = np.full((*next(iter(found.values())).shape, len(groups), len(seeds)), np.nan)
    for (at, column), values in found.items():
        times[..., at, column] = values
    return times, reached


def somebody_reaches(runs: Sequence[Finished], target: Target) -> None:
    """Refuse a target that no run reaches.

    Raises
    ------
    ValueError
        Naming the run that comes nearest.
    """
    if any(place_in(run, target).reached for run in runs):
        return
    bests = [target.sign * float(np.nanmax(target.sign * run.column(target.metric))) for run in runs]
    nearest = max(range(len(runs)), key=lambda at: target.sign * bests[at])
    raise ValueError(
        f"target: expected {target.metric} that a run reaches, got {target.value:g}; the nearest is {bests[nearest]:g} "
        f"in {runs[nearest].path}"
    )


def grid(
    config: DictConfig, first: Knob, second: Knob, values: Sequence[float], others: Sequence[float]
) -> list[DictConfig]:
    """Turn two knobs to every pair of values: of b and l, b * l configurations, the second knob's running fastest."""
    return [second.turned(first.turned(config, value), other) for value in values for other in others]
