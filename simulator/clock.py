"""The clock of a synchronous run: plays a trace's entries on a network, each worker with its own time.

The same object times a run as it is recorded and re-times it afterwards, so the two agree to the bit. Between
collectives each worker runs by itself; a collective asks the network when each of its workers is released. SimPy keeps
the time: the clock waits on its environment until the last worker of each collective is through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import simpy

from network_models import Network, Timing
from network_models.even import copied, even, lifted, most, put, taken
from simulator.compute import Compute
from simulator.trace import Entry, Header

SPENT = ("compute", "encode", "uplink", "downlink", "waiting", "latency", "uplink_latency", "downlink_latency")


@dataclass(frozen=True)
class Moment:
    """Where simulated time stands at a mark.

    Parameters
    ----------
    seconds : float
        The makespan so far.
    spent : dict of str to ndarray, shape (n,)
        Cumulative seconds of each worker by kind, read-only; the latencies are the parts of uplink and downlink due to
        propagation, and `latency` is their sum. In an all-reduce each half has half of it.
    """

    seconds: float
    spent: dict[str, np.ndarray]


class Clock:
    """Times the ops of n workers in lockstep.

    Parameters
    ----------
    header : Header
        Of the trace: the workers, and the FLOPs of a step.
    network : Network
    compute : Compute

    Notes
    -----
    What is the same for all workers is kept as one number (`network_models.even`), so that a round of workers that are
    alike costs the same for any n.
    """

    def __init__(self, header: Header, network: Network, compute: Compute) -> None:
        n = header.workers
        self.network, self.compute, self.flops = network, compute, header.flops_per_step
        network.reset()
        self.env = simpy.Environment()
        self.now = even(0.0, n)
        self.server = 0.0
        self.spent = {kind: even(0.0, n) for kind in SPENT}
        self._workers = self._everybody = np.arange(n)

    def play(self, entry: Entry) -> None:
        """Advance by one entry of a trace."""
        getattr(self, "_" + entry["op"])(entry)

    def moment(self) -> Moment:
        """Copy the present state; a worker that is ahead, or sat out, has been waiting since."""
        spent = {kind: copied(values) for kind, values in self.spent.items()}
        spent["waiting"] = lifted(np.add, spent["waiting"], lifted(np.subtract, self.seconds, self.now))
        return Moment(self.seconds, spent)

    @property
    def seconds(self) -> float:
        """The makespan so far: when the last worker, or the server, got where the program stands."""
        return max(most(self.now), self.server)

    @property
    def _participants(self) -> np.ndarray | range:
        return range(len(self.now)) if self._workers is self._everybody else self._workers

    @property
    def _ready(self) -> np.ndarray:
        """When each participant is ready."""
        return self.now if self._workers is self._everybody else taken(self.now, self._workers)

    def _sizes(self, entry: Entry) -> np.ndarray:
        return np.broadcast_to(np.asarray(entry["size"], dtype=np.int64), self._workers.shape)

    def _spend(self, kind: str, seconds: np.ndarray) -> None:
        self.spent[kind] = self._added(self.spent[kind], seconds)

    def _added(self, values: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        """Add to the entries of the active workers."""
        if self._workers is self._everybody:
            return lifted(np.add, values, seconds)
        return put(values, self._workers, taken(values, self._workers) + seconds)

    def _compute(self, kind: str, seconds: np.ndarray) -> None:
        self.now = self._added(self.now, seconds)
        self._spend(kind, seconds)

    def _communicate(self, timing: Timing, up: float) -> None:
        """Release the workers; `up` is the uplink's share of the latency."""
        everybody = self._workers is self._everybody
        self.now = copied(timing.finish) if everybody else put(self.now, self._workers, timing.finish)
        for kind in ("uplink", "downlink", "waiting", "latency"):
            self._spend(kind, getattr(timing, kind))
        self._spend("uplink_latency", lifted(np.multiply, up, timing.latency))
        self._spend("downlink_latency", lifted(np.multiply, 1 - up, timing.latency))
        if (end := self.seconds) > self.env.now:
            self.env.run(until=self.env.timeout(end - self.env.now))

    def _active(self, entry: Entry) -> None:
        workers = np.asarray(entry["workers"], dtype=np.int64)
        self._workers = self._everybody if np.array_equal(workers, self._everybody) else workers

    def _gradient(self, entry: Entry) -> None:
        self._compute("compute", self.compute.gradient_seconds(self._workers, entry["step"], self.flops))

    def _work(self, entry: Entry) -> None:
        self._compute("encode", self.compute.work_seconds(self._workers, entry["size"]))

    def _gather(self, entry: Entry) -> None:
        timing, arrived = self.network.gather(self._participants, self._ready, self._sizes(entry))
        self.server = max(self.server, arrived)  # it may be busy longer than that
        self._communicate(timing, up=1.0)

    def _at_server(self, entry: Entry) -> None:
        self.server += self.compute.server_seconds(entry["size"])

    def _broadcast(self, entry: Entry) -> None:
        timing = self.network.broadcast(self._participants, self._ready, self.server, entry["size"])
        self._communicate(timing, up=0.0)

    def _all_reduce(self, entry: Entry) -> None:
        merged = entry.get("merged")
        size = most(self._sizes(entry))
        law = (lambda count: size) if merged is None else (lambda count: float(merged[count - 1]))
        timing = self.network.all_reduce(self._participants, self._ready, self._sizes(entry), law)
        self._communicate(timing, up=0.5)

    def _all_gather(self, entry: Entry) -> None:
        timing = self.network.all_gather(self._participants, self._ready, self._sizes(entry))
        self._communicate(timing, up=0.0)

    def _mark(self, entry: Entry) -> None:
        """A mark takes no time."""


def play(entries: Iterable[Entry], clock: Clock, marks: set[int]) -> list[tuple[int, Moment]]:
    """Play a trace's entries on a clock and give the moments at the named marks."""
    moments = []
    for entry in entries:
        clock.play(entry)
        if entry["op"] == "mark" and entry["round"] in marks:
            moments.append((entry["round"], clock.moment()))
    return moments
