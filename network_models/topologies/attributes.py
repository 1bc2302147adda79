"""Read the attributes of an edge: its rate, which may change in time, its latency and its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from network_models.conditions.files import read_trace
from network_models.conditions.trace import delivering
from network_models.fabric import Rate
from network_models.units import real


def rate_of(
    attributes: Mapping[str, Any], where: str, read: Callable[[object, str], float]
) -> tuple[float, Rate | None]:
    """Read `bps` (or `bandwidth_bps`) and `rate` of an edge.

    Returns
    -------
    bps : float
        Bits/s; of a rate that changes, the largest, whatever `bps` says.
    rate : Rate or None
        A string is the name of a trace file.

    Raises
    ------
    ValueError
        If there is neither, both names of `bps` are there, or one is out of range, naming the edge.
    """
    rate: Any = attributes.get("rate")
    if isinstance(rate, str):
        rate = read_trace(rate, key=f"{where}: rate")
    if rate is not None:
        return delivering(rate, f"{where}: rate").peak_bps, rate
    given = [key for key in ("bps", "bandwidth_bps") if key in attributes]
    if len(given) != 1:
        got = " and ".join(given) or "nothing"
        raise ValueError(f"{where}: bps: expected a rate as bps or bandwidth_bps, got {got}")
    return read(attributes[given[0]], f"{where}: bps"), None


def probability(value: object, key: str) -> float:
    """Read a probability that is less than 1."""
    if not 0 <= (number := real(value)) < 1:
        raise ValueError(f"{key}: expected a probability in [0, 1), got {value!r}")
    return number


def remembered(read: Callable[[object, str], float]) -> Callable[[object, str], float]:
    """Read each different value once: a large graph repeats a few."""
    known: dict[object, float] = {}

    def reading(value: object, key: str) -> float:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            if value not in known:
                known[value] = read(value, key)
            return known[value]
        return read(value, key)

    return reading
