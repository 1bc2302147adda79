"""Speed-ups by hand: geometric means over paired seeds, the baseline by name or label, and who never gets there."""

from __future__ import annotations

import csv

import pytest

from figures import speedup
from figures.__main__ import main
from figures.runs import find_runs


def three(write_run) -> None:
    for seed, base, fast in ((1, 8.0, 1.0), (2, 4.0, 2.0)):
        write_run(f"a{seed}", seed=seed, seconds=(0.0, base, 9.0))
        write_run(f"b{seed}", algorithm="topk", seed=seed, seconds=(0.0, fast, 9.0))
    write_run("c1", algorithm="randomk", accuracy=(0.1, 0.2, 0.3))


def test_bars_by_hand(write_run, tmp_path) -> None:
    three(write_run)
    assert main(["speedup", f"runs={tmp_path}/*", "target=0.5", f"out={tmp_path}/out"]) == 0
    rows = list(csv.DictReader((tmp_path / "out/speedup.csv").read_text().splitlines()))
    assert [(row["group"], row["seeds"]) for row in rows] == [("sgd", "2"), ("topk", "2"), ("randomk", "0")]
    assert float(rows[0]["speedup"]) == 1.0 and rows[2]["speedup"] == ""
    # 8 / 1 and 4 / 2: sqrt(8 x 2) = 4.
    assert [float(rows[1][key]) for key in ("speedup", "low", "high")] == pytest.approx([4.0, 2.0, 8.0])


def test_the_baseline_is_chosen_and_checked(write_run, tmp_path, capsys) -> None:
    three(write_run)
    runs, _ = find_runs([f"{tmp_path}/*"])
    bars = speedup.draw_up(runs, {"target": "0.5", "baseline": "topk"}).bars
    assert {bar.label: bar.mean for bar in bars if bar.ratios} == pytest.approx({"sgd": 0.25, "topk": 1.0})
    command = ["speedup", f"runs={tmp_path}/*", "target=0.5"]
    assert main([*command, "baseline=adam"]) == 1
    assert "baseline: expected one of sgd, topk, randomk, got adam" in capsys.readouterr().err
    assert main([*command, "baseline=randomk"]) == 1
    assert "target: expected one that randomk reaches with every seed" in capsys.readouterr().err
    write_run("d1", algorithm="topk", network="wan")
    assert main(command) == 1
    assert "expected sgd on every network, got none on wan" in capsys.readouterr().err
    write_run("e1", config={"algorithm.momentum": 0.9})
    assert main(["speedup", f"runs={tmp_path}/[abe]1", "target=0.5"]) == 1
    assert "name one of them" in capsys.readouterr().err
