"""Asynchronous runs against a simulation by hand: staleness, times and the model; ties are broken by the seed."""

from __future__ import annotations

import heapq
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from simulator.compute import Fixed, LogNormal
from tests.simulator.cosimulations import MESSAGE_BITS, D, asynchronous, simulator_of, switch, task_of


def by_hand(
    rounds: int, step_s: list[float], bps: list[float], latency_s: list[float], apply_s: float
) -> tuple[Counter[int], list[float], Tensor]:
    """Simulate asynchronous SGD with a heap of arrivals: staleness, the time of each mark, and the final model.

    A worker's cycle is compute, upload, wait for the server, which serves one gradient at a time in order of arrival,
    download. Needs arrivals at different times.
    """
    n, task = len(step_s), task_of(len(step_s))
    model = task.initial(0)
    copies, read = [model.clone() for _ in range(n)], [0] * n
    travel = [latency + MESSAGE_BITS / rate for latency, rate in zip(latency_s, bps, strict=True)]
    arrivals = [(step_s[w] + travel[w], w) for w in range(n)]
    heapq.heapify(arrivals)
    staleness: Counter[int] = Counter()
    marks: list[float] = []
    free = 0.0
    for version in range(n * rounds):
        arrived, w = heapq.heappop(arrivals)
        free = max(free, arrived) + apply_s
        staleness[version - read[w]] += 1
        gradient = torch.zeros(1, D)
        task.gradient(copies[w], torch.tensor([w]), 0, gradient)
        model = model - 0.25 * gradient[0]
        read[w], copies[w] = version + 1, model.clone()
        if (version + 1) % n == 0:
            marks.append(free)
        heapq.heappush(arrivals, (free + travel[w] + step_s[w] + travel[w], w))
    return staleness, marks, model


@pytest.mark.parametrize(
    ("speed", "bps", "latency_s"),
    [
        ([1.0, 0.3], [1000.0, 1000.0], [0.01, 0.01]),  # one slow processor
        ([1.0, 0.83], [1000.0, 117.0], [0.01, 0.013]),  # one slow link
        ([1.0, 0.91], [5000.0, 4000.0], [0.7, 0.05]),  # one far away
        ([1.0, 0.71, 0.43], [1000.0, 1100.0, 900.0], [0.01, 0.02, 0.03]),
    ],
)
def test_against_a_simulation_by_hand(speed: list[float], bps: list[float], latency_s: list[float]) -> None:
    # apply: 3 d floats of 4 bytes at 480 bytes/s = 0.1 s
    n, rounds = len(speed), 9
    compute = Fixed(workers=n, seconds_per_step=0.5, memory_bytes_per_s=480.0, speed=speed)
    simulator = simulator_of(n, switch(n, bps, latency_s), compute, rounds=rounds)
    algorithm = asynchronous(simulator, rounds)
    staleness, marks, model = by_hand(rounds, [0.5 / s for s in speed], bps, latency_s, 0.1)
    assert algorithm.staleness == staleness and len(staleness) > 1
    assert [row["seconds"] for row in simulator.listener.timeline] == pytest.approx(marks, rel=1e-9)
    torch.testing.assert_close(algorithm.model, model, rtol=1e-5, atol=1e-6)
    last = simulator.listener.timeline[-1]
    for kind in ("compute", "uplink", "downlink", "waiting"):
        assert all(seconds >= 0 for seconds in last[f"{kind}_s"])
    # a gradient that is under way at the mark is not counted yet: at most one step and one transfer are missing
    spent = np.sum([last[f"{kind}_s"] for kind in ("compute", "encode", "uplink", "downlink", "waiting")], axis=0)
    cycle = max(0.5 / s + 2 * (lat + MESSAGE_BITS / b) for s, b, lat in zip(speed, bps, latency_s, strict=True))
    assert (spent <= marks[-1] + 1e-9).all() and (spent >= marks[-1] - cycle - n * 0.1).all()


def test_bytes_and_samples_are_counted() -> None:
    simulator = simulator_of(2, switch(2), Fixed(workers=2, seconds_per_step=0.5, speed=[1.0, 0.3]))
    asynchronous(simulator, 4)
    last = simulator.listener.metrics[-1]
    assert last["round"] == 4 and last["samples"] >= 8
    # at the last mark eight gradients were applied and seven answers sent; others may be on their way up
    assert last["downlink_wire_bytes"] == 7 * 22 and 8 * 22 <= last["uplink_wire_bytes"] <= 9 * 22


def test_one_worker_is_never_stale_and_descends() -> None:
    simulator = simulator_of(1, switch(1), Fixed(workers=1, seconds_per_step=0.5))
    algorithm = asynchronous(simulator, 6)
    assert algorithm.staleness == Counter({0: 6})
    model = simulator.gradients.task.initial(0)
    for _ in range(6):
        gradient = torch.zeros(1, D)
        simulator.gradients.task.gradient(model, torch.tensor([0]), 0, gradient)
        model = model - 0.25 * gradient[0]
    torch.testing.assert_close(algorithm.model, model)


def alike(seed: int) -> tuple[Tensor, list[float]]:
    """Run four equal workers, whose messages always arrive together."""
    simulator = simulator_of(4, switch(4), Fixed(workers=4, seconds_per_step=0.5), seed=seed, rounds=6)
    algorithm = asynchronous(simulator, 6)
    return algorithm.model, [row["seconds"] for row in simulator.listener.timeline]


def test_ties_are_broken_by_the_seed() -> None:
    models = [alike(seed)[0] for seed in range(4)]
    assert torch.equal(alike(0)[0], models[0]) and alike(0)[1] == alike(0)[1]
    assert any(not torch.equal(models[0], other) for other in models[1:])


def test_jitter_is_reproducible() -> None:
    runs = []
    for seed in (1, 1, 2):
        compute = Fixed(workers=3, seconds_per_step=0.5, stragglers=LogNormal(0.5), seed=seed)
        algorithm = asynchronous(simulator := simulator_of(3, switch(3), compute), 4)
        runs.append((algorithm.model.tolist(), simulator.listener.timeline[-1]["seconds"], algorithm.staleness))
    assert runs[0] == runs[1] != runs[2]
