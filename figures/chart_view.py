"""The charts as a figure to be asked for: which axes, which scale, which band; the numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from figures.charts import CHARTS
from figures.curves import BANDS, Curve, Sheet, draw_up
from figures.groups import one_task
from figures.options import Options, choice
from figures.runs import Run
from figures.venues import Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALES = ("log", "linear")


@dataclass(frozen=True)
class Curves:
    """Curves and what lies on their axes."""

    curves: Sequence[Curve]
    sheet: Sheet

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return self.sheet.caption(self.curves)

    def csv(self) -> str:
        """Write the plotted numbers, a line per point, each number with all its digits."""
        y = self.sheet.y.column
        # Where rounds lie across, the column would come twice.
        across = [] if self.sheet.x.column == "round" else [self.sheet.x.column]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["panel", "group", "seeds", "band", "round", *across, f"{y}_mean", f"{y}_low", f"{y}_high"])
        for curve in self.curves:
            columns = [curve.rounds, *([curve.x] if across else []), curve.mean, curve.low, curve.high]
            for point in zip(*(column.tolist() for column in columns), strict=True):
                shown = [int(v) if v.is_integer() and at == 0 else repr(v) for at, v in enumerate(point)]
                writer.writerow([curve.panel, curve.label, curve.seeds, self.sheet.band, *shown])
        return text.getvalue()


def curves_of(name: str, runs: Sequence[Run], options: Options) -> Curves:
    """Compute the chart called `name`.

    Raises
    ------
    FigureError
        For an option that is not understood, several tasks, or runs without the quantity.
    """
    chart = CHARTS[name]
    x = chart.x[choice(options, "x", list(chart.x))]
    scale = choice(options, "scale", (x.scale, *(scale for scale in SCALES if scale != x.scale)))
    band = choice(options, "band", list(BANDS))
    task = one_task(runs)
    curves = draw_up(runs, chart, x, log_x=scale == "log", band=band)
    return Curves(curves, Sheet(chart.y, x, scale, band, task))


def file_of(name: str, options: Options) -> str:
    """Name the files: those of `accuracy x=time` are called `accuracy_vs_time`."""
    return name if "_vs_" in name else f"{name}_vs_{options.get('x', next(iter(CHARTS[name].x)))}"


def draw_curves(numbers: Curves, page: Page) -> Figure:
    """Draw them; Matplotlib takes half a second to load, so wrong arguments are told before."""
    from figures import drawing

    return drawing.draw(numbers.curves, numbers.sheet, page)
