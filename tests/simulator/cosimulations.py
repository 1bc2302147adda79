"""Small co-simulations: a quadratic task in memory, a star on which no two messages share a link."""

from __future__ import annotations

from typing import Any

from algorithms.async_sgd import Asynchronous, async_sgd
from algorithms.cohort import Cohort
from algorithms.ops import SERVER
from network_models import Network, star
from simulator.compute import Fixed
from simulator.drivers.cosimulate import Cosimulator
from simulator.drivers.outstanding import Outstanding
from simulator.faults import Faults
from simulator.records.recording import Cadence, Recording
from simulator.tasks.synthetic import Quadratic

D = 4
MESSAGE_BITS = 8 * (6 + 4 * D)
NONE = Faults()
SERVER_BPS = 1e15  # so fast that no two messages ever share it


def task_of(workers: int) -> Quadratic:
    return Quadratic(workers=workers, batch=1, seed=1, dimensions=D, noise=0.0, device="cpu")


def simulator_of(
    workers: int, network: Network, compute: Any, seed: int = 0, rounds: int = 4, faults: Faults = NONE
) -> Cosimulator:
    recording = Recording(task_of(workers), Cadence(rounds, 1, 1000))
    gradients = Outstanding(recording.task, recording, workers, chunk=2)
    flops = recording.task.flops_per_step
    return Cosimulator(gradients, flops, network, compute, recording, workers=workers, seed=seed, faults=faults)


def switch(workers: int, bps: Any = 1000.0, latency_s: Any = 0.01) -> Network:
    return star(workers, bps, bps, latency_s, server_up_bps=SERVER_BPS, server_down_bps=SERVER_BPS)


def cohort(workers: int, **options: Any) -> Cohort:
    return Cohort(workers, task_of(workers).layout, **options)


def asynchronous(simulator: Any, rounds: int, **options: Any) -> Asynchronous:
    """Run asynchronous SGD from the task's starting point."""
    return played(simulator, async_sgd(**{"lr": 0.25, **options}), rounds)


def played(simulator: Any, algorithm: Any, rounds: int) -> Any:
    """Run an algorithm of a server and workers from the task's starting point, and give it."""
    n = len(simulator.mail) - 1  # all but the server
    algorithm.begin(simulator.gradients.task.initial(0))

    def worker(w: int, joins_at: int | None = None) -> Any:
        return algorithm.worker(cohort(n, only=w), rounds, joins_at)

    simulator.run({SERVER: algorithm.server(cohort(n), rounds), **{w: worker(w) for w in range(n)}}, worker)
    return algorithm


def plain(workers: int = 1) -> Cosimulator:
    """Workers of half a second a gradient."""
    return simulator_of(workers, switch(workers), Fixed(workers=workers, seconds_per_step=0.5))
