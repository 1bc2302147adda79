"""How many times faster than a baseline each algorithm reaches a target, a panel for each network."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures import targets
from figures.groups import grouped, identity, labels, network_settings, one_per_seed, one_task, settings
from figures.options import Options
from figures.problems import FigureError
from figures.runs import Run, same_clock
from figures.targets import Goal
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from figures.looks import Look

BASELINE = "sgd"
KEYS = targets.KEYS | {"baseline": f"<algorithm or label>   to compare with; default {BASELINE}"}
FAR = 30.0  # speed-ups further apart than this are drawn on a logarithmic axis


@dataclass(frozen=True)
class Bar:
    """The baseline's time over the algorithm's, seed by seed, on one network; empty where one is censored."""

    panel: str
    label: str
    algorithm: str
    ratios: Sequence[float]

    @property
    def mean(self) -> float:
        """The geometric mean: how many times faster and how many times slower average to 1. NaN if censored."""
        return float(np.exp(np.mean(np.log(self.ratios)))) if self.ratios else float("nan")


@dataclass(frozen=True)
class Speedup:
    """Bars by network, then algorithm."""

    bars: Sequence[Bar]
    baseline: str
    goal: Goal
    task: str

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return (
            f"Speed-up over {self.baseline} in simulated time to {self.goal.title} on {self.task}; geometric mean over "
            "seeds that both have, whiskers from the smallest to the largest."
        )

    def csv(self) -> str:
        """Write the bars; a bar with a seed that never reaches the target has no numbers."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["panel", "group", "baseline", "seeds", "speedup", "low", "high"])
        for bar in self.bars:
            shown = [repr(v) for v in (bar.mean, min(bar.ratios), max(bar.ratios))] if bar.ratios else [""] * 3
            writer.writerow([bar.panel, bar.label, self.baseline, len(bar.ratios), *shown])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Options) -> Speedup:
    """Compare each group with the baseline on the same network, seed by seed.

    Raises
    ------
    FigureError
        If there is no such baseline, or it does not reach the target itself.
    """
    goal, task, wanted = targets.goal(runs, options), one_task(runs), options.get("baseline", BASELINE)
    groups = [one_per_seed(group, same_clock) for group in grouped(runs, identity).values()]
    names = labels([settings(group[0], ("network",)) for group in groups], "algorithm")
    networks = labels([network_settings(group[0]) for group in groups], "network")
    times = [{run.config.get("seed"): _seconds(run, goal) for run in group} for group in groups]
    chosen = [at for at, group in enumerate(groups) if wanted in (names[at], group[0].algorithm)]
    if not chosen:
        known = ", ".join(dict.fromkeys([*(group[0].algorithm for group in groups), *names]))
        raise FigureError(f"baseline: expected one of {known}, got {wanted}")
    base: dict[str, int] = {}
    for at in chosen:
        if base.setdefault(networks[at], at) != at:
            several = ", ".join(repr(names[one]) for one in chosen if networks[one] == networks[at])
            raise FigureError(f"baseline: expected one group, {wanted} may be {several}; name one of them")
    bars = []
    for at, (name, network) in enumerate(zip(names, networks, strict=True)):
        if network not in base:
            raise FigureError(f"baseline: expected {wanted} on every network, got none on {network}; narrow runs=")
        reference = times[base[network]]
        if None in reference.values():
            raise FigureError(f"target: expected one that {wanted} reaches with every seed, got {goal.title}")
        pairs = [(reference[seed], times[at][seed]) for seed in times[at] if seed in reference]
        whole = bool(pairs) and all(mine for _, mine in pairs)
        bars.append(Bar(network, name, groups[at][0].algorithm, [a / b for a, b in pairs] if whole else []))  # type: ignore[operator]
    panels = list(dict.fromkeys(networks))
    return Speedup(sorted(bars, key=lambda bar: panels.index(bar.panel)), wanted, goal, task)


def _seconds(run: Run, goal: Goal) -> float | None:
    mark = goal.mark(run)
    return None if mark is None else float(run.seconds[mark])


def draw(numbers: Speedup, page: Page = DEFAULT) -> Figure:
    """Draw horizontal bars from 1, each with its number."""
    import matplotlib

    from figures.legends import wrapped
    from figures.looks import looks
    from figures.panels import inner, lowest, panels

    bars, titles = numbers.bars, list(dict.fromkeys(bar.panel for bar in numbers.bars))
    names = list(dict.fromkeys(bar.label for bar in bars))
    shown = [wrapped(name, page.small, 0.3 * page.inches) for name in names]
    styles = looks((bar.algorithm, bar.label) for bar in bars)
    known = [bar.mean for bar in bars if bar.ratios]
    log = max(known) > FAR * min(known)
    with matplotlib.rc_context(page.style | {"axes.grid.axis": "x"}):
        rows = 0.06 * page.scale + 1.5 * page.small / 72 * sum(name.count("\n") + 1.3 for name in shown)
        count, tall = page.columns(len(titles)), rows + 0.55 * page.scale
        figure, grid, columns = panels(
            page, len(titles), shape=tall * count / page.inches, most=9.0, least_tall=tall, sharey=True, sharex=True,
        )  # fmt: skip
        for at, (axes, title) in enumerate(zip(grid, titles, strict=True)):
            mine = {bar.label: bar for bar in bars if bar.panel == title}
            _bars(axes, [mine.get(name) for name in names], styles, page, log)
            _across(axes, bars, log)
            axes.set_title(wrapped(title, page.text, page.inches / columns - 0.6 * page.scale))
            axes.tick_params(labelbottom=True)
            if lowest(at, len(titles), columns):
                axes.set_xlabel(f"Speed-up over {numbers.baseline}\nto {numbers.goal.title}")
            axes.set_yticks(range(len(names)), shown)
            axes.tick_params(axis="y", length=0, labelleft=not inner(at, columns))
        grid[0].invert_yaxis()
    return figure


def _bars(axes: Axes, bars: Sequence[Bar | None], styles: dict[str, Look], page: Page, log: bool) -> None:
    start = 1.0 if log else 0.0  # logarithms have no zero to start from
    for at, bar in enumerate(bars):
        if bar is None or not bar.ratios:
            text = "not reached" if bar is not None else "no run"
            axes.annotate(text, (1.0, at), (4, 0), textcoords="offset points", va="center", size=page.small)
            continue
        axes.barh(at, bar.mean - start, 0.7, start, color=styles[bar.label].colour, zorder=2)
        low, high = min(bar.ratios), max(bar.ratios)
        if len(bar.ratios) > 1:
            axes.plot([low, high], [at, at], color="0.45", linewidth=1.0 * page.scale, marker="|", zorder=3)
        place = (max(high, 1.0), at)
        axes.annotate(f"{bar.mean:.3g}×", place, (4, 0), textcoords="offset points", va="center", size=page.small)
    axes.axvline(1.0, color="black", linewidth=0.8 * page.scale, zorder=4)


def _across(axes: Axes, bars: Sequence[Bar], log: bool) -> None:
    """One axis for all panels, with room for the number beside the longest bar."""
    from figures import ticks

    every = [ratio for bar in bars for ratio in bar.ratios] + [1.0]
    low, high = min(every), max(every)
    if log:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.3, high * (high / low) ** 0.5)
        ticks.logarithmic(axes.xaxis)
    else:
        axes.set_xlim(0.0, 1.45 * high)
        ticks.linear(axes.xaxis)
