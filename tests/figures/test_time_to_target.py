"""Time to target against bandwidth: times and crossings by hand, and what cannot be put on one line."""

from __future__ import annotations

import csv
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from figures import crossings, time_to_target
from figures.__main__ import main
from figures.reaching import question, recorded
from figures.runs import find_runs
from figures.targets import goal
from tests.figures.sweeps import everywhere, link


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def two(write_run) -> None:
    """Line a: 100 s and 1 s at 1 and 100 Mbit/s. Line b: 10 s at both. Seed 2 takes 3 times as long."""
    for name, slow, fast in (("sgd", 100.0, 1.0), ("topk", 10.0, 10.0)):
        for at, (rate, time) in enumerate(((1e6, slow), (1e8, fast))):
            for seed in (1, 2):
                time_of = time * (1 if seed == 1 else 3)
                settings = link(rate) | {"network.name": f"n{at}"}
                write_run(f"{name}{at}{seed}", algorithm=name, seed=seed, config=settings, seconds=(0.0, time_of, 1e3))


def test_times_are_means_over_seeds_and_the_crossing_lies_on_straight_lines(write_run, tmp_path) -> None:
    two(write_run)
    assert main(["time_to_target", f"runs={tmp_path}/*", "target=0.5", f"out={tmp_path}/out"]) == 0
    rows = rows_of(tmp_path / "out/time_to_target.csv")
    times = [(r["group"], float(r["bandwidth_bps"]), float(r["seconds"]), r["seeds"]) for r in rows[:4]]
    assert times == [("sgd", 1e6, 200, "2"), ("sgd", 1e8, 2, "2"), ("topk", 1e6, 20, "2"), ("topk", 1e8, 20, "2")]
    # log-log: sgd falls by 100 over a factor of 100, so it is at 20 s where the rate is 10 times the first.
    (cross,) = rows[4:]
    assert (cross["kind"], cross["group"], cross["crosses"], cross["how"]) == (
        "crossing",
        "sgd",
        "topk",
        "interpolated",
    )
    assert float(cross["bandwidth_bps"]) == pytest.approx(1e7) and float(cross["seconds"]) == pytest.approx(20)


def test_a_seed_that_never_gets_there_takes_its_group_out_and_is_told(write_run, tmp_path) -> None:
    two(write_run)
    write_run("topk03", algorithm="topk", seed=3, config=link(1e6) | {"network.name": "n0"}, accuracy=(0.1, 0.2, 0.3))
    runs, _ = find_runs([f"{tmp_path}/*"])
    numbers = time_to_target.draw_up(runs, {"target": "0.5"})
    assert np.isinf(numbers.times.seconds[1, 0, 0]) and numbers.times.reached == [2, 2] and numbers.crossings == []
    assert (numbers.times.seeds[1], numbers.times.reached[1]) == (3, 2)


def test_a_crossing_is_solved_where_a_clock_says_so(write_run, tmp_path, monkeypatch) -> None:
    # t1 = 1e8/b + 1, t2 = 10 + 1e6/b: equal where 99e6/b = 9, so b = 11e6 and t = 1e8/11e6 + 1.
    two(write_run)
    asked: list[int] = []

    def clock(questions, network):
        asked.append(len(questions))
        slow = [("sgd" in one.folder.name, one.bandwidth_bps) for one in questions]
        return [1e8 / rate + 1 if sgd else 10 + 1e6 / rate for sgd, rate in slow]

    monkeypatch.setattr("figures.crossings.seconds_at", clock)
    runs, _ = find_runs([f"{tmp_path}/*1"])
    wanted = goal(runs, {"target": "0.5"})
    times = recorded(runs, wanted)
    table = np.array([[[1e8 / b + 1] for b in times.bandwidth_bps], [[10 + 1e6 / b] for b in times.bandwidth_bps]])
    object.__setattr__(times, "seconds", table)
    (found,) = crossings.solved(crossings.interpolated(times), times, wanted, "lan_1g")
    assert found.solved and found.best and found.bandwidth_bps == pytest.approx(11e6, rel=2e-4)
    assert found.seconds == pytest.approx(1e8 / 11e6 + 1, rel=2e-4) and len(asked) < crossings.TURNS
    assert asked[0] == 2 and question(runs[0], wanted, 1e6, None).round == 10


def test_between_is_where_a_line_in_the_logarithm_is_zero() -> None:
    assert crossings.between((1e6, 1.0), (1e8, -1.0)) == pytest.approx(1e7)
    assert crossings.between((1e6, 3.0), (1e8, -1.0)) == pytest.approx(exp(log(1e6) + 0.75 * log(100)))


def test_what_is_not_on_one_line_is_refused(write_run, tmp_path, capsys) -> None:
    everywhere(write_run, algorithms=1, delays=2)
    command = ["time_to_target", "target=0.5", f"out={tmp_path}/out"]
    assert main([*command, f"runs={tmp_path}/*"]) == 1
    assert "expected one latency, got 0.001 s, 0.1 s" in capsys.readouterr().err
    assert main([*command, f"runs={tmp_path}/sgd-1e+06-0.001-1"]) == 1
    assert "expected several bandwidths, got 1e+06 bit/s only" in capsys.readouterr().err
    write_run("other", config=link(5e6) | {"network.loss": 0.01})
    assert main([*command, f"runs={tmp_path}/*"]) == 1
    assert "other network.loss" in capsys.readouterr().err
    write_run("odd", config={"network.up_bps": [1, 2]})
    assert main([*command, f"runs={tmp_path}/odd"]) == 1
    message = capsys.readouterr().err
    assert "odd: expected a network with one up_bps and latency_s" in message and message.count("\n") == 1
    assert main([*command[:1], "target=0.9", f"runs={tmp_path}/sgd*"]) == 1
    assert "target: expected one that some run reaches, got accuracy 0.9; the best is 0.71" in capsys.readouterr().err
    assert main([*command, "network=lan_1g", "bandwidth=1e9:1e6:3", f"runs={tmp_path}/sgd*"]) == 1
    assert "bandwidth: expected first:last:count or a,b,c" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_racy_runs_are_not_retimed(write_run, tmp_path, capsys) -> None:
    write_run("a", algorithm="async_sgd", summary={"racy": True})
    assert main(["time_to_target", f"runs={tmp_path}/a", "network=lan_1g"]) == 1
    message = capsys.readouterr().err
    assert "left out 1 racy" in message and "got racy ones only" in message
