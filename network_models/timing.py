"""Where a worker's time goes in one collective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from network_models.links import Floats


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

    Notes
    -----
    `finish == start + uplink + downlink + waiting` to rounding: waiting is the remainder.
    """

    finish: Floats
    uplink: Floats
    downlink: Floats
    waiting: Floats
    latency: Floats

    @classmethod
    def between(cls, start: Floats, finish: Floats, uplink: Floats, downlink: Floats, latency: Floats) -> Timing:
        """Account for the time from `start` to `finish`; what no transfer explains is waiting."""
        waiting = np.maximum(finish - start - uplink - downlink, 0.0)
        return cls(finish, uplink, downlink, waiting, latency)

    @classmethod
    def nothing(cls, start: Floats) -> Timing:
        """A collective that costs no time."""
        zero = np.zeros(len(start))
        return cls(start.copy(), zero, zero.copy(), zero.copy(), zero.copy())

    def then(self, after: Timing) -> Timing:
        """Join with the Timing of a collective that started when this one finished."""
        return Timing(
            after.finish,
            self.uplink + after.uplink,
            self.downlink + after.downlink,
            self.waiting + after.waiting,
            self.latency + after.latency,
        )
