"""Compression against what was learnt: a point for each algorithm, and the front of those that nobody beats in both."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.charts import ACCURACY, Axis
from figures.curves import CLOCK_ONLY
from figures.groups import grouped, identity, labels, one_per_seed, one_task, settings
from figures.options import Options, choice
from figures.problems import FigureError
from figures.runs import Run
from figures.targets import KEYS as TARGET_KEYS
from figures.targets import final, measured
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEYS = {"metric": TARGET_KEYS["metric"], "x": "uplink|total     which bits are compared"}
DENSE = 32.0  # bits of a coordinate that is not compressed


@dataclass(frozen=True)
class Point:
    """An algorithm's compression ratio and final metric: mean, smallest and largest over seeds."""

    label: str
    algorithm: str
    seeds: int
    ratio: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Pareto:
    """Points, and for each whether it is on the front."""

    points: Sequence[Point]
    front: Sequence[bool]
    axis: Axis
    x: str
    task: str

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        ways = "sent up" if self.x == "uplink" else "sent up and received"
        return (
            f"Final {self.axis.column} on {self.task} against compression: the bits of float32 gradients and models "
            f"exchanged at every local step over the bits on the wire {ways}; bars from the smallest to the largest "
            "seed; the line joins those that no other beats in both."
        )

    def csv(self) -> str:
        """Write the points."""
        text, y = io.StringIO(), self.axis.column
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["group", "seeds", f"{self.x}_compression", f"{y}_mean", f"{y}_low", f"{y}_high", "front"])
        for point, front in zip(self.points, self.front, strict=True):
            numbers = (repr(value) for value in (point.ratio, point.mean, point.low, point.high))
            writer.writerow([point.label, point.seeds, *numbers, "yes" if front else "no"])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Options) -> Pareto:
    """Compute points and front; networks do not matter, unless a program is racy.

    Raises
    ------
    FigureError
        If a run lacks the metric, its samples or the model's size, or sent nothing.
    """
    x, task, axis = choice(options, "x", ("uplink", "total")), one_task(runs), measured(runs, options)
    groups = list(grouped(runs, lambda run: identity(run, () if run.summary.get("racy") else CLOCK_ONLY)).values())
    members = [one_per_seed(group, lambda a, b: final(a, axis) == final(b, axis)) for group in groups]
    names = labels(
        [settings(group[0], () if group[0].summary.get("racy") else CLOCK_ONLY) for group in members], "algorithm"
    )
    points = []
    for name, group in zip(names, members, strict=True):
        learnt = [final(run, axis) for run in group]
        ratio = float(np.mean([compression(run, x) for run in group]))
        span = (float(np.mean(learnt)), min(learnt), max(learnt))
        points.append(Point(name, group[0].algorithm, len(group), ratio, *span))
    return Pareto(points, on_front([(p.ratio, axis.sign * p.mean) for p in points]), axis, x, task)


def compression(run: Run, x: str) -> float:
    """Give how many times fewer bits a run sent than dense float32 at each local step would have been."""
    sent = float(run.metrics["uplink_wire_bytes"][-1])
    if x == "total":
        sent += float(run.metrics["downlink_wire_bytes"][-1])
    d, samples = run.summary.get("coordinates"), float(run.metrics["samples"][-1])
    if not isinstance(d, int | float) or not np.isfinite(samples) or not sent > 0:
        raise FigureError(
            f"{run.folder}: expected the model's size, samples and bits sent, got {d}, {samples:g}, {sent:g}"
        )
    steps = samples / float(run.config["batch"])  # of all workers
    return DENSE / 8 * d * steps * (2 if x == "total" else 1) / sent


def on_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Say of each point whether no other is at least as good in both and better in one; more is better."""
    return [not any(a >= x and b >= y and (a, b) != (x, y) for a, b in points) for x, y in points]


def draw(numbers: Pareto, page: Page = DEFAULT) -> Figure:
    """Draw the points with their bars, the front as a dotted line with names; the legend names all."""
    import matplotlib

    from figures import ticks
    from figures.legends import below, legend_inches
    from figures.looks import looks
    from figures.panels import panels
    from figures.placing import name_points

    points = numbers.points
    styles = looks((point.algorithm, point.label) for point in points)
    names = [point.label for point in points]
    with matplotlib.rc_context(page.style):
        figure, (axes,), _ = panels(page, 1, legend=legend_inches(names, page, handle=1.2))
        handles = []
        for point in points:
            look, spread = styles[point.label], [[point.mean - point.low], [point.high - point.mean]]
            drawn = axes.errorbar(
                point.ratio, point.mean, spread if point.seeds > 1 else None, color=look.colour, marker=look.marker,
                markersize=5.5 * page.scale, markerfacecolor=look.fill, linestyle="none", capsize=2 * page.scale,
                zorder=4,
            )  # fmt: skip
            handles.append(drawn.lines[0])
        best = sorted((p for p, front in zip(points, numbers.front, strict=True) if front), key=lambda p: p.ratio)
        axes.plot(
            [p.ratio for p in best], [p.mean for p in best], color="0.5", linestyle=(0, (1, 1.5)), zorder=2,
            linewidth=1.1 * page.scale,
        )  # fmt: skip
        axes.set_xscale("log")
        axes.margins(0.12)
        ticks.logarithmic(axes.xaxis, ticks.TIMES)
        axes.set_xlabel(f"Compression ({'uplink' if numbers.x == 'uplink' else 'both ways'})")
        axes.set_ylabel(f"Final {numbers.axis.title[0].lower()}{numbers.axis.title[1:]}")
        if numbers.axis is ACCURACY:
            ticks.percent(axes.yaxis)
        below(figure, handles, names, page, handle=1.2)
        name_points(figure, axes, [(p.ratio, p.mean) for p in best], [p.label for p in best], page)
    return figure
