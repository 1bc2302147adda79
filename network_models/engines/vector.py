"""The vector engine: a program as a max-plus recurrence over ranks, exact where no two messages share a resource.

Each step is a few operations on arrays over ranks, whatever the links, sizes and starts are like; alike ranks that do
the same are one number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import groupby

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.links import Links
from network_models.paths import Paths
from network_models.schedules.step import Program, Step
from network_models.timing import Timing, same


def play(paths: Paths, workers: Integers, start: Floats, program: Program, server_start: float | None = None) -> Timing:
    """Time a program in which no two messages can be under way on one resource at once.

    Parameters
    ----------
    paths : Paths
    workers : ndarray of int, shape (w,)
        The node of each rank.
    start : ndarray, shape (w,)
        When each rank is ready.
    program : Program
        See `contention.contended`; with servers, they are ready at `server_start`.

    Returns
    -------
    Timing
        A rank's time in a step is transfer while a message of its own, or one that it receives, is under way, and
        waiting otherwise. Its propagation is that of the message it sends or, where it sends none, of the one it gets.
    """
    key = paths.call()
    together = in_step(paths, workers, start, program)
    if together is not None:
        return together
    state = _State(paths, workers, start, program, server_start)
    number = 0
    for simple, steps in groupby(program.steps, key=state.simple):
        if simple is not None:
            number += state.round_the_ring(steps, reducing=simple)
            continue
        for step in steps:
            for _ in range(step.times):
                state.any(step, key + number)
                number += 1
    return state.timing(start)


def in_step(paths: Paths, workers: Integers, start: Floats, program: Program) -> Timing | None:
    """Time alike ranks that begin together and do the same in every step; None if they do not.

    On a star they may even send to many at once, since what all do on alike links shares them evenly.
    """
    if not (paths.plain and not program.servers and paths.fabric.alike(workers) and same(start)):
        return None
    ranks, begin = len(workers), float(start[0])
    if ranks == 1:
        return Timing.alike(1, begin, 0.0, 0.0, 0.0)
    pair = workers[:1], workers[1:2]
    latency, rate, most = (float(of(*pair)[0]) for of in (paths.latency_s, paths.rate_bps, paths.ceiling_bps))
    wire = float(paths.transport.capacity_bps(paths.fabric.path_bps(*pair))[0])
    phases, alone, steps = [0.0, 0.0], 0.0, 0
    for step in program.steps:
        many = step.each(ranks) if step.symmetric else 0
        if not isinstance(step.size_bytes, (int, float)) or step.lag > 1 or many != 1 and not (many and even(paths)):
            return None
        bits = float(paths.bits(step.size_bytes))
        phases[not step.reducing] += step.times * (latency + bits / (rate if many == 1 else min(wire / many, most)))
        alone += step.times * (latency + bits / rate)
        steps += step.times
    total = phases[0] + phases[1]
    queueing = max(total - alone, 0.0)
    return Timing.alike(ranks, begin + total, phases[0], phases[1], steps * latency, queueing)


def even(paths: Paths) -> bool:
    """Whether messages meet nowhere but on their own ends' links, each direction by itself."""
    return isinstance(paths.fabric, Links) and paths.fabric.half_duplex is None


class _State:
    """How far every rank has come, and what its time went into."""

    def __init__(
        self, paths: Paths, workers: Integers, start: Floats, program: Program, server_start: float | None
    ) -> None:
        self.paths, self.ranks = paths, len(workers)
        self.nodes, self.ready = workers, start
        if program.servers:
            self.nodes = np.concatenate((workers, np.arange(-program.servers, 0)))
            begin = float(start.min()) if server_start is None else server_start
            self.ready = np.concatenate((start, np.full(program.servers, begin)))
        self.busy, self.latency = np.zeros((2, len(self.nodes))), np.zeros(len(self.nodes))
        self._through: deque[Floats] = deque()  # ends of the last steps, where messages may follow before they ended
        self._reached = self.ready
        self._drained = np.full(len(self.nodes), -np.inf)
        self._path: tuple[Integers, Integers, Floats, Floats] | None = None

    def simple(self, step: Step) -> bool | None:
        """Whether a step reduces, if slices will do: one place on, nobody waits for anybody, paths are constants."""
        plain = step.shift == 1 and not step.rendezvous and step.lag == 1 and self.paths.plain
        return step.reducing if plain else None

    def round_the_ring(self, steps: Iterable[Step], reducing: bool) -> int:
        """Do steps of a plain ring, as often as they say; return how many that were."""
        before, ready, number = self.ready, self.ready.copy(), 0
        sent, done, gap, gaps = np.zeros((4, len(ready)))
        latency, bits = np.zeros(1), self.paths.bits
        for step in steps:
            _, _, latency, rate = self._along(step, 0)
            cost = latency + bits(step.size_bytes) / rate
            for _ in range(step.times):
                np.add(ready, cost, out=sent)
                np.maximum(sent[1:], sent[:-1], out=done[1:])
                done[0] = max(sent[0], sent[-1])
                np.subtract(ready[:-1], sent[1:], out=gap[1:])  # from one's own message's end to the other's beginning
                gap[0] = ready[-1] - sent[0]
                np.maximum(gap, 0.0, out=gap)
                gaps += gap
                ready, done = done, ready
            number += step.times
        self.busy[int(not reducing)] += ready - before - gaps
        self.latency += number * latency
        self.ready = self._reached = ready
        return number

    def any(self, step: Step, key: int) -> None:
        """Do any step once; `key` numbers it."""
        entered = self._enter(step.lag)
        source, destination, latency, rate = self._along(step, key)
        begin = entered[source]
        if step.rendezvous:
            begin = np.maximum(begin, entered[destination])
        sizes, here, there = step.sizes, self.nodes[source], self.nodes[destination]
        stall = self.paths.stall_s(here, there, begin, sizes) if self.paths.transport.remembers else 0.0
        if step.lag > 1 or self.paths.fabric.rates:
            flows = begin + latency + stall
            if step.lag > 1:
                flows = np.maximum(flows, self._drained[source])
            end = self.paths.arrival_s(here, there, flows, sizes)
        else:
            end = begin + (latency + stall + self.paths.bits(sizes) / rate)
        if self.paths.transport.remembers:
            self.paths.used(here, there, end)
        self._drained[source] = end
        self._bill(step, source, destination, begin, latency, end)

    def _along(self, step: Step, key: int) -> tuple[Integers, Integers, Floats, Floats]:
        """Ends, latencies and rates of a step's messages, kept from the step before where they are the same."""
        known = self._path
        if known is None or known[0] is not step.source or known[1] is not step.destination or self.paths.jitter:
            here, there = self.nodes[step.source], self.nodes[step.destination]
            latency, rate = self.paths.latency_s(here, there, key), self.paths.rate_bps(here, there)
            self._path = known = (step.source, step.destination, latency, rate)
        return known

    def _enter(self, lag: int) -> Floats:
        """When each rank enters the next step; with a lag, it need not be through with the last ones."""
        if lag == 1:
            return self.ready
        if len(self._through) == lag:
            self.ready = np.maximum(self.ready, self._through.popleft())
        return self.ready

    def _bill(
        self, step: Step, source: Integers, destination: Integers, begin: Floats, latency: Floats, end: Floats
    ) -> None:
        """Move every rank on, and account for the time in which its messages were under way."""
        nodes, floor = len(self.nodes), self._reached
        sent_from, sent, got_from, got = np.full((4, nodes), -np.inf)
        sent_from[source], sent[source], got_from[destination], got[destination] = begin, end, begin, end
        done = np.maximum(np.maximum(floor, sent), got)
        sent_from, got_from = np.maximum(sent_from, floor), np.maximum(got_from, floor)
        both = np.maximum(np.minimum(sent, got) - np.maximum(sent_from, got_from), 0.0)
        busy = np.maximum(sent - sent_from, 0.0) + np.maximum(got - got_from, 0.0) - both
        propagation = np.zeros(nodes)
        propagation[destination] = np.clip(begin + latency - floor[destination], 0.0, latency)
        propagation[source] = np.clip(begin + latency - floor[source], 0.0, latency)
        self.busy[int(not step.reducing)] += busy
        self.latency += np.minimum(propagation, busy)
        self._reached = done
        if step.lag == 1:
            self.ready = done
        else:
            self._through.append(np.maximum(sent, got))

    def timing(self, start: Floats) -> Timing:
        """The account of the ranks."""
        w = slice(0, self.ranks)
        return Timing.between(start, self._reached[w], self.busy[0, w], self.busy[1, w], self.latency[w])
