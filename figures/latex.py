"""Text for LaTeX: what it would take for commands is escaped; a booktabs table; a figure whose text LaTeX sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANT = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "±": r"$\pm$",
    "×": r"$\times$",
    "µ": r"$\mu$",
    "≥": r"$\ge$",
    "≤": r"$\le$",
    "−": r"$-$",
}


def escaped(text: str) -> str:
    """Give the LaTeX that prints `text`.

    Examples
    --------
    >>> escaped("83 % of top_k ± 1")
    '83 \\\\% of top\\\\_k $\\\\pm$ 1'
    """
    return "".join(MEANT.get(letter, letter) for letter in text)


def booktabs(header: Sequence[str], rows: Sequence[Sequence[str]], note: str, left: int) -> str:
    """Lay a table out for a paper that uses booktabs: the first `left` columns to the left, numbers to the right.

    The note becomes a comment, where an author finds it and a reader does not.
    """
    lines = [rf"\begin{{tabular}}{{{'l' * left}{'r' * (len(header) - left)}}}", r"\toprule"]
    lines.append(" & ".join(map(escaped, header)) + r" \\")
    lines.append(r"\midrule")
    lines += [" & ".join(map(escaped, row)) + r" \\" for row in rows]
    return "\n".join([*(f"% {line}" for line in note.splitlines()), *lines, r"\bottomrule", r"\end{tabular}", ""])


def set_by_latex(figure: Figure) -> None:
    """Escape all text of a drawn figure, that of its ticks too, which is made while it is saved."""
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter

    def through(formatter: Any) -> FuncFormatter:
        return FuncFormatter(lambda value, place: escaped(formatter(value, place)))

    ticks = {id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in axis.get_ticklabels()}
    for text in figure.findobj(Text):
        if id(text) not in ticks:
            text.set_text(escaped(text.get_text()))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(through(axis.get_major_formatter()))
