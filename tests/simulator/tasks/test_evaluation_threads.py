"""The batches of an evaluation go over the run's threads, and add up in their own order."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from simulator.runner import Run
from simulator.tasks.modelled import Modelled
from simulator.threads import ChunkPool
from tests.running import composed, run


@pytest.mark.parametrize(
    "overrides",
    [
        ["task=fashion_mnist_mini", "model=lenet5", "task.evaluation_batch=90"],
        ["task=cifar10_mini", "model=resnet9", "model.width=4", "model.norm=batch", "task.bn_statistics=local"],
        ["task=char_lm_mini", "model=char_lstm", "model.hidden=8"],
        ["task=translation_mini", "model=transformer", "model.width=8", "model.inner=8", "task.evaluation_batch=20"],
    ],
)
def test_an_evaluation_over_threads_is_that_of_one(overrides: list[str]) -> None:
    small = (
        [*overrides, "task.dataset.train=40", "task.dataset.test=600"]
        if "task=cifar10_mini" in overrides
        else overrides
    )
    task = Run(composed(*small, "workers=2", "batch=2"), Path("unused")).task
    at, seen = task.initial(3), set[int]()
    forward = task._engine.forward

    def spied(*arguments):
        seen.add(threading.get_ident())
        return forward(*arguments)

    task._engine.forward = spied
    with ChunkPool(2) as pool:
        assert task.evaluate(at, pool.map) == task.evaluate(at)
    assert len(seen) >= 2 or "task.bn_statistics=local" in overrides  # the pool's, then this one


def test_a_run_evaluates_over_its_own_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    scores = Modelled.scores
    monkeypatch.setattr(Modelled, "scores", lambda self, f, b, pool: seen.append(pool) or scores(self, f, b, pool))
    options = ["task=fashion_mnist_mini", "model=softmax", "workers=2", "rounds=2", "eval_every=1"]
    made, summary = run(tmp_path / "two", *options, "threads=2")
    assert seen == [made.pool.map] * 2 and made.pool.threads == 2
    assert summary["digest"] == run(tmp_path / "one", *options)[1]["digest"]
    for name in ("metrics.parquet", "trace.jsonl"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
