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
        Cumulative seconds of each worker by kind; the latencies are the parts of uplink and downlink due to
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
    """

    def __init__(self, header: Header, network: Network, compute: Compute) -> None:
        n = header.workers
        self.network, self.compute, self.flops = network, compute, header.flops_per_step
        network.reset()
        self.env = simpy.Environment()
        self.now = np.zeros(n)
        self.server = 0.0
        self.spent = {kind: np.zeros(n) for kind in SPENT}
        self._workers = np.arange(n)

    def play(self, entry: Entry) -> None:
        """Advance by one entry of a trace."""
        getattr(self, "_" + entry["op"])(entry)

    def moment(self) -> Moment:
        """Copy the present state; a worker that is ahead, or sat out, has been waiting since."""
        spent = {kind: values.copy() for kind, values in self.spent.items()}
        spent["waiting"] += self.seconds - self.now
        return Moment(self.seconds, spent)

    @property
    def seconds(self) -> float:
        """The makespan so far: when the last worker, or the server, got where the program stands."""
        return float(max(self.now.max(), self.server))

    def _sizes(self, entry: Entry) -> np.ndarray:
        return np.broadcast_to(np.asarray(entry["size"], dtype=np.int64), self._workers.shape)

    def _compute(self, kind: str, seconds: np.ndarray) -> None:
        self.now[self._workers] += seconds
        self.spent[kind][self._workers] += seconds

    def _communicate(self, timing: Timing, up: float) -> None:
        """Release the workers; `up` is the uplink's share of the latency."""
        active = self._workers
        self.now[active] = timing.finish
        for kind in ("uplink", "downlink", "waiting", "latency"):
            self.spent[kind][active] += getattr(timing, kind)
        self.spent["uplink_latency"][active] += up * timing.latency
        self.spent["downlink_latency"][active] += (1 - up) * timing.latency
        if (end := self.seconds) > self.env.now:
            self.env.run(until=self.env.timeout(end - self.env.now))

    def _active(self, entry: Entry) -> None:
        self._workers = np.asarray(entry["workers"], dtype=np.int64)

    def _gradient(self, entry: Entry) -> None:
        self._compute("compute", self.compute.gradient_seconds(self._workers, entry["step"], self.flops))

    def _work(self, entry: Entry) -> None:
        self._compute("encode", self.compute.work_seconds(self._workers, entry["size"]))

    def _gather(self, entry: Entry) -> None:
        timing, arrived = self.network.gather(self._workers, self.now[self._workers], self._sizes(entry))
        self.server = max(self.server, arrived)  # it may be busy longer than that
        self._communicate(timing, up=1.0)

    def _at_server(self, entry: Entry) -> None:
        self.server += self.compute.server_seconds(entry["size"])

    def _broadcast(self, entry: Entry) -> None:
        start = self.now[self._workers]
        self._communicate(self.network.broadcast(self._workers, start, self.server, entry["size"]), up=0.0)

    def _all_reduce(self, entry: Entry) -> None:
        merged = entry.get("merged")
        size = float(self._sizes(entry).max())
        law = (lambda count: size) if merged is None else (lambda count: float(merged[count - 1]))
        timing = self.network.all_reduce(self._workers, self.now[self._workers], self._sizes(entry), law)
        self._communicate(timing, up=0.5)

    def _all_gather(self, entry: Entry) -> None:
        timing = self.network.all_gather(self._workers, self.now[self._workers], self._sizes(entry))
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
