"""What pushing workers share: the average in rank order, compression with a memory of its own."""

from __future__ import annotations

import pytest
import torch

from algorithms.async_sgd import async_sgd
from algorithms.compressors import Identity, TopK
from algorithms.gathered import Gathered
from algorithms.ops import Gradient, Receive, Send
from algorithms.parameter_server import fold
from algorithms.payloads import Dense
from tests.algorithms.by_hand import Hand, cohort_of, rows


@pytest.mark.parametrize("chunk", [1, 2, 8])
def test_a_fold_of_everybody_is_a_gathers_mean(chunk: int) -> None:
    shares = torch.tensor([0.1, 0.4, 0.2, 0.25, 0.05])
    cohort = cohort_of(5, 33, chunk=chunk, shares=shares)
    x = torch.randn(5, 33, generator=torch.Generator().manual_seed(1))
    expected = Gathered(Dense(x), cohort.active, cohort.weights, cohort.all_chunks).mean()
    found = fold(cohort, [(w, Dense(x[w : w + 1])) for w in (3, 0, 4, 1, 2)])
    assert torch.equal(found, expected)


def test_weights_of_some_sum_to_one_before_factors() -> None:
    # workers 2 and 0 of shares 1/2 and 1/4: weights 2/3 and 1/3; then half of the first
    cohort = cohort_of(3, 1, shares=torch.tensor([0.25, 0.25, 0.5]))
    pushes = [(2, Dense(rows([6.0]))), (0, Dense(rows([3.0])))]
    assert fold(cohort, pushes).tolist() == pytest.approx([5.0])
    assert fold(cohort, pushes, [0.5, 1.0]).tolist() == pytest.approx([3.0])


def sent(hand: Hand, gradient: list[float]) -> list[float]:
    """Let a worker compute and push once."""
    hand.meets(Gradient)
    hand.answers(rows(gradient))
    pushed: list[float] = hand.meets(Send).payload.dense()[0].tolist()
    hand.meets(Receive)
    hand.answers(Dense(rows([0.0, 0.0])))
    return pushed


def test_a_worker_remembers_what_its_pushes_left_out() -> None:
    # top-1 of (3, 2) keeps 3; then of (1, 1) + (0, 2) = (1, 3) keeps 3; then of (1, 1) + (1, 0) = (2, 1) keeps 2
    algorithm = async_sgd(lr=0.5, compressor=TopK(density=None, k=1), error_feedback=True)
    algorithm.begin(torch.zeros(2))
    hand = Hand(algorithm.worker(cohort_of(2, 2, only=1), 5))
    assert [sent(hand, g) for g in ([3.0, 2.0], [1.0, 1.0], [1.0, 1.0])] == [[3, 0], [0, 3], [2, 0]]
    hand.program.close()


def test_memory_without_loss_changes_nothing_that_was_sent() -> None:
    algorithm = async_sgd(lr=0.5, compressor=Identity("fp32"), error_feedback=True)
    algorithm.begin(torch.zeros(2))
    hand = Hand(algorithm.worker(cohort_of(2, 2, only=1), 5))
    hand.meets(Gradient)
    hand.answers(rows([3.0, 2.0]))
    first = hand.meets(Send).payload
    hand.meets(Receive)
    hand.answers(Dense(rows([0.0, 0.0])))
    assert sent(hand, [1.0, 1.0]) == [1, 1] and first.dense().tolist() == [[3, 2]]
    hand.program.close()
