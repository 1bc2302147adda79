"""How busy each link was, from one mark to the next: lines for a few links, a heat map for many."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.groups import labels, settings
from figures.kinds import time_unit
from figures.problems import FigureError
from figures.runs import Run
from figures.tables import at_most, read_columns
from figures.venues import DEFAULT, SMALLEST, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("round", "seconds", "link", "capacity_bps", "carried_bits")
FEW = 6  # links that lines can still tell apart
LOW = 1.3  # inches (at 8 points) that a panel is tall at least
TICKS = 40  # links whose names have room beside a heat map
PANELS = 6
ADVICE = "re-time the run (python -m simulator.retime), or run it anew"


@dataclass(frozen=True)
class Panel:
    """One run: `edges` (m + 1 moments), and what of each link's capacity was used between them, shape (links, m)."""

    title: str
    links: Sequence[str]
    edges: np.ndarray
    used: np.ndarray


@dataclass(frozen=True)
class Utilisation:
    """Panels, one below the other."""

    panels: Sequence[Panel]

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return (
            "Share of each link's capacity that was used between two marks, over simulated time; a message counts when "
            "it has arrived."
        )

    def csv(self) -> str:
        """Write the plotted numbers, a line for each link and interval."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["panel", "link", "begin_s", "end_s", "utilisation"])
        for panel in self.panels:
            edges = panel.edges.tolist()
            for link, row in zip(panel.links, panel.used.tolist(), strict=True):
                for begin, end, used in zip(edges, edges[1:], row, strict=False):
                    writer.writerow([panel.title, link, repr(begin), repr(end), repr(used)])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Mapping[str, str]) -> Utilisation:
    """Compute the utilisation of each run's links, or (``top``) of the busiest ones only.

    Raises
    ------
    FigureError
        If a run has no links.parquet, or no time passed in it.
    """
    at_most(runs, PANELS)
    top = options.get("top")
    if top is not None and not (top.isdigit() and int(top)):
        raise FigureError(f"top: expected a number of links, got {top}")
    titles = labels([settings(run) for run in runs], "algorithm")
    return Utilisation([_panel(run, title, top and int(top)) for run, title in zip(runs, titles, strict=True)])


def _panel(run: Run, title: str, top: int | str | None) -> Panel:
    table = read_columns(run, "links", COLUMNS, ADVICE)
    names = list(dict.fromkeys(table["link"].to_pylist()))
    if not names:
        raise FigureError(f"{run.folder}: expected links with a limit, got none on network {run.config['network']}")
    seconds, capacity, bits = (
        table[name].to_numpy().reshape(-1, len(names)) for name in ("seconds", "capacity_bps", "carried_bits")
    )
    edges = np.concatenate(([0.0], seconds[:, 0]))
    passed = np.diff(edges)
    if not (passed > 0).any():
        raise FigureError(f"{run.folder}: expected simulated time between its marks, got none")
    moved = np.diff(bits, axis=0, prepend=0.0)[passed > 0]
    used = (moved / (capacity[passed > 0] * passed[passed > 0, None])).T
    order = np.arange(len(names))
    if top is not None:
        order = np.argsort(-bits[-1] / capacity[-1], kind="stable")[: int(top)]
    return Panel(title, [names[at] for at in order], np.concatenate(([0.0], edges[1:][passed > 0])), used[order])


def draw(utilisation: Utilisation, page: Page = DEFAULT) -> Figure:
    """Draw the panels; each has its own time axis."""
    import matplotlib
    from matplotlib.figure import Figure

    from figures.legends import wrapped

    panels = utilisation.panels
    most = 100 * max(float(panel.used.max()) for panel in panels)
    top = max(100.0, most) if most > 50 else 1.15 * most or 100.0  # one scale for all panels
    # Where a slide leaves less room than names need, they get fewer.
    wanted = [page.scale * (2.0 if _style(panel) is not _heat else 0.9 + 0.13 * _named(panel)) for panel in panels]
    tall = page.tall(sum(wanted) + 0.15, LOW * page.scale * len(panels))
    heights = [tall[1] * height / sum(wanted) for height in wanted]
    with matplotlib.rc_context(page.style):
        figure = Figure(figsize=tall, layout="constrained")
        parts = figure.subfigures(len(panels), 1, squeeze=False, height_ratios=heights)
        for part, panel, height in zip(parts.flat, panels, heights, strict=True):
            axes = part.subplots()  # a legend makes no room in its neighbours
            _style(panel)(axes, panel, top, page, height)
            axes.set_title(wrapped(panel.title, page.text, 0.7 * page.inches), loc="left")
    return figure


def _named(panel: Panel) -> int:
    return min(len(panel.links), TICKS)


def _style(panel: Panel) -> Any:
    if len(panel.links) <= FEW:
        return _lines
    return _heat if panel.used.shape[1] > 1 else _ranked


def _lines(axes: Axes, panel: Panel, top: float, page: Page, height: float) -> None:
    from figures import ticks
    from figures.looks import COLOURS, DASHES

    scale, unit = time_unit(float(panel.edges[-1]))
    for at, (link, used) in enumerate(zip(panel.links, panel.used, strict=True)):
        look: Any = {"color": COLOURS[at % len(COLOURS)], "linestyle": DASHES[at % len(DASHES)]}
        axes.stairs(100 * used, panel.edges * scale, baseline=None, label=link, linewidth=1.4 * page.scale, **look)
    axes.set_ylim(0.0, top)
    axes.set_xlim(0.0, panel.edges[-1] * scale)
    axes.set_ylabel("Utilisation (%)")
    ticks.linear(axes.xaxis)
    axes.set_xlabel(f"Simulated time ({unit})")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=2.4)


def _heat(axes: Axes, panel: Panel, top: float, page: Page, height: float) -> None:
    from figures import ticks

    scale, unit = time_unit(float(panel.edges[-1]))
    rows = len(panel.links)
    mesh = axes.pcolormesh(
        panel.edges * scale, np.arange(rows + 1) - 0.5, 100 * panel.used, cmap="cividis", vmin=0.0, vmax=top,
        rasterized=True,
    )  # fmt: skip
    size = max(SMALLEST, 0.75 * page.text)
    room = max((height - 0.8 * page.scale) / (1.25 * size / 72), 1)  # names above each other
    step = int(np.ceil(rows / min(room, TICKS)))
    axes.set_yticks(range(0, rows, step), list(panel.links)[::step], fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.grid(False)
    ticks.linear(axes.xaxis)
    axes.set_xlabel(f"Simulated time ({unit})")
    axes.figure.colorbar(mesh, ax=axes, label="Utilisation (%)", pad=0.015, aspect=25)


def _ranked(axes: Axes, panel: Panel, top: float, page: Page, height: float) -> None:
    """Where there are too many links for their history: all of them in order, over the whole run."""
    from figures import ticks

    used = 100 * np.sort(panel.used[:, 0])[::-1]
    axes.stairs(used, np.arange(len(used) + 1) + 0.5, baseline=None, color="#0072B2", linewidth=1.6 * page.scale)
    axes.set_xlim(0.9, len(used) + 0.5)
    axes.set_xscale("log")
    ticks.logarithmic(axes.xaxis)
    axes.set_ylim(0.0, top)
    axes.set_ylabel("Utilisation (%)")
    axes.set_xlabel(f"Rank of the link (of {len(used)};\nthe busiest: {panel.links[int(np.argmax(panel.used[:, 0]))]})")
