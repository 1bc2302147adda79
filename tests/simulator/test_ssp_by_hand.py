"""Stale-synchronous runs against a simulation by hand: staleness, times and the model, for both folds and any bound."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from algorithms.ssp import ssp
from simulator.compute import Fixed
from tests.simulator.cosimulations import MESSAGE_BITS, D, asynchronous, played, simulator_of, switch, task_of

LR, INFINITY = 0.25, float("inf")
PASS_S = D * 4 / 480.0  # the server passes through one vector of D floats at 480 bytes/s


def by_hand(
    rounds: int, step_s: list[float], travel_s: list[float], bound: float, rank: bool
) -> tuple[Counter[int], list[float], Tensor, int]:
    """Simulate with a heap of arrivals: staleness, the time of each mark, the final model, the widest gap of clocks.

    A worker's cycle is compute, upload, wait for the server and for the slowest, download. The server serves one
    message at a time in order of arrival; needs arrivals at different times.
    """
    n, task = len(step_s), task_of(len(step_s))
    model = task.initial(0)
    copies, read, clock = [model.clone() for _ in range(n)], [0] * n, [0] * n
    pending: dict[int, list[tuple[int, Tensor, int]]] = {}
    arrivals = [(step_s[w] + travel_s[w], w) for w in range(n)]
    heapq.heapify(arrivals)
    held: set[int] = set()
    staleness: Counter[int] = Counter()
    marks: list[float] = []
    free, version, widest = 0.0, 0, 0
    while version < (rounds if rank else n * rounds):
        arrived, w = heapq.heappop(arrivals)
        gradient = torch.zeros(1, D)
        task.gradient(copies[w], torch.tensor([w]), 0, gradient)
        free = max(free, arrived)
        if rank:
            pending.setdefault(clock[w], []).append((w, gradient[0], read[w]))
        else:
            free += 3 * PASS_S
            staleness[version - read[w]] += 1
            model, version = model - LR * gradient[0], version + 1
            if version % n == 0:
                marks.append(free)
        clock[w] += 1
        held.add(w)
        widest = max(widest, max(clock) - min(clock))
        while rank and version < min(min(clock), rounds):
            pushes = sorted(pending.pop(version), key=lambda push: push[0])
            free += (n + 2) * PASS_S
            staleness.update(version - then for _, _, then in pushes)
            model, version = model - LR * torch.stack([g for _, g, _ in pushes]).mean(0), version + 1
            marks.append(free)
        for other in sorted(held):
            if clock[other] <= min(clock) + bound:
                held.remove(other)
                copies[other], read[other] = model.clone(), version
                heapq.heappush(arrivals, (free + 2 * travel_s[other] + step_s[other], other))
    return staleness, marks, model, widest


def simulated(step_s: list[float], bps: list[float], rounds: int, **options: Any) -> tuple[Any, Any]:
    n = len(step_s)
    compute = Fixed(workers=n, seconds_per_step=1.0, memory_bytes_per_s=480.0, speed=[1 / s for s in step_s])
    simulator = simulator_of(n, switch(n, bps, 0.01), compute, rounds=rounds)
    return simulator, played(simulator, ssp(lr=LR, **options), rounds)


WORLDS = [
    ([0.5, 1.61], [1000.0, 1000.0]),  # one slow processor
    ([0.5, 0.61], [1000.0, 87.0]),  # one slow link
    ([0.5, 0.71, 1.93], [1000.0, 1100.0, 900.0]),
    ([0.31, 0.47, 0.83, 1.07], [500.0, 1300.0, 900.0, 700.0]),
]


@pytest.mark.parametrize("fold", ["arrival", "rank"])
@pytest.mark.parametrize("bound", [0, 1, 3, INFINITY])
@pytest.mark.parametrize(("step_s", "bps"), WORLDS)
def test_against_a_simulation_by_hand(step_s: list[float], bps: list[float], bound: float, fold: str) -> None:
    rounds = 9
    simulator, algorithm = simulated(step_s, bps, rounds, bound=bound, fold=fold)
    # the server's link is so fast that nobody shares it and has no latency
    travel = [0.01 + MESSAGE_BITS / rate for rate in bps]
    staleness, marks, model, widest = by_hand(rounds, step_s, travel, bound, fold == "rank")
    assert algorithm.staleness == staleness
    assert [row["seconds"] for row in simulator.listener.timeline] == pytest.approx(marks, rel=1e-9)
    torch.testing.assert_close(algorithm.model, model, rtol=1e-5, atol=1e-6)
    # who may begin c + s has pushed c + s + 1 times before it waits
    assert widest <= bound + 1
    if fold == "rank":
        assert max(staleness) <= bound


@settings(max_examples=15)
@given(st.lists(st.floats(0.2, 3.0), min_size=1, max_size=5, unique=True), st.integers(0, 3))
def test_no_push_misses_more_than_the_bound_allows(step_s: list[float], bound: int) -> None:
    # Ho et al., section 2: a worker at clock c has seen all of clock c - s - 1, so it misses at most the pushes of s
    # clocks from each other worker, and while it computes each of them can push s + 1 clocks beyond its own
    n, rounds = len(step_s), 5
    _, algorithm = simulated(step_s, [1000.0] * n, rounds, bound=bound)
    assert sum(algorithm.staleness.values()) == n * rounds
    assert max(algorithm.staleness) <= (2 * bound + 1) * (n - 1)


def test_without_a_bound_it_is_asynchronous() -> None:
    step_s, bps = WORLDS[3]
    for bound in (None, INFINITY):
        simulator, algorithm = simulated(step_s, bps, 6, bound=bound)
        compute = Fixed(workers=4, seconds_per_step=1.0, memory_bytes_per_s=480.0, speed=[1 / s for s in step_s])
        other = asynchronous(free := simulator_of(4, switch(4, bps, 0.01), compute, rounds=6), 6)
        assert torch.equal(algorithm.model, other.model) and algorithm.staleness == other.staleness
        assert simulator.listener.timeline == free.listener.timeline
        assert simulator.listener.metrics == free.listener.metrics


def test_waiting_for_the_slowest_is_waiting() -> None:
    # Pushes arrive at 0.5 + 0.186 and 1.61 + 0.186 and take 0.1 s to apply. Worker 0 hears at 2.082: of the 1.582 s
    # since its push 0.186 are its upload and 0.186 the download. Worker 1 waits for its own push to be applied. Both
    # do so once more up to the last mark, which comes before the answers.
    simulator, _ = simulated([0.5, 1.61], [1000.0, 1000.0], 2, bound=0)
    last = simulator.listener.timeline[-1]
    assert last["waiting_s"] == pytest.approx([2 * (1.896 - 0.686), 2 * 0.1])
    assert last["downlink_s"] == pytest.approx([0.186, 0.186]) and last["uplink_s"] == pytest.approx([0.372, 0.372])
