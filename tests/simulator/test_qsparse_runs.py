"""Asynchronous Qsparse-local-SGD in whole runs: racy only where computing drives it, and when it is Algorithm 1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.records.folder import RunFolder
from simulator.retimed_folder import retime
from tests.running import composed, run

COMMON = ["workers=5", "rounds=6", "eval_every=3", "chunk=1", "stragglers=lognormal", "network=wan_10m"]
RULE = ["algorithm.lr=0.1", "algorithm.momentum=0.5"]


def chosen(name: str, sync_set: str) -> list[str]:
    """Name the algorithm and its sync set, with options, on a command line."""
    kind, *options = sync_set.split(" ")
    return [f"algorithm={name}", f"sync_set@algorithm.sync_set={kind}", *(f"algorithm.sync_set.{o}" for o in options)]


FIXED, RANDOM, LISTED = "fixed gap_steps=3", "random longest=4", "listed steps=[1,2,4,7,8,9] longest=3"
OPERATORS = sorted(path.stem for path in (Path(__file__).parents[2] / "conf" / "operator").glob("*.yaml"))


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", ["qsparse", "qsparse_async"])
def test_every_operator_can_be_named(tmp_path: Path, name: str, operator: str) -> None:
    _, summary = run(
        tmp_path, f"algorithm={name}", f"operator@algorithm.compressor={operator}", "workers=2", "rounds=2"
    )
    assert summary["paper_bits"] > 0 and len(OPERATORS) == 8


@pytest.mark.parametrize("sync_set", [FIXED, LISTED])
@pytest.mark.parametrize("task", [["task=quadratic", "task.dimensions=97"], ["model=softmax", "batch=8"]])
def test_with_one_set_it_is_the_synchronous_run_bit_for_bit(tmp_path: Path, sync_set: str, task: list[str]) -> None:
    if "model=softmax" in task:
        task = ["task=fashion_mnist_mini", *task]
    runs = [
        run(tmp_path / name, *chosen(name, sync_set), *COMMON, *RULE, *task)[1] for name in ("qsparse", "qsparse_async")
    ]
    assert runs[0]["digest"] == runs[1]["digest"] and runs[0]["final_loss"] == runs[1]["final_loss"]
    assert runs[0]["paper_bits"] == runs[1]["paper_bits"] and runs[0]["staleness"] == runs[1]["staleness"] == {"0": 30}
    assert not runs[1]["racy"]


def test_known_sets_do_not_depend_on_time_and_can_be_retimed(tmp_path: Path) -> None:
    there = [*chosen("qsparse_async", RANDOM), *COMMON, *RULE, "network=lte"]
    _, here = run(tmp_path / "here", *chosen("qsparse_async", RANDOM), *COMMON, *RULE)
    _, fresh = run(tmp_path / "fresh", *there)
    assert not here["racy"] and here["digest"] == fresh["digest"]
    assert here["simulated_seconds"] != fresh["simulated_seconds"] and len(here["staleness"]) > 1
    again = retime(RunFolder(tmp_path / "here"), composed(*there), RunFolder(tmp_path / "there"))
    assert again["simulated_seconds"] == fresh["simulated_seconds"]
    assert (tmp_path / "there/timeline.parquet").read_bytes() == (tmp_path / "fresh/timeline.parquet").read_bytes()


@pytest.mark.parametrize(("longest", "steps"), [(8, [4, 4, 1]), (3, [3, 3, 1])])
def test_driven_by_computing_each_worker_has_gaps_of_its_own(tmp_path: Path, longest: int, steps: list[int]) -> None:
    # 10 ms a gradient, 40 ms on worker 2: the first step that ends 35 ms after the start is the fourth, or its first
    speeds = ["workers=3", "rounds=4", "compute=fixed", "compute.seconds_per_step=0.01", "compute.speed=[1,1,0.25]"]
    period = [f"algorithm.sync_set.longest={longest}", "algorithm.sync_set.period_s=0.035"]
    _, summary = run(tmp_path, "algorithm=qsparse_async", *speeds, *period)
    assert summary["racy"] and summary["racy_because"].startswith("ReceiveAny in _server_by_arrival")
    entries = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()[1:]]
    for worker, expected in enumerate(steps):
        said = [entry["op"] for entry in entries if entry.get("process") == worker]
        exchanges = " ".join(op for op in said if op in ("gradient", "send")).split("send")
        assert len(exchanges) > 2 and {gap.count("gradient") for gap in exchanges[:-1]} == {expected}


def test_workers_that_come_and_go_need_a_set_that_follows_time(tmp_path: Path) -> None:
    faulty = [*COMMON, "faults=crashes", "rounds=20"]
    _, summary = run(tmp_path / "computing", "algorithm=qsparse_async", *faulty)
    assert summary["complete"] and summary["faults"]["rejoins"] > 0
    with pytest.raises(ValueError, match=r"sync_set: expected algorithms.sync_sets.ComputeDriven .*got FixedGap"):
        run(tmp_path / "fixed", *chosen("qsparse_async", FIXED), *faulty)


def test_the_hosting_of_a_round_with_an_average_changes_no_bit(tmp_path: Path) -> None:
    options = ["algorithm=qsparse", "algorithm.average_shift=3", "workers=8", "rounds=4", "chunk=2", "eval_every=1"]
    (whole, one), (_, two) = (run(tmp_path / str(parts), *options, f"parts={parts}") for parts in (1, 4))
    assert one["digest"] == two["digest"] and one["final_loss"] == two["final_loss"]
    judged = whole.task.evaluate(whole.algorithms[0].average.value).loss
    assert judged == one["final_loss"] != whole.task.evaluate(whole.algorithms[0].model).loss
