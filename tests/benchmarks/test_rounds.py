"""What rounds are compared with, and how growth is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from algorithms.ops import Now
from benchmarks import linear, rounds
from benchmarks.compression import STEPS, Case, driven
from benchmarks.stages import Rounds, built

SMALL = ["model=softmax", "workers=4", "batch=2", "rounds=2", "eval_every=2", "device=cpu", "threads=1"]


@pytest.mark.parametrize(
    ("settings", "gradients"),
    [
        (["algorithm=sgd"], 4),
        (["algorithm=local_sgd", "algorithm.steps=3"], 12),
        (["algorithm=fedavg", "algorithm.steps=2", "participation=0.5"], 4),
        (["algorithm=majority_vote", "algorithm.local_steps=2"], 8),
        (["algorithm=ddp_sgd"], 4),
    ],
)
def test_the_gradients_of_a_round_are_counted(tmp_path: Path, settings: list[str], gradients: int) -> None:
    watched = Rounds(built([*settings, *SMALL], tmp_path / "run"))
    watched.execute()
    assert watched.gradients == [gradients, gradients] and len(watched.cpu) == 2


def test_every_algorithm_that_runs_as_one_cohort_is_a_case() -> None:
    found = rounds.synchronous()
    assert {"mlp, sgd", "mlp, topk", "mlp, sketched_sgd", "mlp, delayed_sgd"} <= set(found)
    assert not {"mlp, async_sgd", "mlp, ssp", "mlp, backup_sgd", "mlp, gradient_dropping"} & set(found)
    assert rounds.CASES.keys() == {f"{case.model}, {case.algorithm}" for case in rounds.CASES.values()}


def test_growth_is_per_unit_and_per_added_unit() -> None:
    found = {ratio.what: ratio for ratio in linear.growth("worker", [10, 20, 40], [3.0, 5.0, 11.0])}
    assert found["time per worker, 20 workers"].value == pytest.approx((5 / 20) / (3 / 10))
    assert found["time per worker, 40 workers"].value == pytest.approx((11 / 40) / (3 / 10))
    assert found["time per worker, 40 workers"].goal == 1.2
    assert found["time per added worker, 20 to 40"].value == pytest.approx((6 / 20) / (2 / 10))
    assert found["time per added worker, 20 to 40"].goal is None and len(found) == 3


def test_growth_without_a_slope_tells_what_it_can() -> None:
    assert [ratio.what for ratio in linear.growth("worker", [10, 20], [3.0, 2.9])] == ["time per worker, 20 workers"]
    assert linear.growth("worker", [10], [3.0]) == []


@pytest.mark.parametrize("step", STEPS)
def test_every_step_runs_again_and_again(step: str) -> None:
    run = STEPS[step](Case.made_up(5, 2000, 0.01, chunk=2)).run
    run()
    run()


def test_an_op_that_a_benchmark_cannot_answer_is_named() -> None:
    async def asks() -> None:
        await Now()

    case = Case.made_up(1, 10, 0.1, chunk=1)
    with pytest.raises(TypeError, match="expected Work, Gather, AtServer or Broadcast, got Now"):
        driven(asks(), case.cohort, lambda op: None)
