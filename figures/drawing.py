"""Draw curves that survive a black-and-white printer and a colour-blind reader: colour, dash and marker all tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import ticks
from figures.charts import ACCURACY
from figures.curves import Curve, Sheet
from figures.legends import below, legend_inches, wrapped
from figures.looks import Look, looks
from figures.panels import inner, panels
from figures.venues import DEFAULT, Page

LOG_FROM_RATIO = 30.0  # a loss that falls further than this is shown on a logarithmic axis


def draw(curves: Sequence[Curve], sheet: Sheet, page: Page = DEFAULT) -> Figure:
    """Draw curves, a panel for each distinct `panel`, with one legend below them all."""
    titles = list(dict.fromkeys(curve.panel for curve in curves))
    names = list(dict.fromkeys(curve.label for curve in curves))
    styles, note = looks((curve.algorithm, curve.label) for curve in curves), sheet.band_note(curves)
    with matplotlib.rc_context(page.style):
        figure, grid, columns = panels(page, len(titles), legend=legend_inches(names, page, note), sharey=True)
        handles: dict[str, Any] = {}
        for at, (axes, title) in enumerate(zip(grid, titles, strict=True)):
            drawn = [curve for curve in curves if curve.panel == title]
            for curve in drawn:
                handles.setdefault(curve.label, line(axes, curve, styles[curve.label]))
            axes.set_title(wrapped(title, page.text, page.inches / columns - 0.6 * page.scale))
            _across(axes, sheet)
            axes.set_xlabel(wrapped(sheet.x.title, page.text, page.inches / columns - 0.5 * page.scale))
            if not inner(at, columns):
                _upright(axes, sheet, curves)
        below(figure, [handles[name] for name in names], names, page, note)
    return figure


def line(axes: Axes, curve: Curve, look: Look) -> Any:
    """Draw a mean line and its band."""
    # Shares of the axes' diagonal: markers are evenly spaced on a logarithmic axis, and hide no other line's.
    spacing = (0.025 * (look.number % 5), 0.13) if curve.x.size > 12 else None
    (drawn,) = axes.plot(
        curve.x, curve.mean, color=look.colour, linestyle=look.dash, marker=look.marker, markevery=spacing,
        markerfacecolor=look.fill, zorder=3,
    )  # fmt: skip
    if curve.seeds > 1:
        axes.fill_between(curve.x, curve.low, curve.high, color=look.colour, alpha=0.18, linewidth=0, zorder=2)
    return drawn


def _across(axes: Axes, sheet: Sheet) -> None:
    if sheet.scale == "log":
        axes.set_xscale("log")
        ticks.logarithmic(axes.xaxis, sheet.x.unit)
    else:
        ticks.linear(axes.xaxis, prefixes=sheet.x.unit is not None or sheet.x.column == "samples")


def _upright(axes: Axes, sheet: Sheet, curves: Sequence[Curve]) -> None:
    axes.set_ylabel(sheet.y.title)
    if sheet.y is ACCURACY:
        ticks.percent(axes.yaxis)
        return
    lowest = min(float(np.min(curve.low)) for curve in curves)
    if lowest > 0 and max(float(np.max(curve.high)) for curve in curves) > LOG_FROM_RATIO * lowest:
        axes.set_yscale("log")
        ticks.logarithmic(axes.yaxis)
