"""A step function of time that in the end repeats, or holds its last value: tables, sums and their inverse.

Legend: `x` times, `settled` the start of the part that repeats, `period` its length. Everything is elementwise over
arrays and costs one binary search; whole periods are skipped by arithmetic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Steps:
    """Value `rates_bps[i]` from `times_s[i]` until `times_s[i + 1]`; before the first, the first.

    Parameters
    ----------
    times_s : array, shape (m,)
        Increasing, the first 0.
    rates_bps : array, shape (m,)
        Finite, at least 0.
    period_s : float, optional
        Length of the part that repeats, from `settled_s` on; without it the last rate holds for ever.
    settled_s : float
        Where the part that repeats begins; 0 repeats everything, also to the left of 0.

    Raises
    ------
    ValueError
        If times do not increase, a rate is negative or not finite, or the period does not reach past the last time.
    """

    def __init__(
        self, times_s: npt.ArrayLike, rates_bps: npt.ArrayLike, period_s: float | None = None, settled_s: float = 0.0
    ) -> None:
        times, rates = _checked(times_s, rates_bps)
        if period_s is not None:
            if not times[-1] < settled_s + period_s < np.inf or settled_s < 0:
                raise ValueError(f"period_s: expected more than the last time ({times[-1]:g} s), got {period_s!r}")
            if settled_s not in times:
                at = int(np.searchsorted(times, settled_s))
                times, rates = np.insert(times, at, settled_s), np.insert(rates, at, rates[at - 1])
        different = np.append(True, rates[1:] != rates[:-1]) | (times == settled_s)
        if period_s is not None and not rates[times >= settled_s].any():
            period_s = None  # it repeats nothing: the same as ending there
        self.times_s, self.rates_bps = times[different], rates[different]
        self.settled_s = float(settled_s) if period_s is not None else float(self.times_s[-1])
        self.period_s = period_s
        self.end_s = np.inf if period_s is None else self.settled_s + period_s
        ends = np.append(self.times_s[1:], self.end_s if period_s is not None else self.times_s[-1])
        passed = np.cumsum(self.rates_bps * (ends - self.times_s), dtype=np.longdouble)
        self._sums = np.concatenate(((0.0,), passed.astype(np.float64)))
        self._rounding = 1e-12 * float(self._sums[-1])
        self._first = int(np.argmax(self.rates_bps > 0))  # step that delivers anything
        if period_s is None:
            self._sums[-1] = np.inf if self.rates_bps[-1] else self._sums[-2]
        first = int(np.searchsorted(self.times_s, self.settled_s))
        self.cycle_bits = float(self._sums[-1] - self._sums[first]) if period_s is not None else 0.0
        for of in (self.times_s, self.rates_bps, self._sums):
            of.flags.writeable = False

    @property
    def ends_at_zero(self) -> bool:
        """Whether from some time on nothing is delivered any more."""
        return self.period_s is None and not self.rates_bps[-1]

    def at(self, x: npt.ArrayLike) -> Floats:
        """The rate from each time on."""
        return np.asarray(self.rates_bps[self._index(self._folded(np.asarray(x, dtype=np.float64))[0])])

    def total(self, x: npt.ArrayLike) -> Floats:
        """Bits delivered from 0 to each time, negative before 0."""
        folded, periods = self._folded(np.asarray(x, dtype=np.float64))
        return self._within(folded) + periods * self.cycle_bits

    def lasting(self, x: npt.ArrayLike, bits: npt.ArrayLike) -> Floats:
        """Seconds from each time until so many bits are delivered; infinite where they never are."""
        wanted = np.asarray(bits, dtype=np.float64)
        folded, _ = self._folded(np.asarray(x, dtype=np.float64))
        sums = self._within(folded) + wanted
        skipped = np.zeros(sums.shape)
        if self.period_s is not None:
            skipped = np.ceil(np.maximum(sums - self._sums[-1], 0.0) / self.cycle_bits)
            # Down by whole cycles; a last bit that falls on the end of one belongs to that end, not to the next start.
            sums = np.minimum(sums - skipped * self.cycle_bits, self._sums[-1])
        # What is left over by rounding only must not wait for the end of an outage that begins here.
        found = np.searchsorted(self._sums, sums - self._rounding, side="left") - 1
        index = np.clip(found, self._first, len(self.times_s) - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            end = self.times_s[index] + (sums - self._sums[index]) / self.rates_bps[index]
        lasting = end + skipped * (self.period_s or 0.0) - folded
        return np.where(wanted > 0, np.maximum(lasting, 0.0), 0.0)

    def changes(self, start: float, end: float) -> Floats:
        """The times of `times_s`, unrolled, that lie strictly between two."""
        once, first = self.times_s, int(np.searchsorted(self.times_s, self.settled_s))
        if self.period_s is None:
            return _between(once, start, end)
        low, high = (int(np.floor((x - self.settled_s) / self.period_s)) for x in (start, end))
        turns = self.period_s * np.arange(max(low, 0) if self.settled_s else low, high + 1)
        if len(turns) > 2:
            repeated = [_between((turns[:, None] + once[first:]).ravel(), start, end)]
        else:
            repeated = [_between(once[first:], start - turn, end - turn) + turn for turn in turns]
        return np.concatenate((_between(once[:first], start, end), *repeated))

    def next_change(self, x: float) -> float:
        """The first time after `x` at which a step begins (with a period: or the steps begin anew)."""
        folded, _ = self._folded(np.asarray(x))
        index = int(np.searchsorted(self.times_s, folded, side="right"))
        following = float(self.times_s[index]) if index < len(self.times_s) else self.end_s
        return x + (following - float(folded))

    def _folded(self, x: Floats) -> tuple[Floats, Floats]:
        """The time in the table that stands for each time, and how many whole periods lie between."""
        if self.period_s is None:
            return x, np.zeros(x.shape)
        inside = self.settled_s + np.mod(x - self.settled_s, self.period_s)
        repeats = x >= self.end_s if self.settled_s else np.ones(x.shape, dtype=bool)
        return np.where(repeats, inside, x), np.where(repeats, np.rint((x - inside) / self.period_s), 0.0)

    def _index(self, folded: Floats) -> npt.NDArray[np.int64]:
        return np.maximum(np.searchsorted(self.times_s, folded, side="right") - 1, 0)

    def _within(self, folded: Floats) -> Floats:
        index = self._index(folded)
        return np.asarray(self._sums[index] + (folded - self.times_s[index]) * self.rates_bps[index])


def _between(times: Floats, start: float, end: float) -> Floats:
    """Those of increasing times that lie strictly between two."""
    return times[np.searchsorted(times, start, side="right") : np.searchsorted(times, end, side="left")]


def _checked(times_s: npt.ArrayLike, rates_bps: npt.ArrayLike) -> tuple[Floats, Floats]:
    times, rates = np.array(times_s, dtype=np.float64), np.array(rates_bps, dtype=np.float64)
    if times.ndim != 1 or times.shape != rates.shape or not len(times):
        raise ValueError(f"rates_bps: expected as many rates as times, at least one, got {rates.shape}, {times.shape}")
    if times[0] != 0 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        wrong = (
            times[0]
            if times[0] != 0
            else next((float(b) for a, b in zip(times[:-1], times[1:], strict=True) if not a < b < np.inf), times[-1])
        )
        raise ValueError(f"times_s: expected increasing finite times from 0 on, got {float(wrong)!r}")
    if not ((rates >= 0) & np.isfinite(rates)).all():
        wrong = rates[~((rates >= 0) & np.isfinite(rates))][0]
        raise ValueError(f"rates_bps: expected finite rates of at least 0, got {float(wrong)!r}")
    return times, rates
