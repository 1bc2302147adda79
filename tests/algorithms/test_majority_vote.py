"""SSGD with majority voting worked by hand: a = e + g; elect the k coordinates that most |a| favour; average these."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.majority_vote import majority_vote
from algorithms.ops import AtServer, Broadcast, Gather, Gradient
from algorithms.payloads import Dense, Marks, Payload, Sparse
from algorithms.schedules import Step
from algorithms.synchronous import Synchronous
from tests.algorithms.by_hand import Hand, begun, cohort_of, gathered, marked, rows


def barrier(hand: Hand, cohort: Any) -> tuple[Payload, Payload]:
    """Play one round trip over the server: give what went up and what came down."""
    sent = hand.meets(Gather).payload
    hand.answers(gathered(sent, cohort))
    at_server = hand.meets(AtServer)
    hand.answers(at_server.function(at_server.gathered))
    down = hand.meets(Broadcast).payload
    hand.answers(down)
    return sent, down


def played(hand: Hand, cohort: Any, gradients: Tensor) -> tuple[Payload, ...]:
    """Play a round of one local step: votes, mask, values, mean."""
    hand.meets(Gradient)
    hand.answers(gradients.clone())
    return (*barrier(hand, cohort), *barrier(hand, cohort))


def small(**options: Any) -> Synchronous:
    return majority_vote(**{"density": None, "k": 1, "local_steps": 1, "lr": 0.5} | options)


def test_two_rounds_of_four_workers() -> None:
    algorithm, cohort = small(), cohort_of(4, 4)
    hand = begun(algorithm, cohort, 2)
    votes, mask, values, mean = played(
        hand, cohort, rows([4, 1, 0, -2], [1, 3, 0, 2], [0, -5, 1, 0], [0, 5, 0, 8])
    )  # each votes for its largest magnitude: 0, 1, 1, 3
    assert isinstance(votes, Sparse) and isinstance(votes.coded, Marks) and votes.indices.tolist() == [0, 1, 1, 3]
    assert isinstance(mask, Sparse) and mask.indices.tolist() == [1]
    # 12 bytes of header, and 4 bits: a flag and a place in a block of two, and the end flags of two blocks
    assert votes.bytes.tolist() == [13] * 4 and mask.bytes.tolist() == [13]
    assert votes.paper is not None and votes.paper.indices.tolist() == [4] * 4  # log2(4 / 1) + 2
    assert isinstance(values, Dense) and values.values.tolist() == [[1], [3], [-5], [5]]
    assert values.paper is not None and values.paper.values.tolist() == [32] * 4
    assert mean.dense().tolist() == [[1]] and mean.paper is not None
    assert marked(hand, 1).tolist() == [0, -0.5, 0, 0]
    kept = rows([4, 0, 0, -2], [1, 0, 0, 2], [0, 0, 1, 0], [0, 0, 0, 8])
    assert torch.equal(algorithm.exchange.residual.values, kept)
    # corrected: (4, 0, 0, -2), (6, 0, 0, 2), (2, 0, 1, 0), (0, 0, 0, 8): votes 0, 0, 0, 3
    _, mask, values, mean = played(hand, cohort, rows([0, 0, 0, 0], [5, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]))
    assert mask.dense().tolist() == [[1, 0, 0, 0]]
    assert values.dense().tolist() == [[4], [6], [2], [0]] and mean.dense().tolist() == [[3]]
    assert marked(hand, 2).tolist() == [-1.5, -0.5, 0, 0]
    hand.ends()


@pytest.mark.parametrize(
    ("reference", "changes", "votes"),
    [
        # {0, 1}, {0, 2}, {0, 1} were voted for: they become {1, 3}, {2, 3}, {1, 3}
        ("local", rows([-1, 0, 0, 1], [-1, 0, 0, 1], [-1, 0, 0, 1]), [0, 2, 1, 3]),
        # {0, 1} was elected: it becomes {1, 3}, {1, 2}, {1, 3}
        ("global", rows([-1, 0, 0, 1], [-1, 0, 1, 0], [-1, 0, 0, 1]), [0, 3, 1, 2]),
    ],
)
def test_add_drop_tells_the_strongest_addition_and_the_weakest_drop(
    reference: str, changes: Tensor, votes: list[int]
) -> None:
    cohort = cohort_of(3, 4)
    algorithm = small(k=2, vote="add_drop", change_density=0.25, reference=reference, lr=1.0)
    hand = begun(algorithm, cohort, 2)
    first, mask, *_ = played(hand, cohort, rows([4, 3, 0, 0], [5, 0, 3, 1], [3, 2, 1, 0]))
    assert isinstance(first, Sparse) and first.indices.tolist() == [0, 1, 0, 2, 0, 1]  # the first vote is a whole one
    assert mask.dense().tolist() == [[1, 1, 0, 0]]
    marked(hand, 1)
    # corrected: (0, 0, 5, 6), (0, 0, 3, 1), (0, 4, 0, 2); of equals the lowest index is dropped
    hand.meets(Gradient)
    hand.answers(rows([0, 0, 5, 6], [0, 0, 0, 0], [0, 4, -1, 2]))
    sent = hand.meets(Gather).payload
    assert torch.equal(sent.dense(), changes)
    assert sent.paper is not None and sent.paper.total.tolist() == [8] * 3  # one and one of 4: log2 4 + 2 bits each
    hand.answers(gathered(sent, cohort))
    counted, elected = (at := hand.meets(AtServer)).function(at.gathered)
    assert counted.tolist() == votes and elected.tolist() == [1, 3]
    hand.answers((counted, elected))
    assert hand.meets(Broadcast).payload.indices.tolist() == [1, 3]
    values = hand.meets(Gather).payload
    assert values.dense().tolist() == [[0, 6], [0, 1], [4, 2]]


def test_a_vote_counts_heads_and_a_mean_counts_shares() -> None:
    cohort = cohort_of(4, 2, shares=torch.tensor([0.5, 0.25, 0.125, 0.125]), chunk=3)
    hand = begun(small(lr=1.0), cohort, 1)
    _, mask, _, mean = played(hand, cohort, rows([1, 80], [9, 8], [9, 8], [9, 8]))
    assert mask.indices.tolist() == [0] and mean.dense().tolist() == [[0.5 + 4.5]]


def test_values_are_quantised_and_the_error_is_kept() -> None:
    algorithm, cohort = small(k=4, groups=2), cohort_of(2, 4)
    hand = begun(algorithm, cohort, 1)
    *_, values, mean = played(hand, cohort, rows([8, -4, 2, -1], [6, 6, -1.5, 1.5]))
    # groups (2.83, 8] and [1, 2.83] of the first, (3, 6] and [1.5, 3] of the second
    assert values.dense().tolist() == [[6, -6, 1.5, -1.5], [6, 6, -1.5, 1.5]]
    assert values.paper is not None and values.paper.total.tolist() == [8, 8]  # log2 2 + 1 bits each
    assert mean.dense().tolist() == [[6, 0, 0, 0]]
    marked(hand, 1)
    assert torch.equal(algorithm.exchange.residual.values, rows([2, 2, 0.5, 0.5], [0, 0, 0, 0]))


def test_local_steps_are_one_update() -> None:
    cohort = cohort_of(2, 2)
    hand = begun(small(local_steps=2, lr=0.5), cohort, 1)
    for step, gradients in enumerate([rows([2, 1], [4, 0]), rows([4, 1], [2, 1])]):
        op = hand.meets(Gradient)
        assert op.step == step
        hand.answers(gradients)
    barrier(hand, cohort)
    values, _ = barrier(hand, cohort)
    assert values.dense().tolist() == [[6], [6]]  # both steps, over the rate
    assert marked(hand, 1).tolist() == [-3, 0]


@pytest.mark.parametrize(("units", "moved"), [("gradient", 0.25), ("step", 0.5)])
def test_a_residual_scales_with_the_rate_that_drops(units: str, moved: float) -> None:
    # rates 1/2 and 1/4; the second round has nothing new and sends what remains of the first: 1 in gradient units
    schedule = Step(milestones=[0.5], gamma=0.5)
    cohort = cohort_of(1, 2)
    hand = begun(small(residual_units=units, schedule=schedule), cohort, 2)
    played(hand, cohort, rows([2, 1]))
    assert marked(hand, 1).tolist() == [-1, 0]
    played(hand, cohort, rows([0, 0]))
    assert marked(hand, 2).tolist() == [-1, -moved]


def test_dense_rounds_take_one_step_and_leave_no_residual() -> None:
    algorithm, cohort = small(dense_rounds=1, local_steps=2, lr=1.0), cohort_of(2, 2)
    hand = begun(algorithm, cohort, 2)
    hand.meets(Gradient)
    hand.answers(rows([4, 2], [2, 0]))
    sent, _ = barrier(hand, cohort)
    assert isinstance(sent, Dense) and sent.size == 2
    assert marked(hand, 1).tolist() == [-3, -1]
    assert not algorithm.exchange.residual.values.any()
    assert [hand.meets(Gradient).step, hand.answers(torch.ones(2, 2)), hand.meets(Gradient).step] == [1, None, 2]


def test_refused_before_anything_is_computed() -> None:
    for options, expects in (
        ({"k": 4}, r"algorithm\.k: expected 1 <= k <= d = 3 coordinates, got 4"),
        ({"k": None, "density": 0.3}, r"algorithm\.density: expected density \* d >= 1, .* got 0\.3 \* 3 = 0\.9"),
        ({"vote": "add_drop", "change_density": 0.01}, r"algorithm\.change_density: expected change_density \* d >= 1"),
    ):
        hand = begun(small(**options), cohort_of(2, 3), 1)
        with pytest.raises(ValueError, match=expects):
            hand.program.send(None)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"k": 1, "density": 0.1}, "algorithm.density, algorithm.k: expected exactly one of the two, got 0.1 and 1"),
    ({"vote": "plurality"}, "algorithm.vote: expected one of topk, random, add_drop, got 'plurality'"),
    ({"reference": "own"}, "algorithm.reference: expected one of local, global, got 'own'"),
    ({"local_steps": 0}, "algorithm.local_steps: expected a whole number, at least 1, got 0"),
    ({"dense_rounds": -1}, "algorithm.dense_rounds: expected a whole number, at least 0, got -1"),
    ({"residual_units": "metres"}, "algorithm.residual_units: expected one of gradient, step, got 'metres'"),
    ({"groups": 0}, "algorithm.groups: expected a whole number, at least 1, got 0"),
    ({"dynamic_range": 0.5, "groups": 2}, "algorithm.dynamic_range: expected a ratio above 1 or null, got 0.5"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[next(iter(b[0])) for b in BAD])
def test_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        small(**options)
    assert str(error.value) == message
