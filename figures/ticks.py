"""Ticks that are read at six points: 10 M and 100 k rather than powers with a tiny exponent."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator, PercentFormatter

PREFIXES = {12: "T", 9: "G", 6: "M", 3: "k", 0: "", -3: "m", -6: "µ", -9: "n", -12: "p"}
FEW_DECADES = 1.5  # of an axis shorter than this, steps of 1, 2, 5 are named too
MOST = 5  # names along an axis


def si(value: float, unit: str = "") -> str:
    """Write a number with a prefix of the SI, three digits at most: ``si(2e7, "bit/s")`` is ``20 Mbit/s``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}".rstrip()
    power = min(max(3 * math.floor(math.log10(abs(value)) / 3 + 1e-9), min(PREFIXES)), max(PREFIXES))
    number = f"{value / 10.0**power:.3g}"
    if number == "1000" and power + 3 in PREFIXES:
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
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value) if unit is None else si(value, unit)))


def linear(axis: Axis, prefixes: bool = False) -> None:
    """Name a few round numbers along a linear axis, without an offset or an exponent in the corner."""
    axis.set_major_locator(MaxNLocator(MOST))
    axis.set_major_formatter(FuncFormatter(lambda value, _: si(value) if prefixes else plain(value)))


def percent(axis: Axis, whole: float = 1.0) -> None:
    """Name shares of `whole` in per cent."""
    symbol: Any = " %"
    axis.set_major_locator(MaxNLocator(MOST))
    axis.set_major_formatter(PercentFormatter(xmax=whole, symbol=symbol))
