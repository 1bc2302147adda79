"""Costs stay of the right order (CPU seconds, with a wide margin for busy machines)."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import simpy

from network_models import SERVER, Network, star


def cpu_seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """The fastest of a few repeats: what else runs on the machine only ever adds."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        action()
        times.append(time.process_time() - begin)
    return min(times)


def unlike(workers: int) -> tuple[Network, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rates = rng.lognormal(np.log(1e7), 1.0, workers)
    net = star(workers, rates, 3 * rates, rng.uniform(0.01, 0.05, workers), "1 Gbit/s", "1 Gbit/s")
    return net, rng.uniform(0.0, 1.0, workers), rng.integers(10**5, 10**6, workers)


def test_a_round_of_alike_workers_is_nearly_free() -> None:
    net, workers, start, sizes = star(16, 1e9, 1e9, 1e-4), np.arange(16), np.zeros(16), np.full(16, 10**6)

    def rounds() -> None:
        for _ in range(100):
            timing, server = net.gather(workers, start, sizes)
            net.broadcast(workers, timing.finish, server, 10**6)

    assert cpu_seconds(rounds) / 100 < 0.4e-3  # about 0.08 ms


@pytest.mark.parametrize(("workers", "limit"), [(1000, 0.04), (10_000, 0.5)])  # about 5 and 50 ms
def test_gather_of_unlike_workers(workers: int, limit: float) -> None:
    net, start, sizes = unlike(workers)
    assert cpu_seconds(lambda: net.gather(np.arange(workers), start, sizes), 3) < limit


def test_a_thousand_pushes_in_flight() -> None:
    net, start, sizes = unlike(1000)

    def push() -> None:
        env = simpy.Environment()
        network = net.fluid(env)
        for worker in range(1000):
            network.transfer(worker, SERVER, float(sizes[worker]))
        env.run()

    assert cpu_seconds(push, 3) < 0.4  # about 45 ms


def test_unlike_ring_of_hundreds() -> None:
    net, start, sizes = unlike(256)
    assert cpu_seconds(lambda: net.all_reduce(range(256), start, np.full(256, 10**6), lambda count: 10**6), 3) < 0.1


def test_a_ring_of_ten_thousand_unlike_workers() -> None:
    net, start, _ = unlike(10_000)
    assert cpu_seconds(lambda: net.all_reduce(None, start, np.full(10_000, 1e6)), 2) < 1.5  # about 0.25


def test_what_all_do_alike_costs_the_same_for_any_number() -> None:
    def rounds(workers: int) -> float:
        net, sizes = star(workers, 1e9, 1e9, 1e-4), np.broadcast_to(1e6, workers)

        def one() -> None:
            for _ in range(20):
                net.all_reduce(None, 0.0, sizes, lambda count: 1e6)
                timing, server = net.gather(None, 0.0, sizes)
                net.broadcast(None, timing.finish, server, 1e6)

        one()
        return cpu_seconds(one)

    assert rounds(100_000) < 2 * rounds(10)


def test_a_thousand_workers_with_messages_that_meet_share_one_answer() -> None:
    net, sizes = star(1000, 1e9, 1e9, 1e-4, all_to_all="direct"), np.broadcast_to(1e3, 1000)
    assert cpu_seconds(lambda: net.all_to_all(None, 0.0, sizes), 2) < 1.0  # about 0.03
