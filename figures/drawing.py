"""Draw curves that survive a black-and-white printer and a colour-blind reader: colour, dash and marker all tell.

Colours are Okabe and Ito's ("Color universal design", 2008) without the yellow, which vanishes on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from figures.charts import ACCURACY, Axis
from figures.curves import BANDS, Curve

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (7, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "X", "P", "<", "*", ">", "p")
# Type 42 keeps text as text in a PDF, which publishers ask for; the DejaVu fonts come with Matplotlib.
STYLE: Any = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "text.usetex": False,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "0.88",
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
}
PANEL_INCHES = (4.6, 3.1)  # one panel fits a column and a half; panels in a row share a page's width
LOG_FROM_RATIO = 30.0  # a loss that falls further than this is shown on a logarithmic axis


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


def draw(curves: Sequence[Curve], sheet: Sheet) -> Figure:
    """Draw curves, a panel for each distinct `panel`, with one legend below them all."""
    panels = list(dict.fromkeys(curve.panel for curve in curves))
    names = list(dict.fromkeys(curve.label for curve in curves))
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    width, height = PANEL_INCHES if columns == 1 else (3.4 if columns == 2 else 2.8, 2.6)
    legend_columns = _legend_columns(names, columns * width)
    legend_lines = -(-len(names) // legend_columns) + bool(sheet.band_note(curves))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(columns * width, rows * height + 0.17 * legend_lines), layout="constrained")
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        for at, axes in enumerate(grid.flat):
            if at >= len(panels):
                axes.remove()
                continue
            for curve in (curve for curve in curves if curve.panel == panels[at]):
                handles.setdefault(curve.label, _line(axes, curve, names.index(curve.label)))
            axes.set_title(panels[at])
            axes.set_xscale(sheet.scale)
            axes.set_xlabel(sheet.x.title)
            if at % columns == 0:
                _upright(axes, sheet, curves)
        figure.legend(
            [handles[name] for name in names],
            names,
            loc="outside lower center",
            ncols=legend_columns,
            title=sheet.band_note(curves) or None,
            title_fontsize=7.5,
            handlelength=3.4,
            columnspacing=1.5,
        )
    return figure


def _line(axes: Axes, curve: Curve, number: int) -> Any:
    colour = COLOURS[number % len(COLOURS)]
    # Shares of the axes' diagonal: markers are evenly spaced on a logarithmic axis, and hide no other line's.
    spacing = (0.025 * (number % 5), 0.13) if curve.x.size > 12 else None
    (line,) = axes.plot(
        curve.x,
        curve.mean,
        color=colour,
        linestyle=DASHES[number % len(DASHES)],
        marker=MARKERS[number % len(MARKERS)],
        markevery=spacing,
        markerfacecolor=colour if number % 2 == 0 else "white",
        zorder=3,
    )
    if curve.seeds > 1:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0, zorder=2)
    return line


def _upright(axes: Axes, sheet: Sheet, curves: Sequence[Curve]) -> None:
    axes.set_ylabel(sheet.y.title)
    if sheet.y is ACCURACY:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, symbol=" %"))
        return
    lowest = min(float(np.min(curve.low)) for curve in curves)
    if lowest > 0 and max(float(np.max(curve.high)) for curve in curves) > LOG_FROM_RATIO * lowest:
        axes.set_yscale("log")


def _legend_columns(names: Sequence[str], width_inches: float) -> int:
    """Fit the legend to the page: a letter is about 0.06 inches wide at this size, a handle and its gaps 0.6."""
    widest = 0.6 + 0.06 * max(len(name) for name in names)
    return max(1, min(len(names), 5, int(width_inches / widest)))
