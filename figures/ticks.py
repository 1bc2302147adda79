"""Ticks that are read at six points: 10 M and 100 k rather than powers with a tiny exponent."""

from __future__ import annotations

import math

from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

PREFIXES = {12: "T", 9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "µ", -9: "n", -12: "p"}
FEW_DECADES = 1.5  # of an axis shorter than this, steps of 1, 2, 5 are named too
TIMES = "×"  # a factor has no prefixes
MOST = 5  # names along an axis


def si(value: float, unit: str = "") -> str:
    """Write a number with a prefix of the SI, three digits at most: ``si(2e7, "bit/s")`` is ``20 Mbit/s``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}".rstrip()
    power = min(max(3 * math.floor(math.log10(abs(value)) / 3 + 1e-9), min(PREFIXES)), max(PREFIXES))
    number = f"{value / 10.0**power:.3g}"
    if abs(float(number)) >= 1000 and power + 3 in PREFIXES:
        number, power = "1", power + 3
    return f"{number} {PREFIXES[power]}{unit}".rstrip()


def plain(value: float) -> str:
    """Write a number without an exponent between a thousandth and a hundred thousand, else with a prefix."""
    return f"{value:.6g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else si(value)


def logarithmic(axis: Axis, unit: str | None = None) -> None:
    """Make an axis logarithmic, its ticks named without exponents; with a `unit`, SI prefixes stand before it.

    Call it when the axis' limits are final: how many ticks have room depends on them.
    """
    axis._set_axes_scale("log")  # type: ignore[attr-defined]
    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low) if low > 0 else 1.0
    subs = (1.0, 2.0, 5.0) if decades < FEW_DECADES else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=MOST + 2 * (len(subs) > 1) + 1))
    axis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=100) if decades < 6 else NullLocator())
    axis.set_minor_formatter(NullFormatter())
    if unit is None and (high >= 1e5 or low < 1e-3):
        unit = ""
    if unit in (None, TIMES):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}{unit or ''}"))
    else:
        axis.set_major_formatter(FuncFormatter(lambda value, _: si(value, str(unit))))


def linear(axis: Axis, prefixes: bool = False) -> None:
    """Name a few round numbers along a linear axis, without an offset or an exponent in the corner."""
    axis.set_major_locator(MaxNLocator(MOST))
    axis.set_major_formatter(FuncFormatter(lambda value, _: si(value) if prefixes else plain(value)))


def percent(axis: Axis, whole: float = 1.0) -> None:
    """Name shares of `whole` in per cent."""
    axis.set_major_locator(MaxNLocator(MOST))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value / whole:.4g} %"))


def thinned(figure: Figure) -> Figure:
    """Leave out every other name along an axis where two would touch, as often as it takes; gives the figure."""
    canvas = FigureCanvasAgg(figure)
    numbers = [
        axis
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if not isinstance(axis.get_major_locator(), FixedLocator)  # these were chosen one by one
    ]
    for _ in range(4):
        canvas.draw()
        for axis in (axis for axis in numbers if _crowded(axis, canvas)):
            low, high = sorted(axis.get_view_interval())
            shown = [place for place in axis.get_majorticklocs() if low <= place <= high]
            axis.set_major_locator(FixedLocator(shown[::2]))
    return figure


def _crowded(axis: Axis, canvas: FigureCanvasAgg) -> bool:
    """Whether two names touch, or come closer than half their height beside each other."""
    low, high = sorted(axis.get_view_interval())
    boxes = [
        tick.label1.get_window_extent(canvas.get_renderer())
        for tick in axis.get_major_ticks()
        if tick.label1.get_visible() and tick.label1.get_text() and low <= tick.get_loc() <= high
    ]
    across = isinstance(axis, XAxis)
    spans = sorted((box.x0, box.x1) if across else (box.y0, box.y1) for box in boxes)
    least = 0.5 * boxes[0].height if boxes and across else 0.0
    return any(later[0] - sooner[1] < least for sooner, later in zip(spans, spans[1:], strict=False))
