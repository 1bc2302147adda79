"""Rates and durations as a configuration writes them ("10 Mbit/s", "5 ms", 1e6), in bits per second and seconds.

The same spellings as in `network_models`, which this package does not import; a test holds the two together.
"""

from __future__ import annotations

import re
from typing import Any

PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
TIMES = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}
NUMBER = r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
RATE = re.compile(NUMBER + r"(?:([kKMGT]?)(bit/s|bits/s|bps|b/s|B/s|Bps|byte/s|bytes/s))?\s*")
DURATION = re.compile(NUMBER + rf"({'|'.join(TIMES)})\s*")


def rate_bps(value: Any) -> float:
    """Read a rate in bits per second; ".inf" is infinite.

    Raises
    ------
    ValueError
        If it is neither a number of bits per second nor a text such as "10 Mbit/s".
    """
    if (found := RATE.fullmatch(str(value))) is None:
        return _number(value, "a rate such as '10 Mbit/s'")
    number, prefix, unit = found.groups()
    return float(number) * PREFIXES[prefix or ""] * (8.0 if unit and unit.startswith(("B", "byte")) else 1.0)


def seconds(value: Any) -> float:
    """Read a duration in seconds.

    Raises
    ------
    ValueError
        If it is neither a number of seconds nor a text such as "5 ms".
    """
    if (found := DURATION.fullmatch(str(value))) is None:
        return _number(value, "a duration such as '5 ms'")
    return float(found[1]) * TIMES[found[2]]


def _number(value: Any, expected: str) -> float:
    if str(value).strip().lower() in ("inf", "+inf", ".inf", "infinity"):
        return float("inf")
    raise ValueError(f"expected {expected}, got {value!r}")
