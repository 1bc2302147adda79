"""The clock of a synchronous run: plays a trace's entries on a network, each worker with its own time.

The same object times a run as it is recorded and re-times it afterwards, so the two agree to the bit. Between
collectives each worker runs by itself; a collective asks the network when each of its workers is released. SimPy keeps
the time: the clock waits on its environment until the last worker of each collective is through. A forked branch is
played on the workers' other streams (see `streams`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import simpy

from network_models import Network, Timing
from network_models.even import copied, even, lifted, most, put, taken
from simulator.collectives import UP, timed
from simulator.compute import Compute
from simulator.moment import ADDED, CONTAINED, SPENT, Moment
from simulator.spans import SpanListener
from simulator.streams import Branch, Leg, Streams, bill
from simulator.telling import Teller
from simulator.trace import Entry, Header

__all__ = ["ADDED", "CONTAINED", "SPENT", "Clock", "Moment", "play"]

Collective = Callable[[np.ndarray, float], Timing]


class Clock:
    """Times the ops of n workers in lockstep.

    Parameters
    ----------
    header : Header
        Of the trace: the workers, and the FLOPs of a step.
    network : Network
    compute : Compute
    listener : SpanListener, optional
        Is told every span of time; see `simulator.spans`.

    Notes
    -----
    What is the same for all workers is kept as one number (`network_models.even`), so that a round of workers that are
    alike costs the same for any n.
    """

    def __init__(
        self, header: Header, network: Network, compute: Compute, listener: SpanListener | None = None
    ) -> None:
        n = header.workers
        self.network, self.compute, self.flops = network, compute, header.flops_per_step
        network.reset()
        self.env = simpy.Environment()
        self.now = even(0.0, n)
        self.server = 0.0
        self.spent = {kind: even(0.0, n) for kind in SPENT}
        self._workers = self._everybody = np.arange(n)
        self._streams = Streams(n)
        self._branch: Branch | None = None
        self._encoding: tuple[int, np.ndarray] | None = None  # pieces, and the seconds of all of them
        self._told = Teller(listener, network)

    def play(self, entry: Entry) -> None:
        """Advance by one entry of a trace."""
        self._told.entry(entry)
        getattr(self, "_" + entry["op"])(entry)

    def moment(self) -> Moment:
        """Copy the present state; a worker that is ahead, or sat out, has been waiting since."""
        spent = {kind: copied(values) for kind, values in self.spent.items()}
        spent["waiting"] = lifted(np.add, spent["waiting"], lifted(np.subtract, self.seconds, self.now))
        return Moment(self.seconds, spent, self._told.carried_bits)

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

    def _spend(self, kind: str, seconds: np.ndarray) -> None:
        self.spent[kind] = self._added(self.spent[kind], seconds)

    def _added(self, values: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        """Add to the entries of the active workers."""
        if self._workers is self._everybody:
            return lifted(np.add, values, seconds)
        return put(values, self._workers, taken(values, self._workers) + seconds)

    def _compute(self, kind: str, seconds: np.ndarray) -> None:
        begin = self._ready
        self.now = self._added(self.now, seconds)
        self._spend(kind, seconds)
        if self._branch is None:
            self._told.span(kind, self._workers, begin, self._ready)

    def _meet(self, entry: Entry) -> None:
        """Play a collective."""

        def collective(start: np.ndarray, share: float) -> Timing:
            timing, through = timed(self.network, entry, self._participants, start, self.server, share)
            self.server = max(self.server, through)
            return timing

        up = UP[entry["op"]]
        if entry["op"] in ("broadcast", "scatter"):
            self._encoding = None  # that was the workers' work, and this is the server's message
        if self._branch is not None or self._encoding is not None:
            self._meet_beside(collective, up)
        else:
            leg = Leg.of(self._ready, collective(self._ready, 1.0), up)
            self._told.collective(self._workers, leg)
            for kind, seconds in leg.spent.items():
                self._spend(kind, seconds)
            self._release(leg.finish)
            self._streams.interrupt()

    _gather = _broadcast = _scatter = _all_reduce = _all_gather = _meet

    def _meet_beside(self, collective: Collective, up: float) -> None:
        """Play a collective, (start, share of its bytes) -> Timing, in a branch, in pieces, or both.

        In pieces either the links never rest from the first one on, or the last one leaves when it is encoded: what
        ends later counts.
        """
        now, branch = self._ready, self._branch
        free = now if branch is None else taken(self._streams.free, self._workers)
        start = lifted(np.maximum, now, free)
        if self._encoding is None:
            leg = Leg.of(start, collective(start, 1.0), up)
        else:
            pieces, seconds = self._encoding
            early = lifted(np.subtract, now, lifted(np.multiply, 1 - 1 / pieces, seconds))
            early = early if branch is None else lifted(np.maximum, early, free)
            leg = Leg.of(early, collective(early, 1.0), up)
            leg = leg.later(self._told.trying(lambda: Leg.of(start, collective(start, 1 / pieces), up)))
        self._encoding = None
        self._told.collective(self._workers, leg, "network")
        if branch is None:
            self._bill([leg], now, leg.finish)
            self._release(leg.finish)
            self._streams.interrupt()
        else:
            branch.legs.append(leg)
            self.now = self._set(self.now, leg.finish)

    def _set(self, values: np.ndarray, new: np.ndarray) -> np.ndarray:
        """Replace the entries of the active workers."""
        return copied(new) if self._workers is self._everybody else put(values, self._workers, new)

    def _release(self, finish: np.ndarray) -> None:
        """Let the active workers go on, and SimPy's time catch up."""
        self.now = self._set(self.now, finish)
        if (end := self.seconds) > self.env.now:
            self.env.run(until=self.env.timeout(end - self.env.now))

    def _fork(self, entry: Entry) -> None:
        ready = self._streams.ready(self.now, self.compute.reached(entry["ready"]))
        self._branch = Branch(entry["name"], self._workers, self.now, self.server)
        self.now, self.server = ready, max(self.server, self._streams.server)

    def _end(self, entry: Entry) -> None:
        branch = self._branch
        if branch is None:
            raise ValueError("trace: expected the end of a branch after its fork, got one outside of any branch")
        self._streams.close(branch, copied(self._ready), self.server)
        if branch.legs:
            self._streams.free = self._set(self._streams.free, branch.finish)
        self.now, self.server, self._branch, self._encoding = branch.trunk, branch.trunk_server, None, None

    def _join(self, entry: Entry) -> None:
        branch = self._streams.take(entry["name"])
        active, self._workers = self._workers, branch.workers
        now = self._ready
        self._bill(branch.legs, now, branch.finish)
        self.server = max(self.server, branch.server)
        self._release(lifted(np.maximum, now, branch.finish))
        self._streams.interrupt()
        self._workers = active

    def _bill(self, legs: list[Leg], now: np.ndarray, until: np.ndarray) -> None:
        """Bill the active workers, that stand at `now`, for what they waited for."""
        paid: dict[str, np.ndarray] = {}

        def spend(kind: str, seconds: np.ndarray) -> None:
            self._spend(kind, seconds)
            paid[kind] = lifted(np.add, paid[kind], seconds) if kind in paid else seconds

        bill(spend, legs, now, until)
        self._told.parts(self._workers, now, lifted(np.maximum, now, until), paid)

    def _active(self, entry: Entry) -> None:
        workers = np.asarray(entry["workers"], dtype=np.int64)
        self._workers = self._everybody if np.array_equal(workers, self._everybody) else workers

    def _gradient(self, entry: Entry) -> None:
        begin, self._encoding = copied(self.now), None
        self._compute("compute", self.compute.gradient_seconds(self._workers, entry["step"], self.flops))
        self._streams.gradient(begin, copied(self.now))

    def _work(self, entry: Entry) -> None:
        seconds, branch = self.compute.work_seconds(self._workers, entry["size"]), self._branch
        if branch is not None and branch.legs:  # it depends on what was received
            begin = copied(self._ready)
            self.now = self._added(self.now, seconds)
            branch.legs.append(Leg(begin, copied(self._ready), {"encode": seconds}))
            self._told.parts(self._workers, begin, self._ready, {"encode": seconds}, "network")
        else:
            self._compute("encode", seconds)
            if branch is None:
                self._streams.interrupt()
            else:
                before = taken(branch.trunk, self._workers)
                branch.trunk = self._added(branch.trunk, seconds)
                after = taken(branch.trunk, self._workers)  # drawn behind the gradient, of which it delays the rest
                self._told.span("encode", self._workers, before, after)
                self._streams.lent = self._added(self._streams.lent, seconds)
        self._encoding = (entry["pieces"], seconds) if "pieces" in entry else None

    def _at_server(self, entry: Entry) -> None:
        begin = self.server
        self.server += self.compute.server_seconds(entry["size"])
        self._told.server(begin, self.server)

    def _mark(self, entry: Entry) -> None:
        """A mark takes no time."""
        self._told.mark(entry["round"], self.seconds)


def play(entries: Iterable[Entry], clock: Clock, marks: set[int]) -> list[tuple[int, Moment]]:
    """Play a trace's entries on a clock and give the moments at the named marks."""
    moments = []
    for entry in entries:
        clock.play(entry)
        if entry["op"] == "mark" and entry["round"] in marks:
            moments.append((entry["round"], clock.moment()))
    return moments
