"""Where a figure is to appear: its width to the hundredth of an inch, and text that is still read there.

Widths are those of the venues' style files: NeurIPS' text, ICML's, IEEE's and ACM's (acmart, sigconf) columns and
pages, and a slide of 16:9. A figure is drawn at its final size and never scaled, so a point of text is one on paper.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from figures.problems import FigureError, warn

SMALLEST = 6.0  # points; no text is smaller at any venue
WIDTHS = ("column", "page")
# Inches by `width`; a venue with one width has it under both.
INCHES = {
    "neurips": {"column": 5.5, "page": 5.5},
    "icml": {"column": 3.25, "page": 6.75},
    "ieee": {"column": 3.5, "page": 7.16},
    "acm": {"column": 3.33, "page": 7.0},
    "talk": {"column": 10.0, "page": 10.0},
}
# Points of text and of small text (ticks, legends).
TEXT = {"neurips": (8.0, 7.0), "icml": (7.5, 6.5), "ieee": (7.5, 6.5), "acm": (7.5, 6.5), "talk": (15.0, 13.0)}
TALLEST = 9.0  # inches of a page's text
SLIDE = 5.625  # inches of height, where there is no choice
KEYS = {
    "venue": "neurips|icml|ieee|acm|talk",
    "width": "column|page    of a venue that has both",
    "latex": "true|false     let LaTeX set the text, where it is installed",
}


@dataclass(frozen=True)
class Page:
    """The room that a figure has.

    `inches` wide, text of `text` points and small text of `small`. A slide has a `height` (inches) too; on paper a
    figure takes the height it needs. `latex` says who sets the text.
    """

    venue: str
    inches: float
    text: float
    small: float
    height: float | None = None
    latex: bool = False

    @property
    def scale(self) -> float:
        """How much thicker than on paper at 8 points lines are."""
        return self.text / 8.0

    @property
    def style(self) -> Any:
        """Matplotlib's settings. Type 42 keeps text as text in a PDF; the DejaVu fonts come with Matplotlib."""
        return {
            "pdf.fonttype": 42,
            "ps.fonttype": 42,
            "text.usetex": self.latex,
            "font.family": "serif" if self.latex else "DejaVu Sans",
            "mathtext.fontset": "dejavusans",
            "font.size": self.text,
            "axes.titlesize": self.text,
            "axes.labelsize": self.text,
            "xtick.labelsize": self.small,
            "ytick.labelsize": self.small,
            "legend.fontsize": self.small,
            "legend.title_fontsize": self.small,
            "legend.frameon": False,
            "axes.linewidth": 0.7 * self.scale,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.linewidth": 0.4 * self.scale,
            "grid.color": "0.88",
            "hatch.linewidth": 0.5 * self.scale,
            "lines.linewidth": 1.3 * self.scale,
            "lines.markersize": 4.2 * self.scale,
            "savefig.bbox": None,
        }

    def tall(self, inches: float, least: float | None = None) -> tuple[float, float]:
        """Width and height of a figure that would like to be `inches` tall, and needs `least` (default: `inches`).

        Raises
        ------
        FigureError
            If a slide, or a page, is not as tall as that.
        """
        room, needed = self.height or TALLEST, inches if least is None else least
        if needed > room:
            raise FigureError(
                f"venue: expected a figure for which {self.venue} has room, {room:g} inches, got one of {needed:.1f}; "
                "narrow runs=, or choose a wider or taller venue"
            )
        return self.inches, self.height or min(inches, room)

    def columns(self, panels: int, inches: float = 1.75) -> int:
        """How many panels stand beside each other, each at least `inches` wide at 8 points; no row is left lopsided."""
        most = max(1, min(panels, int(self.inches / (inches * self.scale) + 1e-9)))
        rows = -(-panels // most)
        return -(-panels // rows)


DEFAULT = Page("neurips", INCHES["neurips"]["column"], *TEXT["neurips"])


def page(options: Mapping[str, str]) -> Page:
    """Read `venue`, `width` and `latex`; without them a NeurIPS page.

    Raises
    ------
    FigureError
        For a value that is not known; the known ones are listed.
    """
    venue, width = options.get("venue", DEFAULT.venue), options.get("width", WIDTHS[0])
    if venue not in INCHES:
        raise FigureError(f"venue: expected one of {', '.join(INCHES)}, got {venue}")
    if width not in WIDTHS:
        raise FigureError(f"width: expected one of {', '.join(WIDTHS)}, got {width}")
    latex = options.get("latex", "false")
    if latex not in ("true", "false"):
        raise FigureError(f"latex: expected one of true, false, got {latex}")
    missing = [program for program in ("latex", "dvipng") if latex == "true" and shutil.which(program) is None]
    if missing:
        warn(f"latex: expected {' and '.join(missing)} to be installed, got none; text is set by Matplotlib instead")
    slide = SLIDE if venue == "talk" else None
    return Page(venue, INCHES[venue][width], *TEXT[venue], slide, latex == "true" and not missing)
