"""Where the seconds of each worker of a co-simulation go: a worker waits for its own upload, a download, or others."""

from __future__ import annotations

import numpy as np

from algorithms.ops import SERVER
from simulator.clock import SPENT, Moment


class Spending:
    """Cumulative seconds of each worker.

    Attributes
    ----------
    spent : dict of str to ndarray, shape (n,)
        By the kinds of `SPENT`.
    uploaded : ndarray, shape (n,)
        Seconds that messages from each worker took.
    """

    def __init__(self, workers: int) -> None:
        self.spent = {kind: np.zeros(workers) for kind in SPENT}
        self.uploaded = np.zeros(workers)

    def moment(self, now: float) -> Moment:
        """Copy the present state."""
        return Moment(now, {kind: values.copy() for kind, values in self.spent.items()})

    def carried(self, source: int, to: int, seconds: float, latency_s: float) -> None:
        """Count a message that took `seconds`, of them `latency_s` to propagate."""
        if source != SERVER:
            self.uploaded[source] += seconds
            self.spent["uplink"][source] += seconds
            self.spent["uplink_latency"][source] += latency_s
            self.spent["latency"][source] += latency_s
        if to != SERVER:
            self.spent["downlink_latency"][to] += latency_s
            self.spent["latency"][to] += latency_s

    def blocked(self, worker: int, seconds: float, uploaded: float, transfer_s: float) -> None:
        """Count a worker's waiting for a message that took `transfer_s`; `uploaded` is what it was as that began."""
        upload = min(seconds, self.uploaded[worker] - uploaded)
        download = min(seconds - upload, transfer_s)
        self.spent["downlink"][worker] += download
        self.spent["waiting"][worker] += seconds - upload - download
