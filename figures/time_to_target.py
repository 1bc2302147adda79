"""Time to a target against bandwidth, a line for each algorithm; where two take equally long is marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures import targets
from figures.crossings import Crossing, interpolated, solved
from figures.groups import one_task
from figures.options import Options, grid
from figures.problems import FigureError
from figures.reaching import Times, recorded, retimed
from figures.runs import Run
from figures.targets import Goal
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BANDWIDTHS = "1e6:1e10:13"
KEYS = targets.KEYS | {
    "network": "<name>       re-time on it; default: take the runs as they were recorded",
    "bandwidth": f"first:last:count or a,b,c   of every worker's link (with network=; default {BANDWIDTHS})",
}


@dataclass(frozen=True)
class TimeToTarget:
    """Lines and where they cross; all times at one latency."""

    times: Times
    crossings: Sequence[Crossing]
    goal: Goal
    task: str

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        how = {True: "solved by re-timing both", False: "interpolated between recorded bandwidths"}
        told = {how[crossing.solved] for crossing in self.crossings}
        crossings = f"; crossings {' or '.join(sorted(told))}" if told else ""
        lost = [
            label for label, s in zip(self.times.labels, self.times.seconds, strict=True) if not np.isfinite(s).any()
        ]
        censored = f"; not reached by every seed of {', '.join(lost)}" if lost else ""
        return (
            f"Simulated time to {self.goal.title} on {self.task} against the bandwidth of each worker's link, "
            f"{self.times.how}, mean over seeds{crossings}{censored}."
        )

    def csv(self) -> str:
        """Write the plotted numbers: a line for each point, then one for each crossing."""
        text, times = io.StringIO(), self.times
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["kind", "group", "crosses", "seeds", "reached", "bandwidth_bps", "seconds", "how"])
        for at, label in enumerate(times.labels):
            for rate, seconds in zip(times.bandwidth_bps.tolist(), times.seconds[at, :, 0].tolist(), strict=True):
                if not np.isnan(seconds):
                    about = (times.seeds[at], times.reached[at], repr(rate), repr(seconds), times.how)
                    writer.writerow(["time", label, "", *about])
        for one in self.crossings:
            names, how = (times.labels[one.first], times.labels[one.second]), "solved" if one.solved else "interpolated"
            writer.writerow(["crossing", *names, "", "", repr(one.bandwidth_bps), repr(one.seconds), how])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Options) -> TimeToTarget:
    """Compute the lines and their crossings.

    Raises
    ------
    FigureError
        If nobody reaches the target, or the networks do not differ in bandwidth alone.
    """
    goal, task = targets.goal(runs, options), one_task(runs)
    if "network" in options:
        times = retimed(runs, goal, options["network"], grid(options, "bandwidth", BANDWIDTHS, "rate"))
        return TimeToTarget(times, solved(interpolated(times), times, goal, options["network"]), goal, task)
    times = recorded(runs, goal)
    if times.latency_s.size > 1:
        shown = ", ".join(f"{latency:g} s" for latency in times.latency_s)
        raise FigureError(f"runs: expected one latency, got {shown}; narrow the pattern, or re-time (network=lan_1g)")
    if times.bandwidth_bps.size < 2:
        raise FigureError(
            f"runs: expected several bandwidths, got {times.bandwidth_bps[0]:g} bit/s only; re-time (network=lan_1g)"
        )
    return TimeToTarget(times, interpolated(times), goal, task)


def draw(numbers: TimeToTarget, page: Page = DEFAULT) -> Figure:
    """Draw lines in log-log, a ring at each crossing, and a name at those where the fastest changes."""
    import matplotlib

    from figures import ticks
    from figures.legends import below, legend_inches
    from figures.looks import looks
    from figures.panels import panels
    from figures.placing import name_points

    times = numbers.times
    shown = [at for at in range(len(times.labels)) if np.isfinite(times.seconds[at]).any()]
    names = [times.labels[at] for at in shown]
    styles = looks(zip(times.algorithms, times.labels, strict=True))
    note = "○ takes equally long" if numbers.crossings else ""
    with matplotlib.rc_context(page.style):
        figure, (axes,), _ = panels(page, 1, legend=legend_inches(names, page, note))
        handles = []
        for at in shown:
            look, seconds = styles[times.labels[at]], times.seconds[at, :, 0]
            known = np.isfinite(seconds)
            handles += axes.plot(
                times.bandwidth_bps[known], seconds[known], color=look.colour, linestyle=look.dash,
                marker=look.marker, markerfacecolor=look.fill, zorder=3,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        for crossing in numbers.crossings:
            axes.plot(
                crossing.bandwidth_bps, crossing.seconds, "o", color="black", markerfacecolor="none",
                markersize=7 * page.scale * (1 if crossing.best else 0.7), markeredgewidth=0.8 * page.scale, zorder=5,
            )  # fmt: skip
        ticks.logarithmic(axes.xaxis, "bit/s")
        ticks.logarithmic(axes.yaxis)
        axes.set_xlabel("Bandwidth of each worker's link")
        axes.set_ylabel(f"Time to {numbers.goal.title} (s)")
        below(figure, handles, names, page, note)
        told = [crossing for crossing in numbers.crossings if crossing.best]
        where = [(crossing.bandwidth_bps, crossing.seconds) for crossing in told]
        name_points(figure, axes, where, [ticks.si(rate, "bit/s") for rate, _ in where], page)
    return figure
