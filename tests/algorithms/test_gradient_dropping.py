"""Gradient Dropping by hand: a worker that drops, shards that answer, and the plain methods that it becomes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from algorithms.gradient_dropping import GradientDropping, gradient_dropping
from algorithms.gradient_dropping_sync import gradient_dropping_sync
from algorithms.ops import SERVER, Gradient, Joined, Left, Mark, Receive, ReceiveAny, Send
from algorithms.payloads import Dense, Payload, Sparse
from algorithms.schedules import Step
from tests.algorithms.by_hand import Hand, begun, cohort_of, marked, over_server, rows
from tests.running import run

# d = 4 in two shards of 2, R = 1/2, global: T is the entry number int(4 / 2) - 1 = 1 of the sorted magnitudes, so two
# of four survive. In a shard's difference (2 entries) it is number 0: one of two survives.
HALF: dict[str, Any] = {"drop": 0.5, "shards": 2, "optimizer": "sgd"}


def started(**options: Any) -> tuple[GradientDropping, Hand]:
    """Start the server of two workers at x = 0."""
    algorithm = gradient_dropping(**{**HALF, "lr": 1.0, **options})
    algorithm.begin(torch.zeros(4))
    return algorithm, Hand(algorithm.server(cohort_of(2, 4), 2))


def sparse(*values: float) -> Sparse:
    return Sparse.nonzeros(rows(list(values)))


def hears(hand: Hand, source: int, push: Payload, mark: int | None = None) -> Payload:
    """Let the server hear a push, and give its answer."""
    hand.meets(ReceiveAny)
    hand.answers((source, push))
    if mark is not None:
        assert hand.meets(Mark).label == mark
    answer = hand.meets(Send)
    assert answer.to == source
    return answer.payload


def test_the_workers_loop() -> None:
    algorithm = gradient_dropping(**HALF)
    algorithm.begin(torch.tensor([1.0, 1.0, 1.0, 1.0]))
    hand = Hand(algorithm.worker(cohort_of(2, 4, only=1), 5))
    steps = [
        # at; gradient; what goes to either shard of (gradient + residual); what they answer
        ([1.0, 1.0, 1.0, 1.0], [4.0, -3.0, 2.0, 1.0], ([4.0, -3.0], [0.0, 0.0]), (sparse(-1.0, 0.0), sparse(0.0, 2.0))),
        # (0 0 2 1) + (1 2 2 -5) = (1 2 4 -4)
        (
            [0.0, 1.0, 1.0, 3.0],
            [1.0, 2.0, 2.0, -5.0],
            ([0.0, 0.0], [4.0, -4.0]),
            (Dense(rows([7.0, 8.0])), sparse(0, 0)),
        ),
        # (1 2 0 0) + (1 1 0 0) = (2 3 0 0), T = 0
        ([7.0, 8.0, 1.0, 3.0], [1.0, 1.0, 0.0, 0.0], ([2.0, 3.0], [0.0, 0.0]), (sparse(0, 0), sparse(0, 0))),
    ]
    for step, (at, gradient, sent, answers) in enumerate(steps):
        asked = hand.meets(Gradient)
        assert asked.step == step and asked.at.tolist() == at
        hand.answers(rows(gradient))
        for expected in sent:
            push = hand.meets(Send)
            assert push.to == SERVER and push.payload.dense().tolist() == [expected]
            assert push.payload.paper.total.tolist() == [64 * sum(value != 0 for value in expected)]
        for answer in answers:
            assert hand.meets(Receive).source == SERVER
            hand.answers(answer)
    hand.program.close()


def test_the_first_steps_are_dense() -> None:
    algorithm = gradient_dropping(**HALF, dense_steps=2)
    algorithm.begin(torch.zeros(4))
    hand = Hand(algorithm.worker(cohort_of(2, 4, only=0), 5))
    for kind in (Dense, Dense, Sparse):
        hand.meets(Gradient)
        slab = rows([4.0, 3.0, 2.0, 1.0])
        hand.answers(slab)
        pushes = [hand.meets(Send).payload for _ in range(2)]
        slab.zero_()  # the driver may write there again
        assert all(type(push) is kind for push in pushes)
        assert torch.cat([push.dense() for push in pushes], 1).tolist() == [
            [4, 3, *([2, 1] if kind is Dense else [0, 0])]
        ]
        for _ in range(2):
            hand.meets(Receive)
            hand.answers(sparse(0, 0))
    hand.program.close()


def test_the_servers_loop() -> None:
    algorithm, hand = started()
    assert hears(hand, 0, sparse(1.0, 2.0)).dense().tolist() == [[0, -2]]  # and -1 is kept for worker 0
    assert hears(hand, 1, sparse(0.0, 3.0)).dense().tolist() == [[0, -5]]  # worker 1 has seen nothing yet
    # the other shard; all shards have taken n = 2 pushes when it has its second
    assert hears(hand, 1, sparse(4.0, 0.0)).dense().tolist() == [[-4, 0]]
    assert hears(hand, 0, sparse(0.0, 0.0), mark=1).dense().tolist() == [[-4, 0]]
    # shard 0 is at (-1, -5); worker 0 saw it at (-1, -2): the difference (-4, -3) and (-1, 0) kept
    assert hears(hand, 0, sparse(4.0, 0.0)).dense().tolist() == [[-5, 0]]
    assert algorithm.shards[0].kept[0].tolist() == [0, -3]
    assert algorithm.model.tolist() == [-5, -5, -4, 0]
    assert hears(hand, 0, sparse(0.0, 1.0)).dense().tolist() == [[0, -1]]
    hears(hand, 1, sparse(0.0, 0.0))
    hand.meets(ReceiveAny)
    hand.answers((1, sparse(0.0, 0.0)))
    assert hand.meets(Mark).label == 2
    hand.meets(Send)
    hand.ends()
    # pushes 0, 1, 2, 3 of shard 0, by 0, 1, 0, 1, had read versions 0, 0, 1, 2; of shard 1, by 1, 0, 0, 1: 0, 0, 2, 1
    assert algorithm.staleness == Counter({0: 1 + 2, 1: 3 + 1, 2: 1})


def test_dense_pushes_and_dense_pulls_are_answered_whole() -> None:
    for options, push in (({}, Dense(rows([1.0, 2.0]))), ({"pull": "dense"}, sparse(1.0, 2.0))):
        _, hand = started(**options)
        answer = hears(hand, 1, push)
        assert isinstance(answer, Dense) and answer.dense().tolist() == [[-1, -2]]
        hand.program.close()


def test_each_shard_has_an_optimizer_and_a_rate_of_its_own() -> None:
    # AdaGrad's first step is lr whatever the gradient; n = 2 pushes a round, the rate halves after the first round
    algorithm, hand = started(optimizer="adagrad", schedule=Step(milestones=[0.5], gamma=0.5))
    for _ in range(3):
        hears(hand, 0, sparse(8.0, 0.0))
        hears(hand, 0, sparse(0.0, -0.5), mark=1 if _ == 1 else None)
    total = 1 + 2**-0.5 + 0.5 * 3**-0.5
    assert algorithm.model.tolist() == pytest.approx([-total, 0, 0, total])
    hand.program.close()


def test_workers_that_come_and_go() -> None:
    algorithm, hand = started()
    hears(hand, 0, sparse(1.0, 2.0))  # crashes before its second slice
    hand.meets(ReceiveAny)
    hand.answers(Left(0))
    hand.meets(ReceiveAny)
    hand.answers(Joined(0))
    assert [hand.meets(Send).payload.dense().tolist() for _ in range(2)] == [[[-1, -2]], [[0, 0]]]
    hears(hand, 0, sparse(1.0, 0.0))  # its next slice is for the first shard again
    assert algorithm.model.tolist() == [-2, -2, 0, 0] and algorithm.shards[0].kept[0].tolist() == [0, 0]
    worker = Hand(algorithm.worker(cohort_of(2, 4, only=0), 2, joins_at=3))
    for part in ([-1.0, -2.0], [0.0, 5.0]):
        worker.meets(Receive)
        worker.answers(Dense(rows(part)))
    asked = worker.meets(Gradient)
    assert asked.step == 3 and asked.at.tolist() == [-1, -2, 0, 5]
    hand.program.close(), worker.program.close()


def test_a_round_in_lockstep() -> None:
    # the mean of what two workers send of (3, -1, 2, 0) and (0, 4, 1, 0): T = 1 and 0 of four; rate 1/2
    algorithm = gradient_dropping_sync(drop=0.5, lr=0.5, dense_steps=1)
    hand = begun(algorithm, cohort_of(2, 4), 2)
    gradients = rows([3, -1, 2, 0], [0, 4, 1, 0])
    assert torch.equal(over_server(hand, cohort_of(2, 4), gradients)[0].dense(), gradients)
    assert marked(hand, 1).tolist() == [-0.75, -0.75, -0.75, 0]
    sent, _ = over_server(hand, cohort_of(2, 4), gradients)
    assert torch.equal(sent.dense(), rows([3, 0, 2, 0], [0, 4, 1, 0]))
    assert marked(hand, 2).tolist() == [-1.5, -1.75, -1.5, 0]
    assert algorithm.exchange.residual.values.tolist() == [[0, -1, 0, 0], [0, 0, 0, 0]]


TINY = ["task=quadratic", "workers=5", "rounds=6", "eval_every=2", "dtype=float64", "stragglers=lognormal"]


def test_nothing_dropped_in_one_shard_is_asynchronous_sgd(tmp_path: Path) -> None:
    plain, _ = run(tmp_path / "a", "algorithm=async_sgd", *TINY)
    off = ["algorithm.drop=0", "algorithm.shards=1", "algorithm.optimizer=sgd", "algorithm.lr=0.02"]
    ours, summary = run(tmp_path / "b", "algorithm=gradient_dropping", *off, *TINY)
    assert torch.equal(ours.algorithms[0].model, plain.algorithms[0].model)
    for table in ("metrics", "timeline"):
        mine, theirs = (made.folder.read_table(table).to_pylist() for made in (ours, plain))
        for row in (*mine, *theirs):  # async_sgd counts no paper's bits on the way down
            row |= dict.fromkeys([name for name in row if "downlink_paper" in name])
        assert mine == theirs
    assert summary["staleness"] == plain.algorithms[0].notes()["staleness"]


def test_nothing_dropped_in_lockstep_is_sgd(tmp_path: Path) -> None:
    plain, _ = run(tmp_path / "a", "algorithm=sgd", *TINY)
    ours, _ = run(tmp_path / "b", "algorithm=gradient_dropping_sync", "algorithm.drop=0", *TINY)
    torch.testing.assert_close(ours.algorithms[0].model, plain.algorithms[0].model, rtol=0, atol=1e-6)


def test_crashes_and_losses_do_not_mix_up_the_shards(tmp_path: Path) -> None:
    # a slice that went to the wrong shard would be of the wrong length, for d = 100 makes 34, 34 and 32
    trouble = [
        "faults=crashes",
        "faults.mttf_s=0.2",
        "faults.mttr_s=0.05",
        "faults.loss=0.1",
        "faults.retry_after_s=0.01",
    ]
    chosen = ["algorithm=gradient_dropping", "algorithm.shards=3", *TINY, *trouble, "compute=fixed", "network=wan_100m"]
    summaries = [run(tmp_path / name, *chosen)[1] for name in "ab"]
    assert summaries[0]["digest"] == summaries[1]["digest"]
    assert summaries[0]["faults"]["rejoins"] > 0 and summaries[0]["faults"]["retries"] > 0


@pytest.mark.parametrize(
    "options",
    [["algorithm.bits=1", "algorithm.history=exact"], ["algorithm.bits=2", "algorithm.centre=mean"],
     ["algorithm.bits=1", "algorithm.centre=column_mean", "algorithm.scope=local", "algorithm.optimizer=adam"],
     ["algorithm.pull=dense", "algorithm.shards=3", "algorithm.dense_steps=2"]],
)  # fmt: skip
def test_every_variant_runs(tmp_path: Path, options: list[str]) -> None:
    _, summary = run(tmp_path, "algorithm=gradient_dropping", *TINY, *options)
    assert summary["paper_bits"] > 0 and summary["racy"]


@pytest.mark.parametrize(
    ("options", "key"),
    [({"shards": 0}, "shards"), ({"pull": "lazy"}, "pull"), ({"history": 1}, "history"),
     ({"history": "all"}, "history"), ({"dense_steps": -1}, "dense_steps"), ({"optimizer": "lamb"}, "optimizer"),
     ({"momentum": 0.5}, "momentum"), ({"drop": 2}, "drop"), ({"lr": 0}, "lr")],
)  # fmt: skip
def test_refused_at_construction(options: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=rf"algorithm\.{key}: expected .* got "):
        gradient_dropping(**options)
