"""signSGD with majority vote worked by hand: m <- beta m + (1 - beta) g; x <- x - lr (sign(sum_i sign m_i) + wd x)."""

from __future__ import annotations

import torch

from algorithms.ops import AtServer, Broadcast, Gather, Gradient
from algorithms.payloads import Signs
from algorithms.signsgd_vote import majority, signsgd_vote
from tests.algorithms.by_hand import begun, cohort_of, gathered, marked, over_server, rows


def test_two_workers_tie_to_plus() -> None:
    hand = begun(signsgd_vote(lr=0.25, momentum=0.5, weight_decay=1.0), cohort_of(2, 4), 2)
    # m = g / 2: signs (+ - + +), where the zero counts as +, and (- - - +); the votes 0, -2, 0, 2 elect + - + +
    sent, down = over_server(hand, cohort_of(2, 4), rows([2, -2, 0, 4], [-2, -4, -2, 2]))
    assert isinstance(sent, Signs) and isinstance(down, Signs) and down.scales is None
    assert torch.equal(sent.dense(), rows([1, -1, 1, 1], [-1, -1, -1, 1]))
    assert sent.bytes.tolist() == [7, 7] and down.bytes.tolist() == [7]  # 6 bytes of header and 4 bits
    assert sent.paper is not None and sent.paper.total.tolist() == [4, 4]
    assert down.dense().tolist() == [[1, -1, 1, 1]]
    assert marked(hand, 1).tolist() == [-0.25, 0.25, -0.25, -0.25]
    # m_0 = (1, -1, 0, 2) / 2 + g_0 / 2, m_1 = (-1, -2, -1, 1) / 2 + g_1 / 2
    sent, down = over_server(hand, cohort_of(2, 4), rows([-2, 2, -1, -1], [0.5, 1, 3, -2]))
    # m_0 = (-0.5, 0.5, -0.5, 0.5), m_1 = (-0.25, -0.5, 1, -0.5): where their signs differ + wins
    assert torch.equal(sent.dense(), rows([-1, 1, -1, 1], [-1, -1, 1, -1]))
    assert down.dense().tolist() == [[-1, 1, 1, 1]]
    # x - 1/4 (vote + x), for x = (-1, 1, -1, -1) / 4
    assert marked(hand, 2).tolist() == [0.0625, -0.0625, -0.4375, -0.4375]
    hand.ends()


def test_three_workers_outvote_one_however_loud() -> None:
    hand = begun(signsgd_vote(lr=1.0, momentum=0.0), cohort_of(3, 2), 1)
    over_server(hand, cohort_of(3, 2), rows([1e6, -1e6], [-1, 1], [-1, 1]))
    assert marked(hand, 1).tolist() == [1, -1]


def test_the_vote_counts_heads_whatever_the_shares_and_chunks() -> None:
    # a vote is not a weighted mean: the worker with 98 percent of the samples has one vote
    cohort = cohort_of(3, 2, shares=torch.tensor([0.98, 0.01, 0.01]), chunk=2)
    votes = Signs.of(rows([1, -1], [-1, 1], [-1, 1]))
    assert majority(gathered(votes, cohort)).dense().tolist() == [[-1, 1]]


def test_momentum_stays_with_its_worker() -> None:
    # after g = (4, ...) and nothing more, m = 2, 1, 1/2 ... keeps its sign
    algorithm = signsgd_vote(lr=1.0, momentum=0.5)
    hand = begun(algorithm, cohort_of(2, 2), 3)
    for t, gradient in enumerate([rows([4, -4], [-8, 8]), torch.zeros(2, 2), torch.zeros(2, 2)]):
        hand.meets(Gradient)
        hand.answers(gradient)
        sent = hand.meets(Gather).payload
        assert torch.equal(sent.dense(), rows([1, -1], [-1, 1]))
        hand.answers(gathered(sent, cohort_of(2, 2)))
        at_server = hand.meets(AtServer)
        hand.answers(at_server.function(at_server.gathered))
        hand.answers(hand.meets(Broadcast).payload)
        marked(hand, t + 1)
        assert torch.equal(algorithm.local.average.values, rows([2, -2], [-4, 4]) / 2**t)
