"""Local SGD worked by hand: H times v_i <- momentum v_i + g_i, x_i <- x_i - lr v_i; then x = mean x_i (Stich 2019)."""

from __future__ import annotations

import pytest
import torch

from algorithms.local_sgd import local_sgd, post_local_sgd
from algorithms.ops import AllReduce, Gradient
from algorithms.payloads import Payload
from tests.algorithms.by_hand import Hand, begun, cohort_of, marked, rows

ZERO = torch.zeros(2, 4)


def reduced(hand: Hand) -> Payload:
    """Answer the all-reduce of two workers in one chunk."""
    payload = hand.meets(AllReduce).payload
    hand.answers(payload.fold([slice(0, 2)]))  # type: ignore[attr-defined]
    return payload


@pytest.mark.parametrize("keep", [True, False])
def test_two_rounds_of_two_steps(keep: bool) -> None:
    hand = begun(local_sgd(steps=2, lr=0.5, momentum=0.5, keep_momentum=keep), cohort_of(2, 4), 2)

    asked = hand.meets(Gradient)
    assert asked.step == 0 and torch.equal(asked.at, ZERO)
    hand.answers(rows([2, 0, 0, 4], [0, -2, 4, 0]))
    asked = hand.meets(Gradient)  # v = g: each has moved by -g / 2
    assert asked.step == 1 and torch.equal(asked.at, rows([-1, 0, 0, -2], [0, 1, -2, 0]))
    # v_0 = (1, 0, 0, 2) + (0, 2, 0, 0), v_1 = (0, -1, 2, 0) + (2, 0, 0, 2)
    hand.answers(rows([0, 2, 0, 0], [2, 0, 0, 2]))
    # x_0 = (-1.5, -1, 0, -3), x_1 = (-1, 1.5, -3, -1): what travels is how far each has come from x = 0
    assert torch.equal(reduced(hand).dense(), rows([1.5, 1, 0, 3], [1, -1.5, 3, 1]))
    model = marked(hand, 1)
    assert model.tolist() == [-1.25, 0.25, -1.5, -2]

    asked = hand.meets(Gradient)
    assert asked.step == 2 and torch.equal(asked.at, model.expand(2, 4))
    hand.answers(ZERO.clone())
    # a kept momentum is the worker's own, halved: (0.5, 1, 0, 1) and (1, -0.5, 1, 1)
    coasting = rows([-1.5, -0.25, -1.5, -2.5], [-1.75, 0.5, -2, -2.5])
    asked = hand.meets(Gradient)
    assert asked.step == 3 and torch.equal(asked.at, coasting if keep else model.expand(2, 4))
    hand.answers(ZERO.clone())
    reduced(hand)
    marked(hand, 2)
    hand.ends()


def test_post_local_sgd_starts_with_one_step_a_round() -> None:
    # T = 4 rounds, start = 1/2, H = 3: 1, 1, 3, 3 steps; batches are numbered through
    hand = begun(post_local_sgd(steps=3, start=0.5, lr=0.5), cohort_of(2, 4), 4)
    step, model = 0, torch.zeros(4)
    for t, count in enumerate([1, 1, 3, 3]):
        for _ in range(count):
            asked = hand.meets(Gradient)
            assert asked.step == step
            step += 1
            hand.answers(rows([2, 0, 0, 0], [0, 0, 4, 0]))
        reduced(hand)
        model -= 0.5 * count * torch.tensor([1.0, 0, 2, 0])  # each step moves the mean by lr (1, 0, 2, 0)
        assert torch.equal(marked(hand, t + 1), model)
    hand.ends()


def test_unequal_weights_average_the_models() -> None:
    # p = (3/4, 1/4), x_0 = (-4, 0), x_1 = (0, -8): x = (-3, -2)
    hand = begun(local_sgd(steps=1, lr=1.0), cohort_of(2, 2, shares=torch.tensor([0.75, 0.25])), 1)
    hand.meets(Gradient)
    hand.answers(rows([4, 0], [0, 8]))
    reduced(hand)
    assert marked(hand, 1).tolist() == [-3, -2]
