"""Where simulated time stands, and what each worker has spent it on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ADDED = ("compute", "encode", "uplink", "downlink", "waiting", "away")  # what a worker's time is made of
LATENCIES = ("latency", "uplink_latency", "downlink_latency")
QUEUES = ("queue", "uplink_queue", "downlink_queue")
CONTAINED = (*LATENCIES, *QUEUES, "hidden")
SPENT = (*ADDED, *CONTAINED)


@dataclass(frozen=True)
class Moment:
    """Where simulated time stands at a mark.

    Parameters
    ----------
    seconds : float
        The makespan so far.
    spent : dict of str to ndarray, shape (n,)
        Cumulative seconds of each worker by kind, read-only; those of `ADDED` add up to the makespan. `away` is what
        faults took the worker out for. The latencies are the parts of uplink and downlink due to propagation, and
        `latency` is their sum. In an all-reduce each half has half of it. The queues are the parts due to contention;
        an all-reduce splits its own as its time. `hidden` is the time in which a branch communicated, or worked on what
        it had received, while its worker did something else; the other kinds count a branch only where its worker was
        blocked on it.
    carried_bits : ndarray, shape (R,)
        What has passed each of the network's resources.
    """

    seconds: float
    spent: dict[str, np.ndarray]
    carried_bits: np.ndarray
