"""The reference engine: one SimPy process for each rank, every message a fluid flow, all rates solved at each event.

It shares no formula with the vector engine and no bookkeeping with the event engine; use it to check, not to sweep.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

import numpy as np
import simpy

from network_models.engines import hub
from network_models.engines.alone import arrival_alone_s, flowing_s
from network_models.engines.script import Leg, Part, account, players, script
from network_models.fabric import Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.paths import Paths
from network_models.schedules.step import Program
from network_models.sharing.maxmin import MaxMinSharing
from network_models.timing import Timing

Steps: TypeAlias = Generator[simpy.Event, object, None]


class Reference:
    """Time programs, and the two ways to and from a server, message by message.

    Attributes
    ----------
    network : FluidNetwork
        The network of the last call, with the bytes that it carried.
    """

    network: FluidNetwork

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
        """Workers to server; see `hub.gather`."""
        self._begin(float(start.min()))
        ready = flowing_s(self.paths, workers, start, sizes_bytes, to_servers=True)
        finish, latency = hub.played(self.network, workers, start, sizes_bytes, to_servers=True)
        alone = arrival_alone_s(self.paths, workers, ready + latency, sizes_bytes, to_servers=True)
        return hub.gathered(start, finish, latency, alone), float(finish.max())

    def broadcast(self, workers: Integers, start: Floats, server_start: float, size_bytes: Floats | float) -> Timing:
        """Server to workers; see `hub.broadcast`."""
        self._begin(server_start)
        begin, sizes = np.full(len(workers), server_start), np.full(len(workers), size_bytes, dtype=np.float64)
        ready = flowing_s(self.paths, workers, begin, sizes, to_servers=False)
        arrived, latency = hub.played(self.network, workers, begin, sizes, to_servers=False)
        alone = arrival_alone_s(self.paths, workers, ready + latency, sizes, to_servers=False)
        return hub.broadcasted(start, server_start, arrived, latency, alone)

    def play(self, workers: Integers, start: Floats, program: Program, server_start: float | None = None) -> Timing:
        """Time any program; see `vector.play`."""
        begin = float(start.min()) if server_start is None else server_start
        env = self._begin(min(float(start.min()), begin))
        key, parts, nodes = self.paths.call(), script(program), players(workers, program)
        ready = [*start.tolist(), *[begin] * program.servers]
        entered = [{part.step: env.event() for part in own} for own in parts]

        def send(leg: Leg, arrived: simpy.Event) -> Steps:
            if leg.rendezvous:
                yield entered[leg.destination][leg.step]
            ends = nodes[leg.source], nodes[leg.destination]
            leg.stall_s = self._stall_s(*ends, env.now, leg.size_bytes)
            sent = self.network.transfer(*ends, leg.size_bytes, key + leg.step, behind=leg.lag > 1)
            leg.record = yield sent  # type: ignore[assignment]
            arrived.succeed()

        arrivals = {leg: env.event() for own in parts for part in own for leg in part.sent}

        def take_part(node: int) -> Steps:
            yield env.timeout(ready[node] - env.now)
            awaited: list[Part] = []
            for part in parts[node]:
                earlier = [other for other in awaited if other.step <= part.step - part.lag]
                yield env.all_of([arrivals[leg] for other in earlier for leg in other.sent + other.received])
                awaited = [other for other in awaited if other.step > part.step - part.lag]
                entered[node][part.step].succeed()
                for leg in part.sent:
                    env.process(send(leg, arrivals[leg]))
                awaited.append(part)
            yield env.all_of([arrivals[leg] for part in awaited for leg in part.sent + part.received])

        env.run(until=env.all_of([env.process(take_part(node)) for node in range(len(nodes))]))
        return account(self.paths, parts, start)

    def _begin(self, now: float) -> simpy.Environment:
        env = simpy.Environment(initial_time=now)
        self.network = FluidNetwork(env, self.paths, MaxMinSharing(self.paths.capacity_bps.tolist()))
        return env

    def _stall_s(self, source: int, destination: int, now: float, size_bytes: float) -> float:
        if not self.paths.transport.remembers:
            return 0.0
        ends = np.array([source]), np.array([destination])
        return float(self.paths.stall_s(*ends, np.array([now]), np.array([size_bytes]))[0])
