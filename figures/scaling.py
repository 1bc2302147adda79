"""Samples per second against the number of workers, beside what it would be if nothing but gradients took time."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.groups import grouped, identity, labels, network_settings, one_per_seed, settings
from figures.options import Options
from figures.problems import FigureError
from figures.runs import Run
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEYS: dict[str, str] = {}


@dataclass(frozen=True)
class Line:
    """One algorithm on one network: samples per simulated second at ascending numbers of workers, float64 [m]."""

    panel: str
    label: str
    algorithm: str
    workers: np.ndarray
    seeds: Sequence[int]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def efficiency(self) -> np.ndarray:
        """Throughput over that of the fewest workers times how many more there are."""
        return self.mean / (self.mean[0] * self.workers / self.workers[0])


@dataclass(frozen=True)
class Scaling:
    """Lines by network, then algorithm."""

    lines: Sequence[Line]

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return (
            "Samples per simulated second against the number of workers, mean over seeds, bars from the smallest to "
            "the largest; ideal: the fastest line's first point times how many more workers there are."
        )

    def csv(self) -> str:
        """Write the points; efficiency is against the line's own first point."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = ("samples_per_s_mean", "samples_per_s_low", "samples_per_s_high", "efficiency")
        writer.writerow(["panel", "group", "workers", "seeds", *columns])
        for line in self.lines:
            table = zip(line.workers, line.seeds, line.mean, line.low, line.high, line.efficiency, strict=True)
            for workers, seeds, *numbers in table:
                writer.writerow([line.panel, line.label, int(workers), seeds, *(repr(float(v)) for v in numbers)])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Options) -> Scaling:
    """Compute throughputs; runs that differ in nothing but workers and seed make a line.

    Raises
    ------
    FigureError
        If no line has two points, or a run knows no samples or no time.
    """
    groups = list(grouped(runs, lambda run: identity(run, ("workers",))).values())
    names = labels([settings(group[0], ("workers", "network")) for group in groups], "algorithm")
    networks = labels([network_settings(group[0], ("workers",)) for group in groups], "network")
    lines = [_line(*found) for found in zip(networks, names, groups, strict=True)]
    longer = [line for line in lines if line.workers.size > 1]
    if not longer:
        found = ", ".join(str(workers) for workers in sorted({run.workers for run in runs}))
        raise FigureError(f"runs: expected one setting with several numbers of workers, got {found} in different ones")
    panels = list(dict.fromkeys(networks))
    return Scaling(sorted(longer, key=lambda line: panels.index(line.panel)))


def _line(panel: str, label: str, runs: Sequence[Run]) -> Line:
    by_workers = sorted(grouped(runs, lambda run: run.workers).items())
    rates = [np.array([_throughput(run) for run in one_per_seed(members, _same)]) for _, members in by_workers]
    return Line(
        panel,
        label,
        runs[0].algorithm,
        np.array([float(str(workers)) for workers, _ in by_workers]),
        [rate.size for rate in rates],
        np.array([rate.mean() for rate in rates]),
        np.array([rate.min() for rate in rates]),
        np.array([rate.max() for rate in rates]),
    )


def _throughput(run: Run) -> float:
    samples, seconds = float(run.metrics["samples"][-1]), float(run.seconds[-1])
    if not np.isfinite(samples) or not seconds > 0:
        raise FigureError(f"{run.folder}: expected samples and simulated time, got {samples:g} in {seconds:g} s")
    return samples / seconds


def _same(first: Run, second: Run) -> bool:
    return _throughput(first) == _throughput(second)


def draw(numbers: Scaling, page: Page = DEFAULT) -> Figure:
    """Draw lines in log-log, a panel for each network, each with its ideal."""
    import matplotlib
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    from figures import ticks
    from figures.legends import below, legend_inches, wrapped
    from figures.looks import looks
    from figures.panels import inner, panels

    lines, titles = numbers.lines, list(dict.fromkeys(line.panel for line in numbers.lines))
    styles = looks((line.algorithm, line.label) for line in lines)
    names = [*dict.fromkeys(line.label for line in lines), "ideal"]
    with matplotlib.rc_context(page.style):
        figure, grid, columns = panels(page, len(titles), legend=legend_inches(names, page), sharey=True)
        handles: dict[str, Any] = {}
        for at, (axes, title) in enumerate(zip(grid, titles, strict=True)):
            mine = [line for line in lines if line.panel == title]
            for line in mine:
                look = styles[line.label]
                spread = [line.mean - line.low, line.high - line.mean]
                drawn = axes.errorbar(
                    line.workers, line.mean, spread, color=look.colour, linestyle=look.dash, marker=look.marker,
                    markerfacecolor=look.fill, capsize=2 * page.scale, zorder=3,
                )  # fmt: skip
                handles.setdefault(line.label, drawn.lines[0])
            counts = np.unique(np.concatenate([line.workers for line in mine]))
            per_worker = max(line.mean[0] / line.workers[0] for line in mine)
            ideal: Any = {"color": "0.5", "linestyle": (0, (2, 2)), "zorder": 2, "linewidth": 1.0 * page.scale}
            handles.setdefault("ideal", axes.plot(counts, per_worker * counts, **ideal)[0])
            axes.set_xscale("log")
            axes.set_yscale("log")
            ticks.logarithmic(axes.yaxis)
            axes.xaxis.set_major_locator(FixedLocator(_apart(counts)))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.set_title(wrapped(title, page.text, page.inches / columns - 0.6 * page.scale))
            axes.set_xlabel("Workers")
            if not inner(at, columns):
                axes.set_ylabel("Samples per simulated second")
        below(figure, [handles[name] for name in names], names, page)
    return figure


def _apart(counts: np.ndarray) -> list[float]:
    """Choose the counts that are named: each at least a fifth more than the one before."""
    chosen: list[float] = []
    for count in counts.tolist():
        if not chosen or count >= 1.2 * chosen[-1]:
            chosen.append(count)
    return chosen
