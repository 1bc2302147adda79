"""The event engine: a program whose messages share resources, as flows of a `FluidNetwork`, by callbacks.

No process waits for anything: a rank is a position in its list of parts, moved on by the arrivals of its messages.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import simpy

from network_models.engines.script import Leg, Part, account, players, script
from network_models.fabric import Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.paths import Paths
from network_models.schedules.step import Program
from network_models.timing import Timing


def play(paths: Paths, workers: Integers, start: Floats, program: Program, server_start: float | None = None) -> Timing:
    """Time any program; see `vector.play` for the parameters.

    Returns
    -------
    Timing
        Its `queueing` is what sharing has cost.
    """
    return Playing(paths, workers, start, program, server_start).run()


class Playing:
    """One program under way on a clock of its own."""

    def __init__(
        self, paths: Paths, workers: Integers, start: Floats, program: Program, server_start: float | None = None
    ) -> None:
        begin = float(start.min()) if server_start is None else server_start
        self.paths, self.start, self.key = paths, start, paths.call()
        self.env = simpy.Environment(initial_time=min(float(start.min()), begin))
        self.network = FluidNetwork(self.env, paths)
        self.parts, self.nodes = script(program), players(workers, program)
        self._ready = [*start.tolist(), *[begin] * program.servers]
        count = len(self.nodes)
        self._awake = [False] * count
        self._entered = [0] * count  # how many parts each node has entered, ...
        self._through = [0] * count  # ... and how many, from the first on, it is through with
        self._left = [[len(part.sent) + len(part.received) for part in own] for own in self.parts]
        self._place = [{part.step: at for at, part in enumerate(own)} for own in self.parts]

    def run(self) -> Timing:
        """Play to the end."""
        for node, own in enumerate(self.parts):
            if own:
                self.env.timeout(self._ready[node] - self.env.now, node).callbacks.append(self._begin)
        self.env.run()
        return account(self.paths, self.parts, self.start)

    def _begin(self, event: simpy.Event) -> None:
        node: int = event.value  # type: ignore[assignment]  # events carry any value
        self._awake[node] = True
        self._enter(node)

    def _enter(self, node: int) -> None:
        """Enter all parts that the node may enter now."""
        own = self.parts[node]
        while (at := self._entered[node]) < len(own) and self._may(own, at, self._through[node]):
            self._entered[node] += 1
            for leg in own[at].sent:
                if not leg.rendezvous or self._is_in(leg.destination, leg.step):
                    self._send(leg)
            for leg in own[at].received:
                if leg.rendezvous and self._is_in(leg.source, leg.step):
                    self._send(leg)
            self._settle(node)

    @staticmethod
    def _may(own: list[Part], at: int, through: int) -> bool:
        return through == at or own[through].step > own[at].step - own[at].lag

    def _is_in(self, node: int, step: int) -> bool:
        return self._place[node][step] < self._entered[node]

    def _send(self, leg: Leg) -> None:
        source, destination = self.nodes[leg.source], self.nodes[leg.destination]
        if self.paths.transport.remembers:
            ends, now = (np.array([source]), np.array([destination])), np.array([self.env.now])
            leg.stall_s = float(self.paths.stall_s(*ends, now, np.array([leg.size_bytes]))[0])
        sent = self.network.transfer(source, destination, leg.size_bytes, self.key + leg.step, behind=leg.lag > 1)
        sent.callbacks.append(partial(self._arrived, leg))

    def _arrived(self, leg: Leg, event: simpy.Event) -> None:
        leg.record = event.value
        for node in (leg.source, leg.destination):
            self._left[node][self._place[node][leg.step]] -= 1
            self._settle(node)
            if self._awake[node]:
                self._enter(node)

    def _settle(self, node: int) -> None:
        """Count the parts with which the node is through."""
        left = self._left[node]
        while (at := self._through[node]) < self._entered[node] and not left[at]:
            self._through[node] += 1
