"""A budget of memory: what is given up for it, in which order, that it is said, and that no result changes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import simulator.budget as budget
import simulator.fallbacks as fallbacks
from simulator.budget import Need, fit
from simulator.gradients.activations import count_activations
from simulator.records.folder import RunFolder
from simulator.report import print_report
from simulator.runner import Run
from tests.running import composed, run

NEED = Need(held=1e9, gradients=4e9, state=2e9, copies=1e9, thread=0.5e9)


def settled(memory_gb: float, state_on: str = "memory", device: str = "cpu", movable: bool = True) -> Any:
    config: Any = SimpleNamespace(memory_gb=memory_gb, state_on=state_on, threads=None, chunk=8)
    said = fit(config, NEED, 4, movable, torch.device(device))
    return config.state_on, config.threads, said


def test_files_first_then_threads() -> None:
    assert settled(10.0) == ("memory", None, [])  # 1 + 4 + 2 + 1 + 4 x 0.5
    assert settled(9.99) == ("file", None, ["memory_gb=9.99: state_on=file instead of memory"])
    assert settled(9.99, device="cuda")[0] == "host"
    assert settled(4.0)[:2] == ("file", None)  # 1 + 1 + 4 x 0.5
    where, threads, said = settled(3.2)
    assert (where, threads) == ("file", 2) and said[1] == "memory_gb=3.2: threads=2 instead of 4"
    assert settled(9.0, movable=False)[:2] == ("memory", 2)
    assert settled(2.5, state_on="file:scratch") == ("file:scratch", 1, ["memory_gb=2.5: threads=1 instead of 4"])


def test_what_does_not_fit_at_all_is_refused_by_name_and_size() -> None:
    with pytest.raises(ValueError, match=r"memory_gb: expected at least 2\.50 .*chunk of 8 .*state 2\.00.*got 2\.49"):
        settled(2.49)


def needed(algorithm: str, *overrides: str) -> Need:
    made = Run(composed(f"algorithm={algorithm}", "workers=8", "chunk=2", *overrides), Path("unused"))
    return budget.need(made.config, made.task, made.algorithms[0], made.participation, 1.0)


def test_the_estimate_counts_what_is_kept() -> None:
    matrix = 8 * 97 * 4.0
    found = {name: needed(name) for name in ("sgd", "topk", "sketched_sgd", "local_sgd", "ssp")}
    assert [found[name].gradients / matrix for name in ("sgd", "topk", "sketched_sgd", "local_sgd")] == [1, 1, 1, 2]
    assert [found[name].state / matrix for name in ("sgd", "topk", "sketched_sgd")] == [0, 1, 2]
    assert [found[name].copies / matrix for name in ("sgd", "topk", "local_sgd", "ssp")] == [0, 0, 0, 2]
    assert needed("topk", "state_dtype=bf16").state == matrix / 2
    assert needed("topk", "dtype=float64").state == needed("topk", "dtype=float64").gradients == 2 * matrix
    assert needed("local_sgd", "algorithm.momentum=0.9").state == matrix
    half = needed("topk", "participation=0.5")
    assert (half.gradients, half.state, half.copies) == (matrix / 2, matrix, matrix / 2)  # sampled rows are copied
    assert all(one.held > 50e6 and one.thread > 0 for one in found.values())


def test_activations_are_what_the_layers_put_out() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3))
    assert count_activations(net, (7, 3, 4)) == 7 * (12 + 5 + 5 + 3)
    assert count_activations(nn.LSTM(4, 6, batch_first=True), (2, 3, 4)) == 2 * 3 * 6


def test_a_run_says_what_it_gave_up_and_ends_in_the_same_digest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["algorithm=topk", "workers=8", "rounds=4", "chunk=2", "threads=2"]
    plain = run(tmp_path / "plain", *options)[1]
    assert plain["fallbacks"] == []
    monkeypatch.setattr(budget, "_held", lambda device: 1e9)
    wanted = needed("topk")
    tight = (wanted.total(1, moved=True) + 1) / 1e9
    made, summary = run(tmp_path / "tight", *options, f"memory_gb={tight!r}")
    assert summary["digest"] == plain["digest"] and made.pool.threads == 1
    assert [line.partition(": ")[2] for line in summary["fallbacks"]] == [
        "state_on=file instead of memory",
        "threads=1 instead of 2",
    ]
    assert json.loads((tmp_path / "tight/summary.json").read_text())["fallbacks"] == summary["fallbacks"]
    print_report(RunFolder(tmp_path / "tight"), summary)
    printed = capsys.readouterr().out
    assert all(f"not as asked for: {line}" in " ".join(printed.split()) for line in summary["fallbacks"])
    with pytest.raises(ValueError, match="memory_gb: expected at least"):
        run(tmp_path / "none", *options, "memory_gb=1.0")


def test_messaging_programs_say_what_they_leave_as_it_is(tmp_path: Path) -> None:
    options = ["algorithm=ssp", "workers=2", "rounds=2"]
    asked, plain = (run(tmp_path / n, *options, *more)[1] for n, more in (("a", ["state_dtype=bf16"]), ("b", [])))
    assert asked["fallbacks"] == ["state_dtype=bf16: the workers of ssp keep their state in memory and in float32"]
    assert asked["digest"] == plain["digest"] and plain["fallbacks"] == []


def test_everybody_who_has_something_to_say_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SimpleNamespace(fallbacks=lambda: ["slow layer", "own"])
    monkeypatch.setattr(fallbacks, "SOURCES", (lambda: ["no kernels"],))
    assert fallbacks.collected(["own"], engine, object()) == ["own", "slow layer", "no kernels"]
