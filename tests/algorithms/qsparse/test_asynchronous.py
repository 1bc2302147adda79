"""Algorithm 2 by hand: the perturbed iterate at every step, who is answered, and when it is Algorithm 1."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.compressors import Identity, ScaledSign, SparseFloats, SparseLevels, SparseSigns
from algorithms.instants import instants
from algorithms.ops import SERVER, Gradient, Mark, Now, Receive, ReceiveAny, Send
from algorithms.payloads import Dense
from algorithms.qsparse import qsparse
from algorithms.qsparse_async import qsparse_async
from algorithms.schedules import Step
from algorithms.sync_sets import ComputeDriven, FixedGap, ListedSteps, RandomGaps
from tests.algorithms.by_hand import Hand, cohort_of, rows
from tests.algorithms.qsparse.by_round import gradients, played
from tests.algorithms.qsparse.by_step import ByStep

D = 12
OPERATORS = [SparseFloats(k=2), SparseLevels(k=3, levels=2), SparseSigns(k=2, select="random"), ScaledSign()]


def of_worker(n: int) -> Any:
    """The gradients of a synchronous run, one worker at a time."""

    def gradient(worker: int, at: Tensor, step: int) -> Tensor:
        return gradients(at.expand(n, -1), step)[worker : worker + 1]

    return gradient


@pytest.mark.parametrize("compressor", OPERATORS, ids=lambda compressor: type(compressor).__name__)
@pytest.mark.parametrize(
    "sync_set",
    [RandomGaps(4), FixedGap(3), ListedSteps([[1, 2, 3, 4, 5, 6, 7], [3, 5, 6, 9], [2, 4, 6, 8, 10]], 3)],
    ids=lambda sync_set: type(sync_set).__name__,
)
def test_the_perturbed_iterate_is_off_by_memory_and_progress_at_every_step(compressor: Any, sync_set: Any) -> None:
    # xt <- xt - lr mean_r grad_r(y_r): then X - xt = mean_r (m_r + x_r - y_r), which |S| in the place of R breaks
    algorithm = qsparse_async(compressor=compressor, per_tensor=False, sync_set=sync_set, lr=0.1)
    virtual, seen = torch.zeros(D, dtype=torch.float64), 0

    def watch(at: dict[int, Tensor], received: dict[int, Tensor]) -> None:
        nonlocal seen
        left = [algorithm.memory[r][0] + received[r] - at[r][0] for r in range(3)]
        torch.testing.assert_close(algorithm.model - virtual, torch.stack(left).mean(0), rtol=0, atol=2e-6)
        steps = torch.stack([run.gradient(r, at[r], run.waiting[r].step)[0] for r in range(3)])
        virtual.sub_(steps.mean(0), alpha=0.1)
        seen += 1

    run = ByStep(algorithm, torch.zeros(D, dtype=torch.float64), 3, 4, of_worker(3), watch)
    run.play()
    assert seen >= 4 and len(run.sends) >= 9
    assert max(float(memory.abs().max()) for memory in algorithm.memory.values()) > 1e-3


def test_one_sender_of_two_moves_the_model_by_half_and_alone_is_answered() -> None:
    algorithm = qsparse_async(compressor=Identity(), sync_set=ListedSteps([[1, 2, 3], [2, 3]], 2), lr=1.0)
    ones = torch.ones(1, 1)
    run = ByStep(algorithm, torch.zeros(1), 2, 2, lambda r, at, step: (1 + r) * ones)
    run.play()
    # step 1: worker 0 sends 1, X = -1/2. Step 2: it sends 1 again, worker 1 two steps of 2: X = -1/2 - (1 + 4)/2.
    assert run.sends[0] == (1, 0) and set(run.sends[1:3]) == {(2, 0), (2, 1)}
    # step 3: 1 and 2 more. Four messages of two workers are two rounds: the first mark after the third message.
    assert [(label, model.tolist()) for label, model in run.marks] == [(1, [-3.0]), (2, [-4.5])]
    assert algorithm.staleness == {0: 4, 1: 1}  # worker 1's first message met a model that had moved once


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("compressor", OPERATORS, ids=lambda compressor: type(compressor).__name__)
@pytest.mark.parametrize("sync_set", [FixedGap(1), FixedGap(4, first=1), ListedSteps([1, 2, 5, 9, 10], 4)])
def test_with_identical_sets_it_is_the_synchronous_algorithm(n: int, compressor: Any, sync_set: Any) -> None:
    options: dict[str, Any] = {"compressor": compressor, "per_tensor": False, "sync_set": sync_set, "wipe_memory": True}
    options |= {"lr": 0.1, "momentum": 0.5, "schedule": Step(milestones=[0.6], gamma=0.5)}
    together, apart = qsparse(**options), qsparse_async(**options)
    played(together, n, 5, lambda *_: None)
    run = ByStep(apart, torch.zeros(D), n, 5, of_worker(n))
    run.play()
    assert torch.equal(apart.model, together.model) and [label for label, _ in run.marks] == [1, 2, 3, 4, 5]
    for r in range(n):
        assert torch.equal(apart.memory[r][0], together.exchange.residual.values[r])


def test_one_worker_with_random_gaps_is_the_synchronous_algorithm() -> None:
    options: dict[str, Any] = {"compressor": SparseSigns(k=3), "sync_set": RandomGaps(5), "lr": 0.1}
    together, apart = qsparse(**options), qsparse_async(**options)
    played(together, 1, 6, lambda *_: None)
    ByStep(apart, torch.zeros(D), 1, 6, of_worker(1)).play()
    assert torch.equal(apart.model, together.model)


@pytest.mark.parametrize("gap", [1, 3])
def test_without_compression_no_memory_is_left(gap: int) -> None:
    algorithm = qsparse_async(compressor=Identity(), sync_set=FixedGap(gap), lr=0.1)
    ByStep(algorithm, torch.zeros(D), 3, 4, of_worker(3)).play()
    assert not any(bool(memory.any()) for memory in algorithm.memory.values())


def test_driven_by_computing_the_server_takes_what_comes() -> None:
    algorithm = qsparse_async(compressor=Identity(), sync_set=ComputeDriven(2), lr=1.0)
    algorithm.begin(torch.zeros(1))
    hand = Hand(algorithm.server(cohort_of(2, 1), 1))
    for source, model in ((1, -1.0), (1, -2.0)):  # of two workers: each moves the model by half
        hand.meets(ReceiveAny)
        hand.answers((source, Dense(rows([2.0]))))
        if model == -2:
            assert hand.meets(Mark).label == 1
        sent = hand.meets(Send)
        assert sent.to == source and sent.payload.dense().tolist() == [[model]]
    hand.ends()


def test_a_period_ends_the_local_steps_early() -> None:
    algorithm = qsparse_async(compressor=Identity(), sync_set=ComputeDriven(5, period_s=1.0), lr=1.0)
    algorithm.begin(torch.zeros(1))
    hand = Hand(algorithm.worker(cohort_of(2, 1, only=0), 3))
    for start, steps, moments in ((10.0, 2, (10.5, 11.0)), (20.0, 5, (20.1, 20.2, 20.3, 20.4, 20.5))):
        hand.meets(Now)
        hand.answers(start)
        for now in moments:
            hand.meets(Gradient)
            hand.answers(rows([1.0]))
            hand.meets(Now)
            hand.answers(now)
        sent = hand.meets(Send)
        assert sent.to == SERVER and sent.payload.dense().tolist() == [[steps]]
        assert hand.meets(Receive).source == SERVER
        hand.answers(Dense(rows([0.0])))
    hand.program.close()


def test_instants_merge_the_sets() -> None:
    sets = ListedSteps([[1, 4], [2, 4], [4]], 4)
    assert list(instants(cohort_of(3, 1), sets)) == [[0], [1], [0, 1, 2]]
