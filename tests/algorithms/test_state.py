"""What a run remembers: rows by worker number, and a state that goes out and comes back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.local_sgd import local_sgd
from algorithms.signsgd_vote import signsgd_vote
from algorithms.state import Rows, Stateful
from algorithms.synchronous import Synchronous
from algorithms.topk import topk
from tests.algorithms.by_hand import Hand, begun, cohort_of, marked, over_server, rows


def test_rows_of_a_full_cohort_are_a_view() -> None:
    held, cohort = Rows(), cohort_of(3, 2)
    opened = held.open(cohort, 2)
    assert opened.tolist() == [[0, 0]] * 3
    opened += 1
    held.close(cohort, opened)
    assert held.open(cohort, 2).data_ptr() == opened.data_ptr()
    assert held.values is not None and held.values.tolist() == [[1, 1]] * 3


def test_rows_of_a_part_are_the_parts_own() -> None:
    held, cohort = Rows(), cohort_of(5, 2, chunk=2, part=1, parts=2)  # chunks (0 1) and (2 3) (4)
    held.open(cohort, 2)[:] = rows([2, 2], [3, 3], [4, 4])
    held.put(torch.tensor([3]), rows([9, 9]))
    assert held.open(cohort, 2).tolist() == [[2, 2], [9, 9], [4, 4]]


def test_rows_of_one_worker() -> None:
    held, cohort = Rows(), cohort_of(5, 2, only=3)
    held.open(cohort, 2).add_(1)
    held.put(torch.tensor([3]), rows([7, 7]))
    assert held.open(cohort, 2).tolist() == [[7, 7]]


def test_sampling_leaves_the_others_untouched() -> None:
    held, cohort = Rows(), cohort_of(6, 2, participation=0.5)
    visits = torch.zeros(6)
    for t in range(8):
        cohort.begin(t)
        opened = held.open(cohort, 2)
        assert torch.equal(opened[:, 0], visits[cohort.active])
        opened += 1
        held.close(cohort, opened)
        visits[cohort.active] += 1
        assert held.values is not None and torch.equal(held.values[:, 1], visits)
    assert len(visits.unique()) > 1


def test_rows_take_the_cohorts_dtype() -> None:
    assert Rows().open(cohort_of(2, 3, dtype=torch.float64), 3).dtype == torch.float64


class Leaf(Stateful):
    state_names = ("count", "memory")

    def __init__(self) -> None:
        self.count, self.memory, self.private = 0, Rows(), "not saved"


class Tree(Stateful):
    state_names = ("vector", "leaf", "own")

    def __init__(self) -> None:
        self.vector: Tensor | None = None
        self.leaf, self.own = Leaf(), Rows()


def test_round_trip() -> None:
    tree, cohort = Tree(), cohort_of(2, 2)
    tree.vector, tree.leaf.count = torch.ones(2), 5
    tree.leaf.memory.open(cohort, 2).add_(2)
    state = tree.state()
    assert set(state) == {"vector", "leaf", "own"} and set(state["leaf"]) == {"count", "memory"}
    assert state["own"] is None
    other = Tree()
    other.load(state)
    assert other.leaf.count == 5 and other.leaf.memory.open(cohort, 2).tolist() == [[2, 2]] * 2
    assert other.vector is not None and other.vector.tolist() == [1, 1]
    assert other.own.open(cohort, 2).tolist() == [[0, 0]] * 2
    assert list(tree.rows()) == [tree.leaf.memory, tree.own]


def topk_round(hand: Hand, t: int) -> None:
    over_server(hand, cohort_of(2, 4), rows([1, -3, 2, t], [4, 1, -t, -4]))


def resumed(build: Any, play: Any, rounds: int = 4, half: int = 2) -> tuple[Synchronous, Synchronous]:
    """Run straight, and run again in two halves with a copy of the state between them."""
    straight, first, second = build(), build(), build()
    hand = begun(straight, cohort_of(2, 4), rounds)
    for t in range(rounds):
        play(hand, t)
        marked(hand, t + 1)
    hand.ends()
    hand = begun(first, cohort_of(2, 4), rounds)
    for t in range(half):
        play(hand, t)
        marked(hand, t + 1)
    state = torch.utils._pytree.tree_map(lambda x: x.clone() if isinstance(x, Tensor) else x, first.state())
    second.begin(torch.full((4,), 9.0))
    second.load(state)
    hand = Hand(second.run(cohort_of(2, 4), rounds))
    for t in range(half, rounds):
        play(hand, t)
        marked(hand, t + 1)
    hand.ends()
    return straight, second


def test_residual_and_outer_momentum_resume() -> None:
    straight, second = resumed(lambda: topk(density=None, k=1, lr=0.5, momentum=0.5), topk_round)
    assert torch.equal(straight.model, second.model) and second.round == 4
    assert torch.equal(straight.exchange.residual.values, second.exchange.residual.values)
    assert torch.equal(straight.outer.velocity, second.outer.velocity)


def test_worker_momentum_resumes() -> None:
    straight, second = resumed(lambda: signsgd_vote(lr=0.5, momentum=0.5), topk_round)
    assert torch.equal(straight.model, second.model)
    assert torch.equal(straight.local.average.values, second.local.average.values)


def test_the_number_of_the_next_batch_resumes() -> None:
    first = local_sgd(steps=3, momentum=0.5)
    first.local.done = 6
    second = local_sgd(steps=3, momentum=0.5)
    second.load(first.state())
    assert second.local.done == 6
