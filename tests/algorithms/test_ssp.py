"""Stale-synchronous parallel SGD by hand: whom the server answers when, and what it applies; clocks by brute force."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algorithms.ops import Joined, Left, Mark, ReceiveAny, Send, Work
from algorithms.payloads import Dense
from algorithms.ssp import Clocks, ssp
from tests.algorithms.by_hand import Hand, cohort_of, rows


def started(n: int, rounds: int, **options: Any) -> tuple[Any, Hand]:
    """Start the server of n workers at x = 0 with rate 1/2."""
    algorithm = ssp(lr=0.5, **options)
    algorithm.begin(torch.zeros(2))
    return algorithm, Hand(algorithm.server(cohort_of(n, 2), rounds))


def push(hand: Hand, source: int, *gradient: float) -> None:
    hand.meets(ReceiveAny)
    hand.answers((source, Dense(rows(list(gradient)))))


def answered(hand: Hand, *expected: int) -> list[float]:
    """Meet the answers to these workers, in this order; give the model that they carry."""
    sends = [hand.meets(Send) for _ in expected]
    assert tuple(send.to for send in sends) == expected
    models = [send.payload.dense()[0].tolist() for send in sends]
    assert all(model == models[0] for model in models)
    return models[0]


def test_a_worker_waits_when_it_is_more_than_s_ahead() -> None:
    # s = 1, n = 2, T = 2: worker 0 ends clocks 0 and 1; it may begin clock 1 at once (the slowest has ended 0 >= 1 - s)
    # but clock 2 only after worker 1 has ended clock 0
    algorithm, hand = started(2, 2, bound=1)
    push(hand, 0, 2.0, 0.0)
    assert hand.meets(Work).size_bytes == 3 * 2 * 4
    assert answered(hand, 0) == [-1, 0]
    push(hand, 0, 0.0, 2.0)
    assert hand.meets(Mark).label == 1  # n pushes have been applied; nobody is answered
    push(hand, 1, 4.0, 4.0)  # computed at version 0: two versions late
    assert answered(hand, 0, 1) == [-3, -3]
    push(hand, 1, 2.0, 2.0)
    assert hand.meets(Mark).model.tolist() == [-4, -4]
    answered(hand, 1)
    hand.ends()
    assert algorithm.staleness == Counter({0: 3, 2: 1})
    assert algorithm.notes() == {"staleness": {"0": 3, "2": 1}}


def test_in_rank_order_a_clock_is_applied_when_it_is_complete() -> None:
    # s = 1: worker 1 runs ahead and is answered with a model that has nothing of clock 0 yet
    algorithm, hand = started(2, 2, bound=1, fold="rank")
    push(hand, 1, 4.0, 0.0)
    assert answered(hand, 1) == [0, 0]
    push(hand, 1, 8.0, 0.0)
    push(hand, 0, 2.0, 2.0)  # completes clock 0: the mean is (3, 1)
    work = hand.meets(Work)
    assert work.size_bytes == 4 * 2 * 4  # two gradients read, the model read and written
    assert hand.meets(Mark).model.tolist() == [-1.5, -0.5]
    assert answered(hand, 0, 1) == [-1.5, -0.5]
    push(hand, 0, 0.0, 2.0)  # completes clock 1: the mean is (4, 1); worker 1 computed at version 0
    assert hand.meets(Mark).model.tolist() == [-3.5, -1]
    answered(hand, 0)
    hand.ends()
    assert algorithm.staleness == Counter({0: 3, 1: 1})


def test_who_is_gone_is_not_waited_for_and_who_comes_begins_with_the_slowest() -> None:
    algorithm, hand = started(3, 2, bound=0)
    push(hand, 0, 2.0, 0.0)
    push(hand, 2, 2.0, 0.0)
    hand.meets(ReceiveAny)
    hand.answers(Left(1))
    assert answered(hand, 0, 2) == [-2, 0]  # clock 0 is over for all that are there
    push(hand, 2, 2.0, 0.0)
    assert hand.meets(Mark).label == 1
    hand.meets(ReceiveAny)
    hand.answers(Joined(1))
    assert answered(hand, 1) == [-3, 0]  # it begins clock 1, as worker 0 does
    push(hand, 0, 2.0, 0.0)
    push(hand, 1, 2.0, 0.0)
    assert answered(hand, 0, 1, 2) == [-5, 0]
    hand.meets(ReceiveAny)
    hand.answers(Left(2))
    hand.program.close()
    assert algorithm.staleness == Counter({0: 2, 1: 3})


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["tick", "leave", "join"])), max_size=60))
def test_the_floor_is_the_least_clock(moves: list[tuple[int, str]]) -> None:
    clocks, plain, floor = Clocks(4), dict.fromkeys(range(4), 0), 0
    for worker, move in moves:
        if move == "join" and worker not in plain:
            plain[worker] = floor
            clocks.join(worker)
        elif move == "leave" and worker in plain:
            del plain[worker]
            clocks.leave(worker)
        elif move == "tick" and worker in plain:
            plain[worker] += 1
            clocks.tick(worker)
        floor = min(plain.values(), default=floor)
        assert clocks.at == plain and clocks.floor == floor


@pytest.mark.parametrize("bound", [-1, 1.5, True, "two", float("nan")])
def test_a_bound_that_is_none_is_refused(bound: Any) -> None:
    with pytest.raises(ValueError, match=r"algorithm\.bound: expected a whole number of clocks, at least 0"):
        ssp(bound=bound)


def test_an_unknown_fold_is_refused() -> None:
    with pytest.raises(ValueError, match=r"algorithm\.fold: expected one of arrival, rank, got 'random'"):
        ssp(fold="random")
