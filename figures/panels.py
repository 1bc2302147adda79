"""The sheet of paper: panels of one size on a page, and the height that they and the legend need."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from figures.venues import Page

LOW = 1.6  # inches (at 8 points) that a panel is tall at least


def panels(
    page: Page,
    count: int,
    *,
    legend: float = 0.0,
    shape: float = 0.68,
    least: float = 1.75,
    most: float = 3.2,
    least_tall: float | None = None,
    **shared: Any,
) -> tuple[Figure, list[Axes], int]:
    """Make a figure with `count` panels; call it under the page's style.

    Parameters
    ----------
    legend : float
        Inches that a legend below takes.
    shape : float
        Height of a panel over its width.
    least, most : float
        Inches (at 8 points) of width that a panel needs and of height that it takes at most.
    least_tall : float, optional
        Inches of height that it needs; default: what axes and their names do.
    **shared
        ``sharex``, ``sharey`` and the like, as for `Figure.subplots`.

    Returns
    -------
    Figure, list of Axes, int
        The panels row by row, and how many stand in a row.
    """
    columns = page.columns(count, least)
    rows = -(-count // columns)
    title = 0.22 * page.scale * (count > 1)
    each = min(max(shape * page.inches / columns, LOW * page.scale), most * page.scale) + title
    layout = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04, hspace=0.03, wspace=0.04)
    needed = rows * (LOW * page.scale if least_tall is None else least_tall) + rows * title + legend
    figure = Figure(figsize=page.tall(rows * each + legend, needed), layout=layout)
    grid = figure.subplots(rows, columns, squeeze=False, **shared)
    for spare in grid.flat[count:]:
        spare.remove()
    return figure, list(grid.flat[:count]), columns


def inner(at: int, columns: int) -> bool:
    """Whether a panel has another one to its left, whose vertical axis it shares."""
    return at % columns > 0


def lowest(at: int, count: int, columns: int) -> bool:
    """Whether no panel stands below."""
    return at + columns >= count
