"""A legend below all panels, in as many columns as its text really has room for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from figures.venues import Page

GAP = 1.2  # between columns, in heights of the small text
PAD = 0.6  # between handle and name, likewise


@lru_cache(maxsize=4096)
def text_inches(text: str, points: float) -> float:
    """How wide a line of text is."""
    if not text.strip():
        return 0.0
    path = TextPath((0, 0), text, size=points, prop=FontProperties(family="DejaVu Sans"))
    return float(path.get_extents().width) / 72


def wrapped(name: str, points: float, inches: float) -> str:
    """Break a name after its commas, else between words, where it is wider than `inches`."""
    if text_inches(name, points) <= inches:
        return name
    lines: list[str] = []
    for piece in name.replace(", ", ",\0").replace(" ", " \0").split("\0"):
        joint = " " if lines and lines[-1].endswith(",") else ""
        if lines and text_inches(lines[-1] + joint + piece.strip(), points) <= inches:
            lines[-1] += joint + piece
        else:
            lines.append(piece)
    return "\n".join(line.rstrip() for line in lines)


def columns_for(names: Sequence[str], page: Page, handle: float) -> int:
    """The most columns in which the names have room; `handle` is in heights of the small text."""
    em = page.small / 72
    widths = [max(text_inches(line, page.small) for line in name.split("\n")) for name in names]
    for columns in range(min(len(names), 8), 1, -1):
        rows = -(-len(names) // columns)
        if -(-len(names) // rows) != columns:
            continue  # as many rows with fewer columns
        widest = [max(widths[at : at + rows]) for at in range(0, len(names), rows)]  # filled column by column
        if sum(widest) + len(widest) * (handle + PAD) * em + (len(widest) - 1) * GAP * em <= page.inches - 2 * em:
            return columns
    return 1


def legend_inches(names: Sequence[str], page: Page, title: str = "", handle: float = 3.0) -> float:
    """How much height `below` will take."""
    names = _fitted(names, page, handle)
    columns = columns_for(names, page, handle)
    rows = -(-len(names) // columns)
    lines = sum(max(name.count("\n") + 1 for name in names[row::rows]) for row in range(rows))
    return (lines + (title.count("\n") + 1 if title else 0) + 0.6) * 1.45 * page.small / 72


def below(
    figure: Figure, handles: Sequence[Any], names: Sequence[str], page: Page, title: str = "", handle: float = 3.0
) -> None:
    """Put a legend under the panels; constrained layout makes room for it."""
    names = _fitted(names, page, handle)
    figure.legend(
        list(handles), list(names), loc="outside lower center", ncols=columns_for(names, page, handle),
        title=title or None, handlelength=handle, handletextpad=PAD, columnspacing=GAP, borderaxespad=0.2,
    )  # fmt: skip


def _fitted(names: Sequence[str], page: Page, handle: float) -> list[str]:
    room = page.inches - (handle + PAD + 2.5) * page.small / 72
    return [wrapped(name, page.small, room) for name in names]
