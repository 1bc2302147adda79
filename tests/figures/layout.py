"""What a reader would object to in a drawn figure: text that is clipped, covered or too small to read."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLER = 0.7  # what an exponent is set in


def texts(figure: Figure, renderer: Any) -> list[tuple[str, Text, Bbox]]:
    """Give every text that is really drawn, with its own box (without an arrow), in pixels."""
    outside: set[int] = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-6 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - slack <= tick.get_loc() <= high + slack or not axis.get_visible():
                outside |= {id(tick.label1), id(tick.label2)}
        if not axis.axes.axison:
            outside |= {id(text) for text in axis.findobj(Text)}
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and id(text) not in outside:
            if hasattr(text, "update_positions"):
                text.update_positions(renderer)
            found.append((text.get_text(), text, Text.get_window_extent(text, renderer)))
    return found


def objections(figure: Figure, least: float = 6.0) -> list[str]:
    """Say what is wrong with the text of a figure; empty where nothing is."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page, found = figure.bbox, texts(figure, canvas.get_renderer())
    wrong = []
    for words, text, box in found:
        size = text.get_fontsize() * (SMALLER if "^" in words else 1)
        if size < least - 1e-9:
            wrong.append(f"{words!r} is of {size:.1f} points")
        if box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1 or box.y1 > page.y1 + 1:
            wrong.append(f"{words!r} is clipped")
    for (words, _, box), (others, _, other) in combinations(found, 2):
        # A pixel of overlap is the padding of a box, not ink.
        if min(box.x1, other.x1) - max(box.x0, other.x0) > 1.5 and min(box.y1, other.y1) - max(box.y0, other.y0) > 1.5:
            wrong.append(f"{words!r} covers {others!r}")
    for legend in figure.legends:
        area = legend.get_window_extent()
        for axes in figure.axes:
            box = axes.get_window_extent()
            if area.overlaps(Bbox.from_extents(box.x0 + 1, box.y0 + 1, box.x1 - 1, box.y1 - 1)):
                wrong.append("the legend covers a panel")
    wrong += [
        f"a panel is {box.width:.0f} x {box.height:.0f} pixels"
        for axes in figure.axes
        if axes.get_label() != "<colorbar>" and min((box := axes.get_window_extent()).width, box.height) < 40
    ]
    return wrong
