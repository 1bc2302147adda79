"""Times in which a link carries nothing, and other traffic that takes a share of it: factors of its rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from network_models.conditions.trace import Trace
from network_models.units import seconds


@dataclass(frozen=True)
class Outage:
    """A time in which one worker's links, or one named link, carry nothing.

    Parameters
    ----------
    start_s, end_s : float
        From when until when; infinite for good.
    worker : int, optional
        All links of this worker.
    link : str, optional
        One direction, as the fabric labels it: ``3 up``, ``server down``.
    repeat_s : float, optional
        Once more every so many seconds.
    """

    start_s: float
    end_s: float
    worker: int | None = None
    link: str | None = None
    repeat_s: float | None = None

    @classmethod
    def read(cls, setting: object, key: str) -> Outage:
        """Read one of the settings' outages: a mapping with the fields of this class; durations may have units.

        Raises
        ------
        ValueError
            If a field is unknown, missing or out of range, naming it.
        """
        if not isinstance(setting, Mapping):
            raise ValueError(f"{key}: expected {{worker or link, start_s, end_s}}, got {setting!r}")
        fields: dict[str, Any] = {str(name): value for name, value in setting.items() if value is not None}
        if unknown := set(fields) - {"start_s", "end_s", "worker", "link", "repeat_s"}:
            raise ValueError(f"{key}: expected worker or link, start_s, end_s, repeat_s, got {sorted(unknown)[0]!r}")
        if ("worker" in fields) == ("link" in fields):
            raise ValueError(f"{key}: expected either worker or link, got {sorted(fields)}")
        start = seconds(fields.get("start_s", 0.0), f"{key}.start_s")
        end = fields.get("end_s", "inf")
        ends = np.inf if end == np.inf or str(end).strip().lower() in ("inf", ".inf") else seconds(end, f"{key}.end_s")
        if not ends > start:
            raise ValueError(f"{key}.end_s: expected a time after start_s ({start:g} s), got {end!r}")
        repeat = seconds(fields["repeat_s"], f"{key}.repeat_s") if "repeat_s" in fields else None
        if repeat is not None and not repeat > ends - start:
            raise ValueError(f"{key}.repeat_s: expected longer than the outage ({ends - start:g} s), got {repeat!r}")
        return cls(start, ends, fields.get("worker"), fields.get("link"), repeat)

    def factor(self) -> Trace:
        """0 in the outage and 1 otherwise."""
        if self.end_s == np.inf:
            return Trace([0.0, self.start_s], [1.0, 0.0]) if self.start_s else Trace.constant(0.0)
        times, values = [0.0, self.start_s, self.end_s], [1.0, 0.0, 1.0]
        if not self.start_s:
            times, values = times[1:], values[1:]
        return Trace(times, values, self.repeat_s, self.start_s if self.repeat_s else 0.0)


def other_traffic(
    load: float, mean_on_s: float | None, mean_off_s: float | None, period_s: float | None, key: Sequence[int]
) -> Trace:
    """The share of a link that other traffic leaves: 1 - load, always or while it is on.

    Parameters
    ----------
    load : float
        What it takes of the link's rate while it is on, 0 <= load < 1.
    mean_on_s, mean_off_s : float or None
        Means of the exponential times it is on and off; None: it is always on.
    period_s : float or None
        Repeat with a multiple of this, so that what it is multiplied with repeats with it.
    key : sequence of int
        Of the random numbers.

    Notes
    -----
    At least 64 times on and off, then again from the start. It does not yield to the flows simulated.
    """
    if mean_on_s is None or mean_off_s is None:
        return Trace.constant(1.0 - load)
    random = np.random.default_rng(list(key))
    unit = period_s or 1.0
    period = unit * int(np.ceil(64 * (mean_on_s + mean_off_s) / unit))
    on = bool(random.random() < mean_on_s / (mean_on_s + mean_off_s))
    time, times, values = 0.0, list[float](), list[float]()
    while time < period:
        times.append(time)
        values.append(1.0 - load if on else 1.0)
        time += max(float(random.exponential(mean_on_s if on else mean_off_s)), 1e-9)
        on = not on
    return Trace(times, values, period)
