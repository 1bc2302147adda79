"""SGD with backup workers by hand: the first n - b gradients make a step, late ones are dropped or given up."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.backup_sgd import backup_sgd
from algorithms.ops import SERVER, Attempt, Joined, Left, Mark, Receive, ReceiveAny, Send
from algorithms.parameter_server import nothing
from algorithms.payloads import Dense, decode
from tests.algorithms.by_hand import Hand, cohort_of, rows


def started(rounds: int) -> tuple[Any, Hand]:
    """Start the server of three workers, one of them a backup, at x = 0 with rate 1/2."""
    algorithm = backup_sgd(workers=3, backups=1, lr=0.5)
    algorithm.begin(torch.zeros(1))
    return algorithm, Hand(algorithm.server(cohort_of(3, 1), rounds))


def hears(hand: Hand, what: Any) -> None:
    hand.meets(ReceiveAny)
    hand.answers((what[0], Dense(rows([what[1]]))) if isinstance(what, tuple) else what)


def steps(hand: Hand, label: int, model: float, *answered: int) -> None:
    mark = hand.meets(Mark)
    assert (mark.label, mark.model.tolist()) == (label, [model])
    assert tuple(hand.meets(Send).to for _ in answered) == answered


def test_the_servers_loop() -> None:
    # step 0: (2 + 4)/2 = 3; worker 1's push of step 0 comes during step 1 and is dropped; step 1: (6 + 2)/2 = 4
    algorithm, hand = started(2)
    hears(hand, (2, 2.0))
    hears(hand, (0, 4.0))
    steps(hand, 1, -1.5, 0, 1, 2)
    hears(hand, (1, 100.0))
    hears(hand, (1, 6.0))
    hears(hand, (0, 2.0))
    steps(hand, 2, -3.5, 0, 1, 2)
    hand.ends()
    assert algorithm.notes() == {"staleness": {"0": 4}, "dropped": 1}


def test_fewer_suffice_when_no_more_are_there() -> None:
    algorithm, hand = started(3)
    hears(hand, (0, 2.0))
    hears(hand, Left(1))
    hears(hand, Left(2))  # worker 0 alone is left, and has pushed
    steps(hand, 1, -1.0, 0)
    hears(hand, Joined(2))  # comes during step 1 and takes part in it
    assert hand.meets(Send).to == 2
    hears(hand, (2, 2.0))
    hears(hand, (0, 4.0))
    steps(hand, 2, -2.5, 0, 2)
    hears(hand, (2, 2.0))
    hears(hand, Left(0))
    steps(hand, 3, -3.5, 2)
    hand.ends()
    assert algorithm.dropped == 0


def test_the_worker_answers_every_model_with_one_message() -> None:
    algorithm = backup_sgd(workers=3, lr=0.5)
    algorithm.begin(torch.tensor([1.0]))
    hand = Hand(algorithm.worker(cohort_of(3, 1, only=1), 5))
    for step, gradient in enumerate([rows([3.0]), None, rows([5.0])]):
        asked = hand.meets(Attempt)
        assert asked.step == step and asked.at.tolist() == [1.0 + step]
        hand.answers(gradient)
        sent = hand.meets(Send)
        assert sent.to == SERVER and sent.payload.dense().tolist() == ([[]] if gradient is None else gradient.tolist())
        hand.meets(Receive)
        hand.answers(Dense(rows([2.0 + step])))
    hand.program.close()


def test_one_that_joins_waits_for_a_model() -> None:
    algorithm = backup_sgd(workers=3, lr=0.5)
    algorithm.begin(torch.tensor([1.0]))
    hand = Hand(algorithm.worker(cohort_of(3, 1, only=1), 5, joins_at=7))
    assert hand.meets(Receive).source == SERVER
    hand.answers(Dense(rows([4.0])))
    asked = hand.meets(Attempt)
    assert (asked.step, asked.at.tolist()) == (7, [4.0])
    hand.program.close()


def test_nothing_is_a_header() -> None:
    payload = nothing()
    assert payload.bytes.tolist() == [6] and decode(payload.encode(0)).equals(payload)
    assert payload.paper is not None and payload.paper.total.tolist() == [0]


def test_a_quarter_are_backups_unless_told() -> None:
    assert [backup_sgd(workers=n).backups for n in (1, 3, 4, 16)] == [0, 0, 1, 4]


@pytest.mark.parametrize("backups", [-1, 3, 1.0, True, "few"])
def test_a_number_of_backups_that_leaves_nobody_is_refused(backups: Any) -> None:
    with pytest.raises(ValueError, match=r"algorithm\.backups: expected a whole number in 0\.\.2 .*, got"):
        backup_sgd(workers=3, backups=backups)
