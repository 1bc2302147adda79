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


BF16 = torch.bfloat16


def test_a_sum_with_wide_rows_is_formed_in_the_rows_and_one_with_narrow_rows_in_the_update() -> None:
    for kept, apart in ((None, False), (BF16, True)):
        held, cohort, update = Rows(), cohort_of(3, 2, state_dtype=kept), rows([1, 2], [3, 4], [5, 6])
        held.close(cohort, held.add(cohort, update.clone()))
        total = held.add(cohort, update, decay=0.5, gain=2.0)
        assert total.tolist() == [[2.5, 5.0], [7.5, 10.0], [12.5, 15.0]] and total.dtype == torch.float32
        assert held.values is not None and held.values.dtype == (kept or torch.float32)
        assert (total.data_ptr() == update.data_ptr()) == apart
        assert (total.data_ptr() == held.values.data_ptr()) != apart
        total[0] = 0.0
        held.close(cohort, total)
        assert held.open(cohort, 2).tolist() == [[0, 0], [7.5, 10], [12.5, 15]]


def test_narrow_rows_are_rounded_by_the_round_the_worker_and_the_name_and_by_nothing_else() -> None:
    update = torch.linspace(0.1, 3.0, 6 * 50).view(6, 50)

    def kept(name: str = "a", begin: int = 2, workers: slice = slice(None), **options: object) -> Tensor:
        held, cohort = Rows(name), cohort_of(6, 50, state_dtype=BF16, seed=4, **options)
        cohort.begin(begin)
        held.close(cohort, held.add(cohort, update[workers].clone()))
        return held.open(cohort, 50)

    whole = kept()
    assert bool((whole.double() != update).any())
    assert bool(((whole.double() - update).abs() < 2.0**-7 * update).all())
    assert torch.equal(kept(chunk=2), whole)
    halves = [kept(workers=some, chunk=3, part=p, parts=2) for p, some in enumerate((slice(0, 3), slice(3, 6)))]
    assert torch.equal(torch.cat(halves), whole)
    assert torch.equal(kept(workers=slice(4, 5), only=4), whole[4:5])
    assert not torch.equal(kept(begin=3), whole) and not torch.equal(kept(name="b"), whole)


def test_a_rule_changes_narrow_rows_in_the_runs_type() -> None:
    held, cohort = Rows(), cohort_of(4, 3, chunk=2, state_dtype=BF16)
    seen: list[torch.dtype] = []

    def rule(some: slice, mine: Tensor) -> None:
        seen.append(mine.dtype)
        mine.add_(cohort.workers[some][:, None] + 1.0 + 2.0**-8)

    held.each(cohort, 3, rule, step=0)
    first = held.open(cohort, 3).clone()
    assert seen == [torch.float32] * 2
    assert bool((first.float() - torch.arange(1.0, 5.0)[:, None] - 2.0**-8).abs().max() < 2.0**-7 * 5)
    many = [Rows() for _ in range(2)]
    big = cohort_of(4, 2000, state_dtype=BF16)
    for step, one in enumerate(many):
        one.each(big, 2000, lambda some, mine: mine.fill_(1.0 + 2.0**-8), step=step)
    assert not torch.equal(many[0].open(big, 2000), many[1].open(big, 2000))  # each step has draws of its own


def test_sampled_narrow_rows_leave_the_others_untouched() -> None:
    held, cohort = Rows(), cohort_of(6, 2, participation=0.5, state_dtype=BF16)
    visits = torch.zeros(6)
    for t in range(8):
        cohort.begin(t)
        held.close(cohort, held.add(cohort, torch.ones(3, 2)))
        held.each(cohort, 2, lambda some, mine: mine.add_(1.0))
        visits[cohort.active] += 2
        assert held.values is not None and torch.equal(
            held.values[:, 1].float(), visits
        )  # small whole numbers are exact


def test_whole_numbers_are_kept_as_they_are_and_at_hand() -> None:
    def elsewhere(rows: int, size: int, dtype: torch.dtype) -> Tensor:
        raise AssertionError("masks are small")

    cohort = cohort_of(2, 3, state_dtype=BF16, room=elsewhere)
    assert Rows("masks", torch.int64).open(cohort, 3).dtype == torch.int64


def test_rows_of_a_checkpoint_move_to_where_the_cohort_keeps_them() -> None:
    made: list[Tensor] = []

    def room(count: int, size: int, dtype: torch.dtype) -> Tensor:
        made.append(torch.zeros(count, size, dtype=dtype))
        return made[-1]

    held, saved = Rows(), rows([1, 2], [3, 4])
    held.load(saved)
    opened = held.open(cohort_of(2, 2, room=room), 2)
    assert opened.data_ptr() == made[0].data_ptr() and torch.equal(opened, saved)
    assert len(made) == 1 and held.open(cohort_of(2, 2, room=room), 2).data_ptr() == made[0].data_ptr()


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
