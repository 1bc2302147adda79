"""Put names beside points so that they cover neither each other nor what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from figures.venues import Page

DIRECTIONS = ((1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
DISTANCES = (4.0, 8.0, 14.0, 22.0, 34.0, 50.0)  # points, at 8 points of text
SIDES = {-1: "right", 0: "center", 1: "left"}
EDGES = {-1: "top", 0: "center", 1: "bottom"}


def name_points(
    figure: Figure, axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str], page: Page, **text: Any
) -> None:
    """Annotate points (data coordinates), each on the side and at the distance where its name covers least.

    Everything else must have been drawn: the lines and points of `axes` are what is kept clear of.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    busy, frame = _busy(axes), axes.get_window_extent()
    taken: list[Bbox] = []
    for point, name in zip(points, names, strict=True):
        best: tuple[float, Any] | None = None
        for distance in DISTANCES:
            for side, edge in DIRECTIONS:
                note = axes.annotate(
                    name, point, (side * distance * page.scale, edge * distance * page.scale * 0.8),
                    textcoords="offset points", ha=SIDES[side], va=EDGES[edge], size=page.small, zorder=6,
                    arrowprops={"arrowstyle": "-", "linewidth": 0.4 * page.scale, "color": "0.5", "shrinkA": 0,
                                "shrinkB": 2} if distance > DISTANCES[1] else None, **text,
                )  # fmt: skip
                note.set_in_layout(False)
                cost = _cost(_text_box(note, canvas), busy, taken, frame) + 0.01 * distance
                if best is None or cost < best[0]:
                    if best is not None:
                        best[1].remove()
                    best = (cost, note)
                else:
                    note.remove()
            if best is not None and best[0] < 1:
                break
        if best is not None:
            taken.append(_text_box(best[1], canvas))


def _text_box(note: Annotation, canvas: FigureCanvasAgg) -> Bbox:
    """The text's own box, without its arrow."""
    note.update_positions(canvas.get_renderer())
    return Text.get_window_extent(note, canvas.get_renderer())


def _cost(box: Bbox, busy: np.ndarray, taken: Sequence[Bbox], frame: Bbox) -> float:
    outside = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
    inside = (
        (busy[:, 0] > box.x0 - 1) & (busy[:, 0] < box.x1 + 1) & (busy[:, 1] > box.y0 - 1) & (busy[:, 1] < box.y1 + 1)
    )
    return 1e6 * outside + 1e4 * sum(box.overlaps(other) for other in taken) + float(inside.sum())


def _busy(axes: Axes) -> np.ndarray:
    """Points on all lines and markers, pixels, shape (m, 2): lines every few pixels."""
    found = [np.zeros((0, 2))]
    for line in axes.get_lines():
        if line.get_transform() != axes.transData:
            continue
        corners = axes.transData.transform(np.column_stack(line.get_data()).astype(float))
        corners = corners[np.isfinite(corners).all(axis=1)]
        for begin, end in zip(corners, corners[1:], strict=False):
            steps = max(2, int(np.hypot(*(end - begin)) / 3))
            found.append(begin + np.linspace(0, 1, steps)[:, None] * (end - begin))
        found.append(corners)
    return np.concatenate(found)
