"""From runs to curves: seeds are brought to common rounds, then averaged, with a band around the mean.

Both coordinates are averaged at equal rounds, so a point of a curve is "after round t, this much was sent and this much
was learnt, on average over seeds". A curve never mixes groups; a run counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from figures.charts import Axis, Chart
from figures.groups import grouped, identity, labels, one_per_seed, settings
from figures.problems import FigureError
from figures.runs import Run

BANDS = {"minmax": "min–max band", "std": "band of ±1 standard deviation"}
# What moves the clock but, unless a program is racy, nothing else.
CLOCK_ONLY = ("network", "compute", "stragglers")


@dataclass(frozen=True)
class Curve:
    """A mean line of m points and its band; every array is float64 [m]."""

    panel: str
    label: str
    algorithm: str
    seeds: int
    rounds: np.ndarray
    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Sheet:
    """What a figure says about itself besides its curves."""

    y: Axis
    x: Axis
    scale: str  # of the horizontal axis: "log" or "linear"
    band: str  # a key of BANDS
    task: str

    def band_note(self, curves: Sequence[Curve]) -> str:
        """Say what the lines and bands are, or nothing where every line is a single run."""
        counts = sorted({curve.seeds for curve in curves})
        if counts[-1] == 1:
            return ""
        many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
        return f"mean and {BANDS[self.band]} over {many} seeds"

    def caption(self, curves: Sequence[Curve]) -> str:
        """Say in one sentence what is shown; it travels in the files' metadata."""
        note = self.band_note(curves) or "one run per line"
        return f"{self.y.title} on {self.task} against {self.x.title[0].lower()}{self.x.title[1:]}, cumulative; {note}."


def draw_up(runs: Sequence[Run], chart: Chart, x: Axis, *, log_x: bool, band: str = "minmax") -> list[Curve]:
    """Compute what a chart shows of some runs.

    Parameters
    ----------
    runs : sequence of Run
        Of one task.
    chart : Chart
        What stands upright.
    x : Axis
        What lies across, and by `timed` whether networks get a panel each.
    log_x : bool
        Leave out points with x <= 0 (before anything was sent, or before the clock started).
    band : {"minmax", "std"}
        Smallest to largest seed, or one sample standard deviation (n - 1) to either side of the mean.

    Returns
    -------
    list of Curve
        By panel, then group, both in order of first appearance.

    Raises
    ------
    FigureError
        If the runs lack the quantity, or copies of one run disagree.
    """
    groups = _timed(runs, chart, x) if x.timed else _untimed(runs, chart, x)
    curves = [_average(panel, label, members, chart.y, x, log_x, band) for panel, label, members in groups]
    panels = list(dict.fromkeys(curve.panel for curve in curves))
    return sorted(curves, key=lambda curve: panels.index(curve.panel))


def _timed(runs: Sequence[Run], chart: Chart, x: Axis) -> list[tuple[str, str, list[Run]]]:
    """Group by all settings; the network names the panel, the rest the line."""
    groups = list(grouped(runs, identity).values())
    networks = labels([_only_network(members[0]) for members in groups], "network")
    names = labels([settings(members[0], without=("network",)) for members in groups], "algorithm")
    kept = [one_per_seed(members, lambda a, b: _same(a, b, chart.y, x)) for members in groups]
    return list(zip(networks, names, kept, strict=True))


def _only_network(run: Run) -> dict[str, object]:
    return {key: value for key, value in settings(run).items() if key.partition(".")[0] == "network"}


def _untimed(runs: Sequence[Run], chart: Chart, x: Axis) -> list[tuple[str, str, list[Run]]]:
    """Group by what can move the points: one run re-timed on many networks is one line, unless it is racy."""

    def same(first: Run, second: Run) -> bool:
        return _same(first, second, chart.y, x)

    groups: list[tuple[dict[str, object], list[Run]]] = []
    for members in grouped(runs, lambda run: identity(run, CLOCK_ONLY)).values():
        try:
            groups.append((settings(members[0], CLOCK_ONLY), one_per_seed(members, same)))
        except FigureError:
            parts = grouped(members, identity).values()
            groups += [(settings(part[0]), one_per_seed(part, same)) for part in parts]
    names = labels([group for group, _ in groups], "algorithm")
    return [("", name, members) for name, (_, members) in zip(names, groups, strict=True)]


def _same(first: Run, second: Run, *axes: Axis) -> bool:
    return np.array_equal(first.metrics["round"], second.metrics["round"]) and all(
        np.array_equal(axis.read(first), axis.read(second), equal_nan=True) for axis in axes
    )


def _average(panel: str, label: str, runs: Sequence[Run], y: Axis, x: Axis, log_x: bool, band: str) -> Curve:
    points = [_points(run, y, x) for run in runs]
    rounds, across, upright = _common(points, label)
    keep = across.mean(axis=0) > 0 if log_x else np.ones(rounds.size, dtype=bool)
    if not keep.any():
        raise FigureError(f"{label}: expected a positive {x.column} on a logarithmic axis, got none; try scale=linear")
    mean, spread = upright.mean(axis=0), upright.std(axis=0, ddof=1) if len(runs) > 1 else 0.0
    low, high = (mean - spread, mean + spread) if band == "std" else (upright.min(axis=0), upright.max(axis=0))
    columns = (rounds, across.mean(axis=0), mean, low, high)
    return Curve(panel, label, runs[0].algorithm, len(runs), *(column[keep] for column in columns))


def _points(run: Run, y: Axis, x: Axis) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give rounds, x and y of the marks at which y was measured."""
    across, upright = x.read(run), y.read(run)
    measured = np.isfinite(upright)
    if not measured.any():
        raise FigureError(f"{run.folder}: expected a finite {y.column}, got none (task {run.task}); try another figure")
    if not np.isfinite(across[measured]).all():
        raise FigureError(f"{run.folder}: expected {x.column} at every mark, got null; try another x")
    return run.metrics["round"][measured], across[measured], upright[measured]


def _common(
    points: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], label: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring all seeds to the rounds between every seed's first and last; shapes [m], [seeds, m], [seeds, m]."""
    first, last = max(rounds[0] for rounds, _, _ in points), min(rounds[-1] for rounds, _, _ in points)
    grid = np.unique(np.concatenate([rounds for rounds, _, _ in points]))
    grid = grid[(grid >= first) & (grid <= last)]
    if not grid.size:
        raise FigureError(f"{label}: expected seeds with common rounds, got none")
    across = np.stack([np.interp(grid, rounds, x) for rounds, x, _ in points])
    return grid, across, np.stack([np.interp(grid, rounds, y) for rounds, _, y in points])
