"""Runs that differ by their seed go together and are named by what sets them apart; the examples in docstrings hold."""

from __future__ import annotations

import doctest
import importlib
import json

import pytest

from simulator.answers.groups import CLOCK, grouped, one_clock, one_task
from simulator.answers.runs import Finished
from tests.simulator.answers.conftest import Made


@pytest.mark.parametrize("name", ["crossings", "groups", "over_seeds", "student", "target"])
def test_the_doctests_hold(name: str) -> None:
    done = doctest.testmod(importlib.import_module(f"simulator.answers.{name}"))
    assert done.attempted and not done.failed


def test_seeds_go_together_and_hosting_does_not_count(made: Made) -> None:
    runs = [
        made("a", [0.5], "seed=2", "threads=2"),
        made("b", [0.5], "seed=1", "network=lte", "checkpoint_every=7"),
        made("c", [0.5], "seed=1", "algorithm=topk", "algorithm.density=0.1"),
        made("d", [0.5], "seed=1", "algorithm=topk", "algorithm.density=0.5"),
        made("e", [0.5], "seed=1", "algorithm=topk", "algorithm.density=0.5", "network.latency_s=2 ms"),
    ]
    apart = grouped(runs)
    assert [(group.label, group.network) for group in apart] == [
        ("sgd", "lan_1g, latency_s=0.01"),
        ("sgd", "lte"),
        ("topk, density=0.1", "lan_1g, latency_s=0.01"),
        ("topk, density=0.5", "lan_1g, latency_s=0.01"),
        ("topk, density=0.5", "lan_1g, latency_s=2 ms"),
    ]
    (one, *_) = grouped(runs[:2], CLOCK)
    assert [run.seed for run in one.runs] == [1, 2]


def test_one_trajectory_on_two_networks_counts_once(made: Made) -> None:
    runs = [made("a", [0.5]), made("b", [0.5], "network.latency_s=5 ms")]
    summary = runs[1].folder.path / "summary.json"
    with pytest.raises(ValueError, match="expected one run of each seed, got .*a and .*b, .* different weights"):
        grouped(runs, CLOCK)
    summary.write_text(json.dumps({"complete": True, "digest": "a"}))
    again = [runs[0], Finished.read(runs[1].path)]
    assert [[run.path.name for run in group.runs] for group in grouped(again, CLOCK)] == [["a"]]


def test_tasks_are_not_mixed(made: Made) -> None:
    runs = [made("a", [0.5]), made("b", [0.5], "task=logistic")]
    assert one_task(runs[:1]) == "quadratic"
    with pytest.raises(ValueError, match=r"runs: expected one task, got quadratic .*, logistic \(such as .*b\)"):
        one_task(runs)


def test_runs_that_are_played_side_by_side_have_one_clock(made: Made) -> None:
    here = made("a", [0.5], "seed=1")
    there = made("b", [0.5], "seed=2", "network.latency_s=5 ms")
    slow = made("c", [0.5], "seed=2", "compute.seconds_per_step=1")
    one_clock([here, made("d", [0.5], "seed=3")], [], network=False)  # a seed may differ
    one_clock([here, there], [], network=True)
    one_clock([here, there], ["network.latency_s=1 ms"], network=False)
    one_clock([here, slow], ["compute=counted"], network=False)
    with pytest.raises(ValueError, match=r"network.latency_s \(0.01 and '5 ms'\): expected one for all .* give one$"):
        one_clock([here, there], ["compute=counted"], network=False)
    with pytest.raises(ValueError, match=r"compute.seconds_per_step \(0.1 and 1\): expected one for all runs"):
        one_clock([here, slow], [], network=True)
