"""Semi-asynchronous SGD by hand: the first k, a time window, who is answered when."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from algorithms.ops import Joined, Left, Mark, ReceiveAny, Send, Work
from algorithms.payloads import Dense
from algorithms.semi_async import semi_async
from tests.algorithms.by_hand import Hand, cohort_of, rows


def started(rounds: int, **options: Any) -> tuple[Any, Hand]:
    """Start the server of four workers at x = 0 with rate 1/2."""
    algorithm = semi_async(lr=0.5, **options)
    algorithm.begin(torch.zeros(1))
    return algorithm, Hand(algorithm.server(cohort_of(4, 1), rounds))


def hears(hand: Hand, what: Any) -> ReceiveAny:
    """Answer the server's wait: with a push (source, gradient), or with news, or with None."""
    op = hand.meets(ReceiveAny)
    hand.answers((what[0], Dense(rows([what[1]]))) if isinstance(what, tuple) else what)
    return op


def steps(hand: Hand, label: int, model: float) -> None:
    mark = hand.meets(Mark)
    assert (mark.label, mark.model.tolist()) == (label, [model])


def answers(hand: Hand, *expected: int) -> None:
    assert tuple(hand.meets(Send).to for _ in expected) == expected


def test_the_first_k_are_applied_and_their_senders_answered() -> None:
    # k = 2: -1/2 (4 + 2)/2 = -1.5, then worker 2's push of version 0 is one late: -1.5 - 1/2 (2 + 6)/2 = -3.5
    algorithm, hand = started(2, k=2)
    hears(hand, (3, 4.0))
    hears(hand, (1, 2.0))
    assert hand.meets(Work).size_bytes == 4 * 4
    steps(hand, 1, -1.5)
    answers(hand, 1, 3)
    hears(hand, (2, 2.0))
    hears(hand, (3, 6.0))
    steps(hand, 2, -3.5)
    answers(hand, 2, 3)
    hand.ends()
    assert algorithm.staleness == Counter({0: 3, 1: 1})


def test_without_hold_everybody_goes_on_and_may_push_twice_into_one_step() -> None:
    # two pushes of worker 0, at version 0 both: -1/2 (4 + 2)/2
    algorithm, hand = started(2, k=2, hold=False)
    hears(hand, (0, 4.0))
    answers(hand, 0)
    hears(hand, (0, 2.0))
    steps(hand, 1, -1.5)
    answers(hand, 0)
    hand.program.close()


def test_stale_pushes_weigh_less() -> None:
    # at version 1 worker 1 is one late and weighs half of its half: -1 - 1/2 (1/2 2 + 1/4 4)
    _, hand = started(2, k=2, staleness_aware=True)
    hears(hand, (0, 2.0))
    hears(hand, (2, 2.0))
    steps(hand, 1, -1.0)
    answers(hand, 0, 2)
    hears(hand, (0, 2.0))
    hears(hand, (1, 4.0))
    steps(hand, 2, -2.0)
    hand.program.close()


def test_a_window_applies_what_has_come_and_nothing_makes_no_step() -> None:
    _, hand = started(2, window_s=0.5)
    assert hears(hand, None).until_s == 0.5
    assert hears(hand, (0, 2.0)).until_s == 1.0
    hears(hand, (1, 2.0))
    hears(hand, (2, 2.0))
    hears(hand, (3, 2.0))  # everybody waits, and still the window decides
    hears(hand, None)
    steps(hand, 1, -1.0)
    answers(hand, 0, 1, 2, 3)
    assert hears(hand, (0, 2.0)).until_s == 1.5
    hand.program.close()


def test_when_all_that_are_there_wait_the_step_is_made() -> None:
    _, hand = started(2, k=3)
    hears(hand, (0, 2.0))
    hears(hand, Left(1))
    hears(hand, Left(0))  # its push stays
    hears(hand, (2, 4.0))
    hears(hand, Left(3))
    steps(hand, 1, -1.5)
    answers(hand, 2)
    hears(hand, Joined(0))
    answers(hand, 0)
    hand.program.close()


BAD = {
    "k": (0, True, 2.5, "all"),
    "window_s": (0, -1.0, float("inf"), float("nan"), True, "1 s"),
    "hold": ("yes", 1),
    "staleness_aware": (None,),
    "compressor": ("topk",),
    "error_feedback": ("on",),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in BAD.items() for value in values])
def test_bad_options_are_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"algorithm\.{key}: expected .*, got"):
        semi_async(**{key: value})
