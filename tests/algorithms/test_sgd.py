"""SGD worked by hand, over a server and over an all-reduce: x <- x - lr v, v <- momentum v + sum_i p_i g_i."""

from __future__ import annotations

import pytest
import torch

from algorithms.ops import AllReduce, Gradient
from algorithms.payloads import Dense
from algorithms.sgd import sgd, sgd_allreduce
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows, settle

START = torch.tensor([1.0, 2.0, 3.0, 4.0])
FIRST = rows([1, -2, 0, 4], [3, 2, -4, 0])  # mean 2, 0, -2, 2
SECOND = rows([2, 0, 0, 0], [0, 0, 2, -2])  # mean 1, 0, 1, -1; with momentum 1/2 the velocity is 2, 0, 0, 0


def test_over_a_server() -> None:
    cohort = cohort_of(2, 4)
    hand = begun(sgd(lr=0.5, momentum=0.5), cohort, 2, START)
    sent, down = over_server(hand, cohort, FIRST)
    assert torch.equal(sent.dense(), FIRST) and sent.bytes.tolist() == [22, 22]  # 6 bytes of header, 4 floats
    assert down.rows == 1 and down.dense()[0].tolist() == [2, 0, -2, 2]
    assert marked(hand, 1).tolist() == [0, 2, 4, 3]
    over_server(hand, cohort, SECOND)
    assert marked(hand, 2).tolist() == [-1, 2, 4, 3]
    hand.ends()
    assert START.tolist() == [1, 2, 3, 4]


def test_over_an_all_reduce() -> None:
    cohort = cohort_of(2, 4)
    hand = begun(sgd_allreduce(lr=0.5, momentum=0.5), cohort, 2, START)
    for t, (gradients, model) in enumerate([(FIRST, [0, 2, 4, 3]), (SECOND, [-1, 2, 4, 3])]):
        asked = hand.meets(Gradient)
        assert asked.step == t and asked.at.shape == (4,)
        hand.answers(gradients.clone())
        summed = hand.meets(AllReduce).payload
        assert isinstance(summed, Dense) and torch.equal(summed.dense(), gradients)
        hand.answers(summed.fold([slice(0, 2)]))
        assert marked(hand, t + 1).tolist() == model
    hand.ends()


@pytest.mark.parametrize("build", [sgd, sgd_allreduce])
def test_unequal_weights(build: object) -> None:
    # p = (3/4, 1/4): 3/4 (1, -2, 0, 4) + 1/4 (3, 2, -4, 0)
    cohort = cohort_of(2, 4, shares=torch.tensor([3.0, 1.0]))
    exchange = build(lr=1.0).exchange  # type: ignore[operator]
    mean, sent = settle(exchange(cohort, FIRST.clone(), 0), cohort)
    assert mean.tolist() == [1.5, -1, -1, 3]
    # what a worker put into the mean is in the units of its update: sum_i p_i sent_i = mean
    assert (cohort.weights.float()[:, None] * sent.dense()).sum(0).tolist() == mean.tolist()


def test_half_precision_rounds_each_message() -> None:
    # binary16 has 11 significant bits: 2049 is a tie between 2048 and 2050 and goes to the even one
    cohort = cohort_of(2, 1)
    hand = begun(sgd(lr=1.0, kind="fp16"), cohort, 1)
    sent, down = over_server(hand, cohort, rows([2049], [2051]))
    assert sent.dense()[:, 0].tolist() == [2048, 2052] and sent.bytes.tolist() == [8, 8]
    assert down.dense()[0].tolist() == [2050]
