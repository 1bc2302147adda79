"""What a trajectory's key depends on, and what it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulator.store import trajectory_key
from tests.running import composed

SAME = [
    ["network=lte"],
    ["network.up_bps=1 Mbit/s"],
    ["compute=fixed", "compute.seconds_per_step=2"],
    ["stragglers=pareto"],
    ["threads=3", "progress=true", "checkpoint_every=7", "resume=true", "cache=on"],
    ["parts=2"],
    ["state_on=file", "memory_gb=3"],
    ["device=auto" if not os.environ.get("CUDA_VISIBLE_DEVICES") else "device=cpu"],
]
OTHER = [
    ["seed=2"],
    ["workers=5"],
    ["rounds=7"],
    ["batch=3"],
    ["eval_every=3"],
    ["algorithm=topk"],
    ["algorithm.lr=0.2"],
    ["schedule=step"],
    ["participation=0.5"],
    ["dtype=float64"],
    ["state_dtype=bf16"],
    ["chunk=2"],
    ["gradient_method=loop"],
    ["task.dimensions=41"],
]


@pytest.mark.parametrize("overrides", SAME, ids=" ".join)
def test_what_only_takes_time_keeps_the_key(overrides: list[str]) -> None:
    assert trajectory_key(composed(*overrides)) == trajectory_key(composed())


def test_all_that_can_influence_a_trajectory_changes_the_key() -> None:
    keys = [trajectory_key(composed(*overrides)) for overrides in [[], *OTHER]]
    assert len(set(keys)) == len(keys)


def test_a_changed_file_of_the_task_changes_the_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("to be or not to be\n" * 50)
    text = [f"task.corpus.train={tmp_path / 'a'}", f"task.corpus.test={tmp_path / 'b'}"]
    before = trajectory_key(composed("task=word_lm", "model=word_lstm", *text))
    assert before == trajectory_key(composed("task=word_lm", "model=word_lstm", *text))
    (tmp_path / "a").write_text("to be\n")
    assert before != trajectory_key(composed("task=word_lm", "model=word_lstm", *text))


def test_a_changed_algorithm_from_elsewhere_changes_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    keys = []
    for name, line in (("mine_one", "x = 1\n"), ("mine_two", "x = 1\n"), ("mine_three", "x = 2\n")):
        (tmp_path / f"{name}.py").write_text(line)
        config = composed()
        config.algorithm["_target_"] = f"{name}.sgd"
        from simulator.store.key import _source

        keys.append(_source(f"{name}.sgd"))
        assert trajectory_key(config) != trajectory_key(composed())
    assert keys[0] == keys[1] != keys[2]
