"""How stale gradients were when they were applied: a histogram for each asynchronous run, from `summary.json`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures.groups import grouped, identity, labels, settings
from figures.problems import FigureError
from figures.runs import Run
from figures.tables import at_most
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9


@dataclass(frozen=True)
class Panel:
    """Gradients by staleness of one group of runs, its seeds added up; `counts[s]` were s versions late."""

    title: str
    seeds: int
    counts: np.ndarray

    @property
    def mean(self) -> float:
        return float(np.dot(np.arange(len(self.counts)), self.counts) / self.counts.sum())


@dataclass(frozen=True)
class Staleness:
    """Panels with one common horizontal axis."""

    panels: Sequence[Panel]

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return "Gradients by the number of updates that the server made between reading the model and applying them."

    def csv(self) -> str:
        """Write the plotted numbers, a line for each bar."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["group", "seeds", "staleness", "gradients", "share"])
        for panel in self.panels:
            for late, count in enumerate(panel.counts.tolist()):
                writer.writerow([panel.title, panel.seeds, late, count, repr(count / int(panel.counts.sum()))])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Mapping[str, str]) -> Staleness:
    """Add up the histograms of each group of seeds; runs without one are left out.

    Raises
    ------
    FigureError
        If no run has one.
    """
    racy = [run for run in runs if _histogram(run) is not None]
    if not racy:
        found = ", ".join(sorted({str(run.config["algorithm"].get("name")) for run in runs}))
        raise FigureError(f"runs: expected a run with a staleness in its summary (asynchronous), got {found}")
    groups = list(grouped(racy, identity).values())
    at_most([group[0] for group in groups], PANELS)
    titles = labels([settings(group[0]) for group in groups], "algorithm")
    return Staleness([_panel(title, group) for title, group in zip(titles, groups, strict=True)])


def _histogram(run: Run) -> Mapping[str, int] | None:
    """Give a run's histogram, unless nothing could ever be stale in it."""
    found = run.summary.get("staleness")
    told = isinstance(found, Mapping) and (set(found) != {"0"} or run.summary.get("racy") is not False)
    return found if told and found else None


def _panel(title: str, runs: Sequence[Run]) -> Panel:
    counts: dict[int, int] = {}
    for run in runs:
        for late, count in (_histogram(run) or {}).items():
            counts[int(late)] = counts.get(int(late), 0) + int(count)
    return Panel(title, len(runs), np.array([counts.get(late, 0) for late in range(max(counts) + 1)], dtype=np.int64))


def draw(staleness: Staleness, page: Page = DEFAULT) -> Figure:
    """Draw a histogram in each panel, with the mean."""
    import matplotlib

    from figures.legends import wrapped
    from figures.panels import inner, lowest, panels

    shown = staleness.panels
    with matplotlib.rc_context(page.style | {"axes.grid.axis": "y"}):
        figure, grid, columns = panels(page, len(shown), most=2.2, sharex=True, sharey=True)
        for at, (axes, panel) in enumerate(zip(grid, shown, strict=True)):
            _bars(axes, panel, page)
            axes.set_title(wrapped(panel.title, page.text, page.inches / columns - 0.6 * page.scale))
            if lowest(at, len(shown), columns):
                axes.set_xlabel("Staleness (server updates)")
                axes.tick_params(labelbottom=True)
            if not inner(at, columns):
                axes.set_ylabel("Share of gradients (%)")
    return figure


def _bars(axes: Axes, panel: Panel, page: Page) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.bar(range(len(panel.counts)), 100 * panel.counts / panel.counts.sum(), 0.85, color="#0072B2", zorder=2)
    axes.axvline(panel.mean, color="#D55E00", linestyle=(0, (4, 2)), linewidth=1.2 * page.scale, zorder=3)
    right = panel.mean > 0.5 * len(panel.counts)  # the longer side has room for the text
    axes.annotate(
        f"mean {panel.mean:.3g}", (panel.mean, 1.0), (-4 if right else 4, -2), xycoords=axes.get_xaxis_transform(),
        textcoords="offset points", va="top", ha="right" if right else "left", color="#A84300", size=page.small,
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(y=0.18)
