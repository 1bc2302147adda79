"""When a run reaches a target: the first mark at which it was measured to hold, and nothing in between.

A run that never gets there is *censored*: all that is known is that it takes longer than the run lasted. No mean is
taken over seeds of which one is censored, since leaving it out would make the mean too good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from figures.charts import ACCURACY, LEARNT, LOSS, Axis
from figures.groups import one_task
from figures.options import Options, choice, number
from figures.problems import FigureError
from figures.runs import Run

KEYS = {
    "metric": "accuracy|loss|perplexity|bleu   default: accuracy, or loss where there is none",
    "target": "<number>      of the metric; default: what every run attains at its best, to two digits",
}


@dataclass(frozen=True)
class Goal:
    """A metric and the value that it has to reach."""

    axis: Axis
    value: float

    @property
    def title(self) -> str:
        return f"{100 * self.value:g} %" if self.axis is ACCURACY else f"{self.axis.column} {self.value:g}"

    def mark(self, run: Run) -> int | None:
        """Give the place of the first mark at which the run holds the target, None where it never does."""
        reached = np.flatnonzero(self.axis.sign * self.axis.read(run) >= self.axis.sign * self.value)
        return int(reached[0]) if reached.size else None


def measured(runs: Sequence[Run], options: Options) -> Axis:
    """Read `metric`: the quantity by which runs are compared.

    Raises
    ------
    FigureError
        If a run lacks it.
    """
    accurate = any(np.isfinite(run.metrics["accuracy"]).any() for run in runs)
    default = ACCURACY if accurate else LOSS
    axis = LEARNT[choice(options, "metric", (default.column, *(name for name in LEARNT if name != default.column)))]
    for run in runs:
        if not np.isfinite(axis.read(run)).any():
            raise FigureError(f"{run.folder}: expected a finite {axis.column}, got none; narrow runs=")
    return axis


def goal(runs: Sequence[Run], options: Options) -> Goal:
    """Read `metric` and `target` for runs of one task.

    Raises
    ------
    FigureError
        For several tasks, a target that is no fraction where accuracies are compared, or one that no run reaches.
    """
    one_task(runs)
    axis, value = measured(runs, options), number(options, "target")
    if value is None:
        return Goal(axis, easiest(runs, axis))
    if axis is ACCURACY and not 0 < value <= 1:
        raise FigureError(f"target: expected an accuracy between 0 and 1, got {value:g}")
    found = Goal(axis, value)
    if all(found.mark(run) is None for run in runs):
        best = max(runs, key=lambda run: float(np.nanmax(axis.sign * axis.read(run))))
        attained = axis.sign * float(np.nanmax(axis.sign * axis.read(best)))
        raise FigureError(
            f"target: expected one that some run reaches, got {axis.column} {value:g}; the best is {attained:.4g} "
            f"({best.folder})"
        )
    return found


def final(run: Run, axis: Axis) -> float:
    """Give the last measured value."""
    values = axis.read(run)
    return float(values[np.isfinite(values)][-1])


def easiest(runs: Sequence[Run], axis: Axis) -> float:
    """Give the worst of the runs' bests, made a little easier so that it is a round number that all reach."""
    worst = min(float(np.nanmax(axis.sign * axis.read(run))) for run in runs)
    return float(np.floor(worst * 100 + 1e-9) / 100 if axis is ACCURACY else axis.sign * _round_down(worst))


def _round_down(value: float) -> float:
    """Round towards minus infinity to two significant digits."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - 1)
    return float(np.floor(value / unit) * unit)
