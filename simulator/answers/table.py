"""An answer as a table: aligned for reading, and as CSV with every digit."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.records.folder import atomically


class AtLeast(float):
    """A figure that is known only to be no less than this."""


@dataclass(frozen=True)
class Answer:
    """Columns, rows and what must be said beside them.

    Parameters
    ----------
    columns : tuple of str
        Names with units.
    rows : list of tuple
        Strings, numbers, `AtLeast`, booleans; None or NaN where there is nothing.
    notes : list of str
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Lay the table out for reading: numbers with four digits, to the right."""
        shown = [self.columns, *(tuple(map(_told, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        left = [all(isinstance(row[at], str) for row in self.rows) for at in range(len(self.columns))]
        lines = [
            "  ".join(
                cell.ljust(width) if to_left else cell.rjust(width)
                for cell, width, to_left in zip(row, widths, left, strict=True)
            ).rstrip()
            for row in shown
        ]
        return "\n".join([lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:], *self.notes]) + "\n"

    def csv(self) -> str:
        """Lay the table out as CSV; a column with lower bounds has another one beside it that says which are."""
        bounded = [any(isinstance(row[at], AtLeast) for row in self.rows) for at in range(len(self.columns))]
        text = io.StringIO()
        write = csv.writer(text, lineterminator="\n").writerow
        write(_beside(self.columns, [f"{name} is a lower bound" for name in self.columns], bounded))
        for row in self.rows:
            cells = ["" if one is None or one != one else float(one) if isinstance(one, float) else one for one in row]
            write(_beside(cells, [isinstance(one, AtLeast) for one in row], bounded))
        return text.getvalue()

    def save(self, path: Path) -> None:
        """Write the CSV; the folder is made where it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        atomically(path, self._write)

    def _write(self, path: Path) -> None:
        path.write_text(self.csv(), encoding="utf-8")


def _beside(cells: Sequence[Any], others: Sequence[Any], where: Sequence[bool]) -> list[Any]:
    """Put an entry of `others` behind each cell where that is asked for."""
    result: list[Any] = []
    for cell, other, both in zip(cells, others, where, strict=True):
        result += [cell, other] if both else [cell]
    return result


def _told(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return ("≥ " if isinstance(cell, AtLeast) else "") + f"{cell:.4g}"
    return str(cell)
