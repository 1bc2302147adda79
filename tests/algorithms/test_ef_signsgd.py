"""EF-signSGD worked by hand: p = e + lr g; D = (|p|_1 / d) sign(p); x <- x - mean D; e <- p - D (units of the step)."""

from __future__ import annotations

import pytest
import torch

from algorithms.compressors import ScaledSign, Sign
from algorithms.ef_signsgd import ef_signsgd
from algorithms.payloads import Signs
from algorithms.schedules import Step
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows


def test_two_rounds_with_a_falling_rate() -> None:
    # lr 1/2 in round 0 and 1/4 in round 1: what is kept is a step already taken at the old rate, and is not rescaled
    algorithm = ef_signsgd(lr=0.5, schedule=Step(milestones=[0.5], gamma=0.5))
    hand = begun(algorithm, cohort_of(2, 4), 2)
    sent, down = over_server(hand, cohort_of(2, 4), rows([4, -2, 0, 2], [-8, 0, 0, 0]))
    # p_0 = (2, -1, 0, 1), |p_0|_1 / 4 = 1; p_1 = (-4, 0, 0, 0), |p_1|_1 / 4 = 1; a zero is sent as +
    assert isinstance(sent, Signs) and torch.equal(sent.dense(), rows([1, -1, 1, 1], [-1, 1, 1, 1]))
    assert sent.paper is not None and sent.paper.total.tolist() == [36, 36]  # d + 32
    assert down.dense()[0].tolist() == [0, 0, 1, 1]
    assert marked(hand, 1).tolist() == [0, 0, -1, -1]
    assert torch.equal(algorithm.exchange.residual.values, rows([1, 0, -1, 0], [-3, -1, -1, -1]))

    sent, down = over_server(hand, cohort_of(2, 4), rows([4, 0, 4, 0], [0, 0, 0, 0]))
    # p_0 = (1, 0, 1, 0) + (1, 0, -1, 0) = (2, 0, 0, 0); p_1 = (-3, -1, -1, -1), |p_1|_1 / 4 = 3/2
    assert torch.equal(sent.dense(), rows([0.5] * 4, [-1.5] * 4))
    assert marked(hand, 2).tolist() == [0.5, 0.5, -0.5, -0.5]
    assert torch.equal(algorithm.exchange.residual.values, rows([1.5, -0.5, -0.5, -0.5], [-1.5, 0.5, 0.5, 0.5]))
    hand.ends()


def test_momentum_comes_before_the_feedback() -> None:
    # v <- v / 2 + g and p = e + lr v, one worker, lr = 1: v = (4, 0), then (2, 2)
    algorithm = ef_signsgd(lr=1.0, momentum=0.5)
    hand = begun(algorithm, cohort_of(1, 2), 2)
    over_server(hand, cohort_of(1, 2), rows([4, 0]))
    assert marked(hand, 1).tolist() == [-2, -2]  # scale (4 + 0) / 2, e = (2, -2)
    assert algorithm.exchange.residual.values.tolist() == [[2, -2]]
    sent, _ = over_server(hand, cohort_of(1, 2), rows([0, 2]))
    assert sent.dense().tolist() == [[2, 2]]  # p = (2, 2) + (2, -2) = (4, 0)
    assert marked(hand, 2).tolist() == [-4, -4]


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_step_without_compression_is_descent(nesterov: bool) -> None:
    # one coordinate is its own scaled sign: |p| sign(p) = p, so EF-signSGD is SGD with momentum
    model = torch.ones(1, requires_grad=True)
    oracle = torch.optim.SGD([model], lr=0.5, momentum=0.5, nesterov=nesterov, weight_decay=0.25)
    hand = begun(ef_signsgd(lr=0.5, momentum=0.5, nesterov=nesterov, weight_decay=0.25), cohort_of(1, 1), 3,
                 torch.ones(1))  # fmt: skip
    for t, gradient in enumerate([2.0, -1.0, 4.0]):
        over_server(hand, cohort_of(1, 1), rows([gradient]))
        model.grad = torch.tensor([gradient])
        oracle.step()
        torch.testing.assert_close(marked(hand, t + 1), model.detach())


def test_scaled_signs_contract() -> None:
    # |C(v) - v|^2 = (1 - |v|_1^2 / (d |v|_2^2)) |v|^2
    torch.manual_seed(0)
    matrix = torch.randn(5, 9, dtype=torch.float64)
    left = (ScaledSign()(matrix, cohort_of(5, 9).draw()).dense() - matrix).square().sum(1)
    norm = matrix.square().sum(1)
    torch.testing.assert_close(left, norm - matrix.abs().sum(1) ** 2 / 9, rtol=1e-6, atol=1e-6)
    assert Sign()(matrix, cohort_of(5, 9).draw()).scales is None


def test_zero_rows_are_sent_as_zero() -> None:
    assert ScaledSign()(torch.zeros(2, 3), cohort_of(2, 3).draw()).dense().count_nonzero() == 0
