"""FedAvg worked by hand: x <- sum over sampled k of (n_k / sum n_k) x_k (McMahan et al. 2017, Algorithm 1)."""

from __future__ import annotations

import torch

from algorithms.cohort import Cohort
from algorithms.fedavg import fedavg
from algorithms.ops import AtServer, Broadcast, Gather, Gradient
from tests.algorithms.by_hand import Hand, begun, cohort_of, gathered, marked, rows


def sampled(**options: object) -> Cohort:
    """Two of four clients a round; of those of round 0 the first has three times the samples of the second."""
    first, second = cohort_of(4, 4, participation=0.5, seed=3).active.tolist()
    shares = torch.full((4,), 0.25)
    shares[first], shares[second] = 0.375, 0.125
    return cohort_of(4, 4, participation=0.5, seed=3, shares=shares, **options)


def uploads(hand: Hand, cohort: Cohort) -> torch.Tensor:
    """Play a round from the clients' last gradient to the server's mean; give what went up."""
    payload = hand.meets(Gather).payload
    hand.answers(gathered(payload, cohort))
    at_server = hand.meets(AtServer)
    hand.answers(at_server.function(at_server.gathered))
    return payload.dense()


def test_a_round_downloads_trains_and_uploads() -> None:
    cohort = sampled()
    start = torch.tensor([1.0, 1.0, 0.0, 0.0])
    hand = begun(fedavg(steps=2, participation=0.5, lr=0.5, momentum=0.5), cohort, 2, start)

    model = hand.meets(Broadcast).payload
    assert model.rows == 1 and torch.equal(model.dense()[0], start)
    hand.answers(model)
    asked = hand.meets(Gradient)
    assert asked.step == 0 and torch.equal(asked.at, start.expand(2, 4))
    hand.answers(rows([2, 0, 0, 0], [0, 4, 0, 8]))  # x = (0, 1, 0, 0) and (1, -1, 0, -4)
    asked = hand.meets(Gradient)
    assert asked.step == 1 and torch.equal(asked.at, rows([0, 1, 0, 0], [1, -1, 0, -4]))
    hand.answers(rows([0, 0, 0, 4], [0, 0, 0, 0]))  # v = (1, 0, 0, 4) and (0, 2, 0, 4)
    # x_first = (-0.5, 1, 0, -2), x_second = (1, -2, 0, -6); what goes up is where they started minus these
    assert torch.equal(uploads(hand, cohort), rows([1.5, 0, 0, 2], [0, 3, 0, 6]))
    # weights 3/4 and 1/4; nothing is broadcast at the round's end, since clients may sit out the next
    after = marked(hand, 1)
    assert after.tolist() == [-0.125, 0.25, 0, -3]

    download = hand.meets(Broadcast).payload
    assert torch.equal(download.dense()[0], after)
    hand.answers(download)
    active = cohort.active.tolist()
    hand.meets(Gradient)
    hand.answers(torch.zeros(2, 4))
    asked = hand.meets(Gradient)  # momentum starts from zero in every round
    assert torch.equal(asked.at, after.expand(2, 4))
    hand.answers(torch.zeros(2, 4))
    assert uploads(hand, cohort).count_nonzero() == 0
    assert torch.equal(marked(hand, 2), after)
    hand.ends()
    assert active == sorted(active) and len(active) == 2


def test_momentum_and_rate_at_the_server() -> None:
    # FedAvgM: v <- beta v + mean, x <- x - server_lr v; in each round the mean update is (3, 2, 0, 0)
    cohort = sampled()
    hand = begun(fedavg(steps=1, lr=1.0, server_lr=2.0, server_momentum=0.5), cohort, 2)
    for t, expected in enumerate([[-6, -4, 0, 0], [-15, -10, 0, 0]]):  # 2 (3, 2); then 2 (4.5, 3) more
        hand.answers(hand.meets(Broadcast).payload)
        hand.meets(Gradient)
        weights = cohort.weights.float()
        hand.answers(torch.diag(torch.tensor([3.0, 2.0]) / weights) @ torch.eye(2, 4))
        uploads(hand, cohort)
        torch.testing.assert_close(marked(hand, t + 1), torch.tensor(expected, dtype=torch.float32))


def test_sampled_weights_sum_to_one() -> None:
    cohort = cohort_of(10, 2, participation=0.3, shares=torch.arange(1.0, 11) / 55)
    for t in range(20):
        cohort.begin(t)
        chosen = cohort.active + 1
        torch.testing.assert_close(cohort.weights, chosen / chosen.sum().double())
