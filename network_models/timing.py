"""Where a worker's time goes in one collective.

An array in which all workers have the same value may be a *spread*: one number seen w times (stride 0), so that a
collective among alike workers costs no more for many than for few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from network_models.fabric import Floats


def spread(value: float, length: int) -> Floats:
    """Show one number as a read-only array of shape (length,), without filling one."""
    return np.broadcast_to(np.float64(value), length)


def uniform(values: Floats) -> bool:
    """Whether this is one number seen many times, told from its stride and not from its values."""
    return len(values) == 1 or values.strides == (0,)


def same(values: Floats) -> bool:
    """Whether all values are equal, in no time for a spread."""
    return uniform(values) or bool((values == values[0]).all())


def _sum(one: Floats, other: Floats) -> Floats:
    return spread(one[0] + other[0], len(one)) if uniform(one) and uniform(other) else one + other


@dataclass(frozen=True, eq=False, slots=True)
class Timing:
    """How long each of w workers spent in a collective, and on what; every array has shape (w,) and is in seconds.

    Parameters
    ----------
    finish : ndarray
        When the worker is released, in absolute simulated seconds.
    uplink : ndarray
        Time in which a transfer of the sending phase was under way: gather, and the reduce-scatter half of an
        all-reduce.
    downlink : ndarray
        The same for the receiving phase: broadcast, all-gather, and the all-gather half of an all-reduce.
    waiting : ndarray
        Time in which nothing moved for this worker because its peers or the server were not ready.
    latency : ndarray
        The part of `uplink + downlink` that was propagation. It is contained in them, not added to them.
    queueing : ndarray, optional
        The part of `uplink + downlink` by which steps ended later than if each message had had its path for itself;
        by default none. Contained, not added.

    Notes
    -----
    `finish == start + uplink + downlink + waiting` to rounding: waiting is the remainder.
    """

    finish: Floats
    uplink: Floats
    downlink: Floats
    waiting: Floats
    latency: Floats
    queueing: Floats = None  # type: ignore[assignment]  # an array once made

    def __post_init__(self) -> None:
        if self.queueing is None:
            object.__setattr__(self, "queueing", spread(0.0, len(self.finish)))

    @classmethod
    def between(
        cls,
        start: Floats,
        finish: Floats,
        uplink: Floats,
        downlink: Floats,
        latency: Floats,
        queueing: Floats | None = None,
    ) -> Timing:
        """Account for the time from `start` to `finish`; what no transfer explains is waiting."""
        waiting = np.maximum(finish - start - uplink - downlink, 0.0)
        return cls(
            finish, uplink, downlink, waiting, latency, spread(0.0, len(start)) if queueing is None else queueing
        )

    @classmethod
    def alike(
        cls, workers: int, finish: float, uplink: float, downlink: float, latency: float, queueing: float = 0.0
    ) -> Timing:
        """Say the same of every worker, none of whom waits."""
        return cls(*(spread(value, workers) for value in (finish, uplink, downlink, 0.0, latency, queueing)))

    @classmethod
    def nothing(cls, start: Floats) -> Timing:
        """A collective that costs no time."""
        zero = spread(0.0, len(start))
        return cls(start if uniform(start) else start.copy(), zero, zero, zero, zero)

    def widened(self, workers: int) -> Timing:
        """Say of every worker what this says of its only one."""
        fields = (self.finish, self.uplink, self.downlink, self.waiting, self.latency, self.queueing)
        return Timing(*(spread(float(of[0]), workers) for of in fields))

    def then(self, after: Timing) -> Timing:
        """Join with the Timing of a collective that started when this one finished."""
        return Timing(
            after.finish,
            _sum(self.uplink, after.uplink),
            _sum(self.downlink, after.downlink),
            _sum(self.waiting, after.waiting),
            _sum(self.latency, after.latency),
            _sum(self.queueing, after.queueing),
        )
