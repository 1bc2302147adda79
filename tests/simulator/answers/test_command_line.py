"""``python -m simulator.answers``: every question asked of real runs, and one clear line for each mistake."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simulator.answers.commands import NAMES
from simulator.answers.table import Answer, AtLeast
from tests.running import run
from tests.simulator.conftest import Command

MODULE = "simulator.answers"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two algorithms and two seeds of a task with an accuracy, a racy run of it, and a task without."""
    folder = tmp_path_factory.mktemp("runs")
    toy = ["task=logistic", "workers=4", "rounds=20", "eval_every=5"]
    for algorithm in ("sgd", "topk"):
        for seed in (1, 2):
            run(folder / f"{algorithm}-{seed}", f"algorithm={algorithm}", f"seed={seed}", *toy)
    run(folder / "racy", "algorithm=async_sgd", *toy)
    run(folder / "other", "algorithm=sgd", "workers=4", "rounds=4", "eval_every=2")
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("name", "given", "rows"),
    [
        ("targets", ["runs={}/sgd-*", "runs={}/topk-*", "target=0.7"], 2),
        ("targets", ["runs={}/*-*", "target=0.7", "network=lte,racks", "compute.device=phone", "horizon=auto"], 4),
        ("targets", ["runs={}/racy", "target=0.7", "bits=total", "count=entropy"], 1),
        ("targets", ["runs={}/other", "target=1e9", "metric=loss", "interpolate=true"], 1),
        ("best", ["runs={}/*-*", "runs={}/racy", "target=0.7"], 1),
        ("best", ["runs={}/*-*", "target=0.7", "network=lte,wifi,racks"], 3),
        ("best", ["runs={}/*-*", "target=0.7", "bandwidth=1 Mbit/s:1 Gbit/s:3", "latency=1 ms,10 ms"], 6),
        ("best", ["runs={}/*-*", "target=0.7", "network=racks", "bandwidth=0.1,1"], 2),
        ("break_even", ["a={}/sgd-*", "b={}/topk-*", "target=0.7", "network=wan_10m"], 2),
        ("break_even", ["a={}/sgd-1", "b={}/topk-1", "target=0.7", "key=network.latency_s", "high=10 s"], 1),
        ("utilisation", ["runs={}/sgd-*", "share=0.0001", "network.latency_s=0"], 2),
        ("cost", ["runs={}/*-*", "target=0.7", "worker_hour=1", "network=lte"], 48),
        ("cost", ["runs={}/racy", "compute_w=100"], 6),
        ("sensitivity", ["runs={}/topk-1", "network=lte,wifi", "target=0.7"], 10),
    ],
)
def test_every_question_is_answered(
    runs: Path, tmp_path: Path, command: Command, name: str, given: list[str], rows: int
) -> None:
    target = tmp_path / "new" / "answer.csv"
    code, out, err = command(MODULE, name, *(one.format(runs) for one in given), f"out={target}")
    assert code == 0, err
    found = table(target)
    assert len(found) == rows and len(out.splitlines()) >= rows + 2 and not err


def test_the_figures_of_a_table_are_those_of_the_runs(runs: Path, tmp_path: Path, command: Command) -> None:
    from simulator.answers.runs import Finished

    target = tmp_path / "answer.csv"
    command(MODULE, "targets", f"runs={runs}/topk-*", "target=0.7", f"out={target}")
    (row,) = table(target)
    both = [Finished.read(runs / f"topk-{seed}") for seed in (1, 2)]
    first = [next(at for at, value in enumerate(one.column("accuracy")) if value >= 0.7) for one in both]
    seconds = [float(one.seconds[at]) for one, at in zip(both, first, strict=True)]
    bits = [8 * float(one.column("uplink_wire_bytes")[at]) for one, at in zip(both, first, strict=True)]
    assert float(row["time mean"]) == pytest.approx(sum(seconds) / 2, rel=1e-12)
    assert float(row["uplink mean"]) == sum(bits) / 2 and row["seeds"] == row["reached"] == "2"
    command(MODULE, "cost", f"runs={runs}/topk-1", "worker_hour=3600", "gb_up=1e9", f"out={target}")
    paid = {row["part"]: float(row["cost"]) for row in table(target)}
    assert (
        paid["workers"] == pytest.approx(4 * both[0].seconds[-1])
        and paid["up"] == both[0].column("uplink_wire_bytes")[-1]
    )
    command(MODULE, "cost", f"runs={runs}/topk-1", "worker_hour=3600", "network.latency_s=1", f"out={target}")
    away = {row["part"]: float(row["cost"]) for row in table(target)}
    assert away["workers"] > 4 * 20 * 4  # a path takes two links, and a round two ways


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("target", [], "name: expected one of targets, best, break_even, utilisation, cost, sensitivity, got 'target'"),
        ("targets", [], "runs: expected a pattern of run folders"),
        ("targets", ["runs={}/no*", "target=0.7"], "matches nothing"),
        ("targets", ["runs={}/sgd-1"], "target: expected a value to reach"),
        ("targets", ["runs={}/sgd-1", "target=high"], "target: expected a number, got 'high'"),
        ("targets", ["runs={}/sgd-1", "target=0.7", "metric=f1"], "metric: expected one of accuracy"),
        ("targets", ["runs={}/sgd-1", "target=0.7", "metric=bleu"], "has no bleu"),
        ("targets", ["runs={}/sgd-1", "target=0.999"], "target: expected accuracy that a run reaches, got 0.999"),
        ("targets", ["runs={}/*", "target=0.7"], "runs: expected one task, got "),
        ("targets", ["runs={}/sgd-1", "target=0.7", "tagret=1"], "tagret: expected one of runs, target"),
        ("targets", ["runs={}/sgd-1", "target=0.7", "target=0.8"], "target: expected once"),
        ("targets", ["runs={}/sgd-1", "target"], "arguments: expected key=value, got 'target'"),
        ("targets", ["runs={}/sgd-1", "target=0.7", "interpolate=yes"], "interpolate: expected true or false"),
        ("targets", ["runs={}/sgd-1", "target=0.7", "network=nosuch"], "nosuch"),
        ("targets", ["runs={}/racy", "target=0.7", "network=lte"], "got a racy one (ReceiveAny"),
        (
            "targets",
            ["runs={}/sgd-1", "target=0.7", "network.workers=3"],
            "network.workers: expected workers=4, got 3",
        ),
        (
            "targets",
            ["runs={}/sgd-1", "target=0.7", "confidence=95"],
            "confidence: expected a probability in (0, 1), got 95",
        ),
        ("best", ["runs={}/*-*", "target=0.7", "network=lte,wifi", "latency=1 ms"], "network: expected one"),
        ("best", ["runs={}/*-*", "target=0.7", "bandwidth=1:2"], "bandwidth: expected figures as 1,2,5 or low:high"),
        ("best", ["runs={}/*-*", "target=0.7", "network=racks", "bandwidth=1 Mbit/s"], "network.rate_factor is turned"),
        ("break_even", ["a={}/sgd-1", "target=0.7"], "b: expected a pattern"),
        ("break_even", ["a={}/*-*", "b={}/topk-1", "target=0.7"], "a: expected runs of one configuration, got sgd"),
        ("break_even", ["a={}/sgd-1", "b={}/topk-2", "target=0.7"], "a, b: expected runs of the same seeds"),
        ("break_even", ["a={}/sgd-1", "b={}/topk-1", "target=0.7", "key=workers"], "key: expected one of network"),
        ("break_even", ["a={}/sgd-1", "b={}/topk-1", "target=0.7", "low=1e12"], "low, high: expected 0 < low < high"),
        ("utilisation", ["runs={}/sgd-1", "share=90"], "share: expected a share of time in (0, 1), got 90"),
        ("cost", ["runs={}/sgd-1"], "prices: expected one of worker_hour"),
        ("cost", ["runs={}/sgd-1", "gb_up=cheap"], "gb_up: expected a number, got 'cheap'"),
    ],
)
def test_mistakes_are_told_in_one_line(runs: Path, command: Command, name: str, given: list[str], told: str) -> None:
    code, out, err = command(MODULE, name, *(one.format(runs) for one in given))
    assert code == 1 and told in err and "Traceback" not in err and not out
    assert name == "targets" and "network=nosuch" in given or err.count("\n") == 1


def test_two_runs_on_different_networks_are_not_compared(runs: Path, tmp_path: Path, command: Command) -> None:
    run(tmp_path / "far", "task=logistic", "workers=4", "rounds=20", "eval_every=5", "network=lte")
    given = [f"a={runs}/topk-1", f"b={tmp_path}/far", "target=0.7"]
    code, _, err = command(MODULE, "break_even", *given)
    assert code == 1 and "network.down_bps (" in err and "expected one for all runs, got two in " in err
    assert command(MODULE, "break_even", *given, "network=lte")[0] == 0


@pytest.mark.parametrize("name", NAMES)
def test_help_lists_the_keys(command: Command, name: str) -> None:
    code, out, _ = command(MODULE, name, "help")
    assert code == 0 and f"``{name}``" in out and ("  a: " if name == "break_even" else "  runs: ") in out
    assert command(MODULE, "help")[0] == 0


def test_a_table_tells_bounds() -> None:
    made = Answer(("who", "time (s)"), [("a", 1.23456), ("b", AtLeast(2)), ("c", None), ("d", float("nan"))])
    assert [line.split() for line in made.text().splitlines()[2:]] == [
        ["a", "1.235"],
        ["b", "≥", "2"],
        ["c", "-"],
        ["d", "-"],
    ]
    assert made.csv().splitlines() == [
        "who,time (s),time (s) is a lower bound",
        "a,1.23456,False",
        "b,2.0,True",
        "c,,False",
        "d,,False",
    ]
