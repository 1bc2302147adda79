"""Where the time goes: for each algorithm and network a bar of the mean worker and one of the slowest."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.groups import grouped, identity, labels, settings
from figures.kinds import KINDS, time_unit
from figures.problems import FigureError
from figures.runs import Run
from figures.tables import read_columns
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS = ("compute", "encode", "uplink", "downlink", "queue", "wait", "away")
COLUMNS = ("compute_s", "encode_s", "uplink_s", "downlink_s", "uplink_queue_s", "downlink_queue_s", "waiting_s")
UNITS = ("auto", "seconds", "share")
FAR = 20.0  # bars that differ by more than this are shown as shares unless asked otherwise
WORKERS = ("mean", "slowest")
ADVICE = "it holds no queueing: re-time the run (python -m simulator.retime), or run it anew"


@dataclass(frozen=True)
class Bar:
    """Seconds per round by kind, of one group of runs, mean over its seeds."""

    label: str
    worker: str  # one of WORKERS
    seeds: int
    seconds: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Breakdown:
    """Bars, two for each group, and whether they are drawn as shares of the time or as seconds."""

    bars: Sequence[Bar]
    shares: bool

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return (
            "Simulated time per round by what it is spent on, of the mean worker and of the one that waits least, mean "
            "over seeds; queueing is what contention added to the transfers."
        )

    def csv(self) -> str:
        """Write the plotted numbers, a line for each part of a bar."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["group", "worker", "seeds", "kind", "seconds_per_round", "share"])
        for bar in self.bars:
            for kind, seconds in bar.seconds.items():
                writer.writerow([bar.label, bar.worker, bar.seeds, kind, repr(seconds), repr(seconds / bar.total)])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Mapping[str, str]) -> Breakdown:
    """Compute the bars.

    Raises
    ------
    FigureError
        If a run has no queueing in its timeline, or no simulated time at all.
    """
    unit = options.get("unit", UNITS[0])
    if unit not in UNITS:
        raise FigureError(f"unit: expected one of {', '.join(UNITS)}, got {unit}")
    groups = list(grouped(runs, identity).values())
    bars = []
    for label, members in zip(labels([settings(group[0]) for group in groups], "algorithm"), groups, strict=True):
        of_seeds = [_parts(run) for run in members]
        for at, worker in enumerate(WORKERS):
            seconds = {kind: float(np.mean([parts[kind][at] for parts in of_seeds])) for kind in PARTS}
            bars.append(Bar(label, worker, len(members), seconds))
    totals = [bar.total for bar in bars]
    return Breakdown(bars, unit == "share" or (unit == "auto" and max(totals) > FAR * min(totals)))


def _parts(run: Run) -> dict[str, tuple[float, float]]:
    """Give the seconds per round of the mean worker and of the slowest, which waits least."""
    last = read_columns(run, "timeline", COLUMNS, ADVICE, optional=("away_s",)).to_pylist()[-1]
    last.setdefault("away_s", np.zeros(len(last["waiting_s"])))
    spent = {name.removesuffix("_s"): np.array(last[name], dtype=np.float64) for name in (*COLUMNS, "away_s")}
    rounds = max(float(run.metrics["round"][-1]), 1.0)
    queue = spent["uplink_queue"] + spent["downlink_queue"]
    uplink, downlink = spent["uplink"] - spent["uplink_queue"], spent["downlink"] - spent["downlink_queue"]
    columns = (spent["compute"], spent["encode"], uplink, downlink, queue, spent["waiting"], spent["away"])
    if not sum(column.sum() for column in columns) > 0:
        raise FigureError(f"{run.folder}: expected simulated time that was spent, got none")
    slowest = int(np.argmin(spent["waiting"] + spent["away"]))
    means = ((float(column.mean()) / rounds, float(column[slowest]) / rounds) for column in columns)
    return dict(zip(PARTS, means, strict=True))


def draw(breakdown: Breakdown, page: Page = DEFAULT) -> Figure:
    """Draw horizontal bars, those of a group next to each other."""
    import matplotlib
    from matplotlib.figure import Figure

    from figures import ticks
    from figures.legends import below, legend_inches, wrapped

    bars = breakdown.bars
    scale, name = time_unit(max(bar.total for bar in bars))
    if breakdown.shares:
        scale = 100.0
    present = [kind for kind in PARTS if any(bar.seconds[kind] > 0 for bar in bars)]
    names = [wrapped(bar.label, page.small, 0.36 * page.inches) for bar in bars[:: len(WORKERS)]]
    each = [1.3 * page.small / 72 * max(1.8, label.count("\n") + 1.5) for label in names]
    with matplotlib.rc_context(page.style | {"axes.grid.axis": "x"}):
        handles, titles = legend(present)
        room = legend_inches(titles, page, handle=1.4) + 0.45 * page.scale
        figure = Figure(figsize=page.tall(sum(each) + room), layout="constrained")
        axes = figure.subplots()
        for at, bar in enumerate(bars):
            _bar(axes, bar, at // len(WORKERS) + 0.38 * (at % len(WORKERS)), scale, breakdown.shares, page)
        axes.set_yticks([at + 0.15 for at in range(len(names))], names)
        axes.set_ylim(len(names) - 0.35, -0.4)
        axes.tick_params(axis="y", length=0)
        longest = 1.0 if breakdown.shares else max(bar.total for bar in bars)
        axes.set_xlim(0.0, 1.24 * scale * longest)  # the number beside the longest bar needs room
        if breakdown.shares:
            ticks.percent(axes.xaxis, 100.0)
            axes.set_xticks(range(0, 101, 20 if page.inches > 5 else 50))
            title = "Share of the simulated time (beside: time per round)"
        else:
            ticks.linear(axes.xaxis)
            title = f"Simulated time per round ({name})"
        title = wrapped(title, page.text, 0.6 * page.inches)
        axes.set_xlabel(f"{title}\nabove: mean worker; below: slowest")
        below(figure, handles, titles, page, handle=1.4)
    return figure


def legend(kinds: Sequence[str]) -> tuple[list, list[str]]:
    """Give a legend's patches and names for some kinds of time."""
    from matplotlib.patches import Patch

    looks = [KINDS[kind] for kind in kinds]
    patches = [Patch(facecolor=k.colour, hatch=k.hatch, edgecolor="white", linewidth=0.4) for k in looks]
    return patches, [k.title for k in looks]


def _bar(axes: Axes, bar: Bar, y: float, scale: float, share: bool, page: Page) -> None:
    whole, left = (bar.total if share else 1.0), 0.0
    height = 0.36 if bar.worker == "mean" else 0.22
    for kind, seconds in bar.seconds.items():
        width, look = seconds / whole * scale, KINDS[kind]
        axes.barh(y, width, height, left, color=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0.4)
        left += width
    per_second, name = time_unit(bar.total)
    if bar.worker == "mean":
        text = f"{bar.total * per_second:.3g} {name}"
        axes.annotate(text, (left, y), (4, 0), textcoords="offset points", va="center", size=page.small)
