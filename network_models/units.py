"""Read rates, durations and sizes with SI units (1000-based); everything inside the simulator is bits/s and seconds."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_PREFIX = {"": "1", "k": "1e3", "K": "1e3", "M": "1e6", "G": "1e9", "T": "1e12"}
_MICRO = dict.fromkeys(("us", "\u00b5s", "\u03bcs"), "1e-6")  # both signs for micro that keyboards give
_SECONDS = {"": "1", "ns": "1e-9", **_MICRO, "ms": "1e-3", "s": "1", "min": "60", "h": "3600"}
_NUMBER = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
# The case tells bits (b) from bytes (B), and mega (M) from milli (m), which no rate has: `mbit/s` is refused.
_RATE = re.compile(_NUMBER + r"\s*(?:([kKMGT]?)(bit/s|bits/s|bps|b/s|B/s|Bps|byte/s|bytes/s))?\s*")
_DURATION = re.compile(_NUMBER + r"\s*(" + "|".join(_SECONDS) + r")\s*")
_SIZE = re.compile(_NUMBER + r"\s*(?:([kKMGT]?)(?:B|byte|bytes))?\s*")
_TOO_LARGE = 1e300  # bytes; in bits, with headers, it must still be a float
_INFINITY = {"inf", "+inf", ".inf", "infinity"}


def rate_bps(value: object, key: str = "rate") -> float:
    """Read a positive rate in bits per second.

    Parameters
    ----------
    value : int, float or str
        A number is bits/s. A string is a number with an optional unit: `bit/s`, `bps` or `b/s` for bits, `B/s` for
        bytes, each with a prefix `k`, `M`, `G` or `T`; `'inf'` is a link without a limit.
    key : str
        The name of the setting, for the error message.

    Returns
    -------
    float
        Bits per second, greater than 0, perhaps infinite.

    Raises
    ------
    ValueError
        If `value` is not a positive rate.

    Examples
    --------
    >>> rate_bps("100 Mbit/s"), rate_bps("1.5 GB/s"), rate_bps(2e6)
    (100000000.0, 12000000000.0, 2000000.0)
    """
    rate = _plain(value)
    if rate is None and isinstance(value, str) and (found := _RATE.fullmatch(value)):
        number, prefix, unit = found.groups()
        bits = 8 if unit is not None and unit.startswith("B") or unit in ("byte/s", "bytes/s") else 1
        rate = float(Decimal(number) * Decimal(_PREFIX[prefix or ""]) * bits)
    if rate is None or not rate > 0:
        raise ValueError(f"{key}: expected a positive rate in bits/s (such as 1e8 or '100 Mbit/s'), got {value!r}")
    return rate


def seconds(value: object, key: str = "duration") -> float:
    """Read a duration in seconds.

    Parameters
    ----------
    value : int, float or str
        A number is seconds. A string is a number with an optional unit: `ns`, `us`, `ms`, `s`, `min` or `h`.
    key : str
        The name of the setting, for the error message.

    Returns
    -------
    float
        Seconds, finite and not negative.

    Raises
    ------
    ValueError
        If `value` is not a finite duration of at least 0.

    Examples
    --------
    >>> seconds("40 ms"), seconds("10 us"), seconds(2)
    (0.04, 1e-05, 2.0)
    """
    duration = _plain(value)
    if duration is None and isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        number, unit = found.groups()
        duration = float(Decimal(number) * Decimal(_SECONDS[unit]))
    if duration is None or not 0 <= duration < math.inf:
        raise ValueError(f"{key}: expected a duration >= 0 in seconds (such as 0.04 or '40 ms'), got {value!r}")
    return duration


def size_bytes(value: object, key: str = "bytes") -> float:
    """Read a size in bytes.

    Parameters
    ----------
    value : int, float or str
        A number is bytes. A string is a number with an optional unit: `B` with a prefix `k`, `M`, `G` or `T`.
    key : str
        The name of the setting, for the error message.

    Returns
    -------
    float
        Bytes, finite and not negative.

    Raises
    ------
    ValueError
        If `value` is not a finite size of at least 0.

    Examples
    --------
    >>> size_bytes("25 MB"), size_bytes("25e6"), size_bytes(3)
    (25000000.0, 25000000.0, 3.0)
    """
    size = _plain(value)
    if size is None and isinstance(value, str) and (found := _SIZE.fullmatch(value)):
        number, prefix = found.groups()
        size = float(Decimal(number) * Decimal(_PREFIX[prefix or ""]))
    if size is None or not 0 <= size < _TOO_LARGE:
        raise ValueError(
            f"{key}: expected a finite size of at least 0 in bytes (such as 25e6 or '25 MB'), got {value!r}"
        )
    return size


def real(value: object) -> float:
    """The float that a number stands for; NaN, which lies in no range, for whatever is none (True and '1' are none)."""
    number = None if isinstance(value, str) else _plain(value)
    return math.nan if number is None else number


def _plain(value: object) -> float | None:
    """The float that a number (or a string for infinity) stands for, or None."""
    if isinstance(value, str):
        return math.inf if value.strip().lower() in _INFINITY else None
    if isinstance(value, bool) or not hasattr(value, "__float__") or getattr(value, "shape", ()) != ():
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]
