"""Read the values of options; each refuses what it does not understand in one line that names the key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from figures.problems import FigureError
from figures.quantities import rate_bps, seconds

Options = Mapping[str, str]


def choice(options: Options, key: str, choices: Sequence[str]) -> str:
    """Read an option that has a few possible values, the first being the default."""
    value = options.get(key, choices[0])
    if value not in choices:
        raise FigureError(f"{key}: expected one of {', '.join(choices)}, got {value}")
    return value


def number(options: Options, key: str) -> float | None:
    """Read a finite number, or None where none is given."""
    if key not in options:
        return None
    try:
        value = float(options[key])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FigureError(f"{key}: expected a number, got {options[key]}")
    return value


def grid(options: Options, key: str, default: str, kind: str) -> np.ndarray:
    """Read points of a logarithmic axis: ``first:last:count``, or a list ``a,b,c``; ascending, float64 [count].

    `kind` is "rate" (bits per second, "10 Mbit/s" too) or "duration" (seconds, "5 ms" too).
    """
    text = options.get(key, default)
    read = rate_bps if kind == "rate" else seconds
    advice = f"{key}: expected first:last:count or a,b,c of positive numbers, such as {default}, got {text}"
    try:
        if ":" in text:
            first, last, count = text.split(":")
            low, high, points = read(first), read(last), int(count)
            if not 0 < low < high or not 2 <= points <= 200:
                raise FigureError(advice)
            return np.geomspace(low, high, points)
        values = np.unique([read(part) for part in text.split(",")])
    except ValueError as error:
        raise FigureError(advice) from error
    if not (values > 0).all():
        raise FigureError(advice)
    return values
