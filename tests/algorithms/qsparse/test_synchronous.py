"""Algorithm 1 by hand: a golden round, the perturbed iterate at every step, what the authors' code does besides."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.compressors import Identity, ScaledSign, SparseFloats, SparseLevels, SparseSigns
from algorithms.local_sgd import local_sgd
from algorithms.ops import Gradient
from algorithms.qsparse import Qsparse, qsparse
from algorithms.schedules import Step
from algorithms.sgd import sgd
from algorithms.sync_sets import FixedGap, ListedSteps, RandomGaps
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows
from tests.algorithms.qsparse.by_round import played

SYNC_SETS = [FixedGap(1), FixedGap(4, first=1), ListedSteps([1, 2, 5, 9, 10], 4), RandomGaps(4)]


def test_a_round_of_two_workers() -> None:
    # H = 2, lr 1/2, SignTop-1 a row of 2; gradients (2, 0) then (2, 2) and (0, -4) then (0, 0):
    # progress 1/2 (4, 2) = (2, 1) and 1/2 (0, -4) = (0, -2); sent (2, 0), (0, -2); kept (0, 1), (0, 0);
    # the model moves by minus the mean: 0 - (1, -1) = (-1, 1)
    algorithm = qsparse(compressor=SparseSigns(k=1), per_tensor=False, sync_set=FixedGap(2), lr=0.5)
    hand = begun(algorithm, cohort_of(2, 2), 1)
    assert hand.meets(Gradient).at.tolist() == [[0, 0], [0, 0]]
    hand.answers(rows([2, 0], [0, -4]))
    sent, down = over_server(hand, cohort_of(2, 2), rows([2, 2], [0, 0]))
    assert sent.dense().tolist() == [[2, 0], [0, -2]] and down.dense().tolist() == [[1, -1]]
    assert sent.paper is not None and sent.paper.total.tolist() == [1 + 1 + 32] * 2  # sign, log2 2, scale
    assert marked(hand, 1).tolist() == [-1, 1]
    assert algorithm.exchange.residual.values.tolist() == [[0, 1], [0, 0]]
    hand.ends()


@pytest.mark.parametrize(
    "compressor",
    [
        SparseFloats(k=2),
        SparseLevels(k=3, levels=2),
        SparseLevels(k=3, levels=4, scaled=False, select="random"),
        SparseSigns(k=2),
        SparseSigns(k=2, norm=2, select="random"),
        ScaledSign(),
    ],
    ids=lambda compressor: type(compressor).__name__,
)
@pytest.mark.parametrize(
    "sync_set", [FixedGap(1), FixedGap(4, first=1), ListedSteps([1, 2, 5, 9, 10], 4), RandomGaps(4)]
)
def test_the_perturbed_iterate_is_off_by_the_mean_memory_at_every_step(compressor: Any, sync_set: Any) -> None:
    # xt <- xt - lr mean_r grad_r(y_r): then mean_r y_r - xt = mean_r m_r
    algorithm = qsparse(compressor=compressor, per_tensor=False, sync_set=sync_set, lr=0.1)
    virtual, steps = torch.zeros(12, dtype=torch.float64), 0

    def watch(at: Any, answer: Tensor | None = None) -> None:
        nonlocal steps
        memory = algorithm.exchange.residual.values
        if answer is None:
            torch.testing.assert_close(at.model - virtual, memory.mean(0), rtol=0, atol=1e-6)
            return
        held = torch.zeros(12).to(virtual) if memory is None else memory.mean(0)
        torch.testing.assert_close(at.mean(0) - virtual, held, rtol=0, atol=1e-6)
        virtual.sub_(answer.mean(0), alpha=0.1)
        steps += 1

    played(algorithm, 3, 5, watch, dtype=torch.float64)
    assert steps >= 5 and float(algorithm.exchange.residual.values.abs().max()) > 1e-3


@pytest.mark.parametrize("gap", [1, 4])
def test_without_compression_it_is_sgd_or_local_sgd(gap: int) -> None:
    options = {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}
    algorithm = qsparse(compressor=Identity(), sync_set=FixedGap(gap), **options)
    played(algorithm, 3, 8, lambda *_: None)
    assert not algorithm.exchange.residual.values.any()
    if gap == 1:
        # parallel SGD, bit for bit without momentum: x - mean (x - (x - lr g)) rounds once more than x - lr mean g
        algorithm, plain = qsparse(compressor=Identity(), sync_set=FixedGap(1), lr=0.25), sgd(lr=0.25)
        played(algorithm, 2, 8, lambda *_: None, dtype=torch.float64)
        played(plain, 2, 8, lambda *_: None, dtype=torch.float64)
        torch.testing.assert_close(algorithm.model, plain.model, rtol=0, atol=1e-14)
        return
    other = local_sgd(steps=gap, **options)
    other.exchange = type(algorithm.exchange.inner)(Identity())  # over a server as well: the same order of sums
    played(other, 3, 8, lambda *_: None)
    assert torch.equal(algorithm.model, other.model)


def test_memory_is_wiped_in_the_last_exchange_before_a_milestone() -> None:
    schedule = Step(milestones=[0.5], gamma=0.1)
    algorithm = qsparse(compressor=SparseSigns(k=1), sync_set=FixedGap(2), wipe_memory=True, schedule=schedule)
    seen: list[bool] = []

    def watch(op: Any, answer: Tensor | None = None) -> None:
        if answer is None:
            seen.append(bool(algorithm.exchange.residual.values.any()))

    played(algorithm, 2, 6, watch)
    assert seen == [True, True, False, True, True, True]  # rounds 0, 1, 2 at the full rate, then 3, 4, 5


def test_momentum_is_a_workers_own_and_outlives_the_exchange() -> None:
    # H = 1, lr 1, momentum 1/2, gradients always (2) and (4): velocities 2, 3 and 4, 6; never averaged
    for keep, second in ((True, 4.5), (False, 3.0)):
        algorithm = qsparse(
            compressor=SparseFloats(k=1), sync_set=FixedGap(1), keep_momentum=keep, lr=1.0, momentum=0.5
        )
        hand = begun(algorithm, cohort_of(2, 1), 2)
        for t, total in ((1, 3.0), (2, 3.0 + second)):
            over_server(hand, cohort_of(2, 1), rows([2], [4]))
            assert marked(hand, t).tolist() == [-total]


def test_the_average_favours_later_models() -> None:
    # weights (a + t)^2 with a = 1 and H = 2: models 0, x_2, x_4 weigh 1, 9, 25
    algorithm: Qsparse = qsparse(compressor=Identity(), sync_set=FixedGap(2), average_shift=1, lr=0.1)
    models: list[Tensor] = []

    def watch(op: Any, answer: Tensor | None = None) -> None:
        if answer is None:
            models.append(algorithm.model.clone())
            weights = [9.0, 25.0][: len(models)]
            total = sum((w * x for w, x in zip(weights, models, strict=True)), torch.zeros(12))
            torch.testing.assert_close(op.model, total / (1 + sum(weights)))

    played(algorithm, 2, 2, watch)
    assert len(models) == 2
    saved = algorithm.state()
    other = qsparse(compressor=Identity(), average_shift=1)
    other.load(saved)
    assert torch.equal(other.average.value, algorithm.average.value)  # type: ignore[union-attr]


@pytest.mark.parametrize("a", [0.5, 7.0])
def test_the_running_share_of_the_newest_iterate(a: float) -> None:
    for t in range(6):
        total = sum((a + i) ** 2 for i in range(t + 1))
        closed = 6 * (t + a) ** 2 / ((1 + t) * (6 * a**2 + t + 6 * t * a + 2 * t**2))
        assert (a + t) ** 2 / total == pytest.approx(closed)


def test_mass_is_kept_over_a_thousand_exchanges() -> None:
    # all progress = all that was sent + what is still kept, in float32
    algorithm = qsparse(compressor=SparseSigns(k=2), sync_set=FixedGap(1), lr=0.01)
    made, start = torch.zeros(2, 12, dtype=torch.float64), torch.zeros(12)

    def watch(at: Any, answer: Tensor | None = None) -> None:
        if answer is not None:
            made.add_(answer.double(), alpha=0.01)

    played(algorithm, 2, 1000, watch)
    moved = (start - algorithm.model).double()
    kept = algorithm.exchange.residual.values.double().mean(0)
    torch.testing.assert_close(moved + kept, made.mean(0), rtol=0, atol=2e-4)
