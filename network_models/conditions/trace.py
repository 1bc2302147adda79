"""A capacity that changes in time, in steps: what a phone's radio link, an outage or other traffic leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from network_models.conditions.steps import Floats, Steps


class Trace:
    """A piecewise-constant rate; a `Rate` of the fabric.

    Parameters
    ----------
    times_s : array, shape (m,)
        When each rate begins: increasing, the first 0.
    rates_bps : array, shape (m,)
        Bits/s, finite, at least 0.
    period_s : float, optional
        Begin anew after so many seconds; without it the last rate holds for ever.
    settled_s : float
        The part that repeats begins here; what lies before happens once.
    offset_s : float
        Where in the trace simulated time 0 is: `at(t)` is the trace's value at `t + offset_s`.

    Raises
    ------
    ValueError
        If the times do not increase from 0 on, a rate is negative or not finite, or the period is too short.

    Notes
    -----
    A message alone on the link ends at the time t with: integral of the rate from its start to t = its bits. That is a
    look-up in the table of running sums, O(log m), whatever the number of steps or periods in between. Traces that
    differ by their offset only share one table.

    Examples
    --------
    >>> trace = Trace([0, 1], [8.0, 2.0], period_s=3)  # 12 bits in each 3 s
    >>> trace.bits(0.5, 4.0), trace.finish(0.5, 6.0), trace.next_change(1.5)
    (16.0, 2.0, 3.0)
    """

    def __init__(
        self,
        times_s: npt.ArrayLike,
        rates_bps: npt.ArrayLike,
        period_s: float | None = None,
        settled_s: float = 0.0,
        offset_s: float = 0.0,
    ) -> None:
        self.steps, self.offset_s = Steps(times_s, rates_bps, period_s, settled_s), _offset(offset_s)

    @classmethod
    def of(cls, steps: Steps, offset_s: float = 0.0) -> Trace:
        """Read a table from `offset_s` on."""
        trace = cls.__new__(cls)
        trace.steps, trace.offset_s = steps, _offset(offset_s)
        return trace

    @classmethod
    def constant(cls, rate_bps: float) -> Trace:
        """A rate that never changes."""
        return cls([0.0], [rate_bps])

    def shifted(self, offset_s: float) -> Trace:
        """The same table, read from `offset_s` later."""
        return Trace.of(self.steps, self.offset_s + offset_s)

    def mapped(self, function: Callable[[Floats], Floats]) -> Trace:
        """Apply a function of bits/s, elementwise, to every rate."""
        old = self.steps
        rates = function(old.rates_bps)
        if rates is old.rates_bps:
            return self
        return Trace.of(Steps(old.times_s, rates, old.period_s, old.settled_s if old.period_s else 0.0), self.offset_s)

    @property
    def period_s(self) -> float | None:
        """Seconds after which it begins anew, if it does."""
        return self.steps.period_s

    @property
    def peak_bps(self) -> float:
        """The largest rate."""
        return float(self.steps.rates_bps.max())

    @property
    def stop_s(self) -> float:
        """The moment from which on the rate stays the same or, with a period, repeats."""
        return self.steps.settled_s - self.offset_s

    @property
    def mean_bps(self) -> float:
        """The mean rate of a period; without one, the last rate."""
        steps = self.steps
        return steps.cycle_bits / steps.period_s if steps.period_s else float(steps.rates_bps[-1])

    def at(self, time: float) -> float:
        """Bits/s from `time` on."""
        return float(self.steps.at(time + self.offset_s))

    def next_change(self, time: float) -> float:
        """The first moment after `time` at which another step begins; infinity when none does."""
        x = self.steps.next_change(time + self.offset_s)
        if x == np.inf:
            return x
        later, now = max(x - self.offset_s, float(np.nextafter(time, np.inf))), self.at(time)
        # Rounding may leave it just short of the step: whoever asks for the rate there must be told the new one.
        for _ in range(8):
            if self.at(later) != now:
                break
            later += float(np.spacing(max(x, later)))
        return later

    def changes(self, start: float, end: float) -> Floats:
        """The moments strictly between two at which another step begins."""
        return self.steps.changes(start + self.offset_s, end + self.offset_s) - self.offset_s

    def bits(self, start: npt.ArrayLike, end: npt.ArrayLike) -> Floats:
        """The integral from `start` to `end`, elementwise."""
        begin, until = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
        return self.steps.total(until + self.offset_s) - self.steps.total(begin + self.offset_s)

    def finish(self, start: npt.ArrayLike, bits: npt.ArrayLike) -> Floats:
        """The first time at which so many bits have passed since `start`, elementwise; infinity where they never do."""
        begin = np.asarray(start, dtype=np.float64)
        return np.asarray(begin + self.steps.lasting(begin + self.offset_s, bits))


def delivering(trace: object, key: str) -> Trace:
    """Return the trace if it delivers for ever.

    Raises
    ------
    ValueError
        If it is none, or zero everywhere, or from some time on, naming the key.
    """
    if not isinstance(trace, Trace):
        raise ValueError(f"{key}: expected a Trace, got {trace!r}")
    if trace.steps.ends_at_zero:
        when = "at no time" if not trace.peak_bps else f"nothing after {trace.steps.times_s[-1]:g} s"
        raise ValueError(f"{key}: expected a trace that delivers (repeat it, or end it at a rate > 0), got {when}")
    return trace


def _offset(offset_s: float) -> float:
    if not 0 <= offset_s < np.inf:
        raise ValueError(f"offset_s: expected finite seconds of at least 0, got {offset_s!r}")
    return float(offset_s)
