"""Asynchronous SGD by hand: the server's loop, x <- x - lr g(x_stale) on arrival, and the worker's."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from algorithms.async_sgd import Asynchronous, async_sgd
from algorithms.ops import SERVER, Gradient, Mark, Receive, ReceiveAny, Send, Work
from algorithms.payloads import Dense
from algorithms.schedules import Step
from tests.algorithms.by_hand import Hand, cohort_of, rows

# n = 2 workers, T = 2 rounds, so 4 gradients. Worker 0 is heard twice before worker 1: the gradient of worker 1 was
# taken at version 0 and arrives at version 2.
ARRIVALS = [
    # source, gradient, staleness
    (0, [4.0, 0.0], 0),
    (0, [0.0, 4.0], 0),
    (1, [12.0, 6.0], 2),
    (1, [2.0, -2.0], 0),
]


def started(**options: object) -> tuple[Asynchronous, Hand]:
    """Start the server of two workers at x = 0."""
    algorithm = async_sgd(lr=0.5, **options)  # type: ignore[arg-type]
    algorithm.begin(torch.zeros(2))
    return algorithm, Hand(algorithm.server(cohort_of(2, 2), 2))


@pytest.mark.parametrize("aware", [False, True])
def test_the_servers_loop(aware: bool) -> None:
    algorithm, hand = started(staleness_aware=aware)
    model = torch.zeros(2)
    for version, (source, gradient, late) in enumerate(ARRIVALS):
        hand.meets(ReceiveAny)
        hand.answers((source, Dense(rows(gradient))))
        # read the gradient, read and write the model: 3 d floats of 4 bytes
        work = hand.meets(Work)
        assert (work.kind, work.size_bytes) == ("apply", 24)
        model -= 0.5 / (1 + late if aware else 1) * torch.tensor(gradient)
        if version % 2 == 1:
            mark = hand.meets(Mark)
            assert mark.label == (version + 1) // 2 and torch.equal(mark.model, model)
        answer = hand.meets(Send)
        assert answer.to == source and torch.equal(answer.payload.dense()[0], model)
    hand.ends()
    assert algorithm.staleness == Counter({0: 3, 2: 1})
    expected = [-2 - 6 / (3 if aware else 1) - 1, -2 - 3 / (3 if aware else 1) + 1]
    assert algorithm.model.tolist() == expected


def test_the_rate_falls_with_the_rounds() -> None:
    # two gradients a round: 1/2, 1/2, then 1/4, 1/4
    _, hand = started(schedule=Step(milestones=[0.5], gamma=0.5))
    total = 0.0
    for version in range(4):
        hand.meets(ReceiveAny)
        hand.answers((version % 2, Dense(rows([1.0, 0.0]))))
        total -= [0.5, 0.5, 0.25, 0.25][version]
        if version % 2:
            assert hand.meets(Mark).model.tolist() == [total, 0]
        hand.meets(Send)


def test_the_workers_loop() -> None:
    algorithm = async_sgd(lr=0.5)
    algorithm.begin(torch.tensor([1.0, 2.0]))
    hand = Hand(algorithm.worker(cohort_of(3, 2, only=1), 5))
    for step, model in enumerate([[1.0, 2.0], [5.0, 6.0], [7.0, 8.0]]):
        asked = hand.meets(Gradient)
        assert asked.step == step and asked.at.tolist() == model
        slab = rows([1.0, step])
        hand.answers(slab)
        sent = hand.meets(Send)
        slab.zero_()  # the driver may write there again
        assert sent.to == SERVER and sent.payload.dense().tolist() == [[1.0, step]]
        assert hand.meets(Receive).source == SERVER
        hand.answers(Dense(rows([5.0 + 2 * step, 6.0 + 2 * step])))
    hand.program.close()


def test_what_was_sent_or_asked_does_not_move_with_the_servers_model() -> None:
    algorithm, hand = started()
    asked = Hand(algorithm.worker(cohort_of(2, 2, only=1), 2)).meets(Gradient)
    sends = []
    for source, gradient, _ in ARRIVALS[:2]:
        hand.meets(ReceiveAny)
        hand.answers((source, Dense(rows(gradient))))
        hand.meets(Mark) if sends else None
        sends.append(hand.meets(Send).payload)
    assert [payload.dense().tolist() for payload in sends] == [[[-2, 0]], [[-2, -2]]]
    assert asked.at.tolist() == [0, 0]
    hand.program.close()
