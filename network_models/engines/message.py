"""The reference engine: every message is a fluid flow between real SimPy processes, on a private clock.

It knows nothing of the formulas of `Collapsed` and solves for all rates anew at each event; use it to check, not to
sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias

import numpy as np
import simpy

from network_models.engines import hub
from network_models.fabric import Floats, Integers
from network_models.fluid import FluidNetwork
from network_models.paths import Paths
from network_models.schedules.halving_doubling import Exchange
from network_models.schedules.ring import Ring
from network_models.sharing.maxmin import MaxMinSharing
from network_models.timing import Timing
from network_models.transfer import Transfer

Steps: TypeAlias = Generator[simpy.Event, object, None]


class Messages:
    """Time each primitive of a star message by message; the same methods as `Collapsed`.

    Attributes
    ----------
    network : FluidNetwork
        The network of the last primitive, with the bytes that it carried.
    """

    network: FluidNetwork

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def gather(self, workers: Integers, start: Floats, sizes_bytes: Floats) -> tuple[Timing, float]:
        """Workers to servers."""
        _, network = self._begin(float(start.min()))
        finish, latency = hub.played(network, workers, start, sizes_bytes, to_servers=True)
        return hub.gathered(start, finish, latency), float(finish.max())

    def broadcast(self, workers: Integers, start: Floats, server_start: float, size_bytes: float) -> Timing:
        """Servers to workers."""
        _, network = self._begin(server_start)
        begin, sizes = np.full(len(workers), server_start), np.full(len(workers), float(size_bytes))
        arrived, latency = hub.played(network, workers, begin, sizes, to_servers=False)
        return hub.broadcasted(start, server_start, arrived, latency)

    def ring(self, workers: Integers, start: Floats, ring: Ring) -> Timing:
        """Each to the next."""
        ranks = len(workers)
        env, network = self._begin(float(start.min()))
        ledger = _Ledger(ranks)
        if ranks == 1:
            return Timing.nothing(start)
        arrivals = [[env.event() for _ in range(ring.steps)] for _ in range(ranks)]

        def pass_on(rank: int) -> Steps:
            yield env.timeout(start[rank] - env.now)
            following = (rank + 1) % ranks
            for step in range(ring.steps):
                began = env.now
                size = np.broadcast_to(ring.sent_bytes(step), ranks)[rank]
                sent = network.transfer(int(workers[rank]), int(workers[following]), size)
                sent.callbacks.append(arrivals[following][step].trigger)
                moving = [sent, arrivals[rank][step]]
                yield env.all_of(moving)
                ledger.bill(rank, step < ring.reducing, began, moving)
            ledger.finish[rank] = env.now

        self._run(env, pass_on, ranks)
        return ledger.timing(start)

    def butterfly(self, workers: Integers, start: Floats, exchanges: list[Exchange]) -> Timing:
        """Pairwise exchanges."""
        ranks = len(workers)
        env, network = self._begin(float(start.min()))
        ledger = _Ledger(ranks)
        ready = [[env.event() for _ in exchanges] for _ in range(ranks)]
        arrivals = [[env.event() for _ in exchanges] for _ in range(ranks)]

        def trade(rank: int) -> Steps:
            yield env.timeout(start[rank] - env.now)
            for step, exchange in enumerate(exchanges):
                partner = int(exchange.partner[rank])
                if partner == rank:
                    continue
                began = env.now
                ready[rank][step].succeed()
                yield ready[partner][step]
                moving = []
                if exchange.sends[rank]:
                    sent = network.transfer(int(workers[rank]), int(workers[partner]), exchange.sent_bytes[rank])
                    sent.callbacks.append(arrivals[partner][step].trigger)
                    moving.append(sent)
                if exchange.sends[partner]:
                    moving.append(arrivals[rank][step])
                yield env.all_of(moving)
                ledger.bill(rank, exchange.reducing, began, moving)
            ledger.finish[rank] = env.now

        self._run(env, trade, ranks)
        return ledger.timing(start)

    def _begin(self, now: float) -> tuple[simpy.Environment, FluidNetwork]:
        env = simpy.Environment(initial_time=now)
        self.network = FluidNetwork(env, self.paths, MaxMinSharing(self.paths.capacity_bps.tolist()))
        return env, self.network

    def _run(self, env: simpy.Environment, process: Callable[[int], Steps], ranks: int) -> None:
        env.run(until=env.all_of([env.process(process(rank)) for rank in range(ranks)]))


class _Ledger:
    """Adds up, rank by rank, the time in which a message of each step was under way."""

    def __init__(self, ranks: int) -> None:
        self.finish, self._uplink, self._downlink, self._latency = np.zeros((4, ranks))

    def bill(self, rank: int, uplink: bool, began: float, moved: list[simpy.Event]) -> None:
        """Bill the union of the transfers' times since `began`, and the first one's propagation."""
        transfers = [event.value for event in moved if isinstance(event.value, Transfer)]
        busy, reached = 0.0, began
        for transfer in sorted(transfers, key=lambda transfer: transfer.start_s):
            busy += max(transfer.finish_s - max(transfer.start_s, reached), 0.0)
            reached = max(reached, transfer.finish_s)
        (self._uplink if uplink else self._downlink)[rank] += busy
        self._latency[rank] += transfers[0].latency_s

    def timing(self, start: Floats) -> Timing:
        return Timing.between(start, self.finish, self._uplink, self._downlink, self._latency)
