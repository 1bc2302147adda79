"""Compression against accuracy, by hand, and the front."""

from __future__ import annotations

import csv

import pytest

from figures.__main__ import main
from figures.pareto import on_front

# 10 coordinates, batch 32: 640 samples are 20 local steps of some worker, each 40 bytes when dense: 800 bytes.
SENT = {"more": {"samples": (0.0, 320.0, 640.0)}, "summary": {"coordinates": 10}}


def test_ratios_and_the_front_by_hand(write_run, tmp_path) -> None:
    write_run("a1", uplink=(0, 400, 800), downlink=(0, 0, 800), seed=1, accuracy=(0.1, 0.5, 0.8), **SENT)
    write_run("a2", uplink=(0, 400, 800), downlink=(0, 0, 800), seed=2, accuracy=(0.1, 0.5, 0.9), **SENT)
    write_run("b", algorithm="topk", uplink=(0, 50, 100), downlink=(0, 0, 300), accuracy=(0.1, 0.5, 0.84), **SENT)
    write_run("c", algorithm="qsgd", uplink=(0, 100, 200), downlink=(0, 0, 800), accuracy=(0.1, 0.5, 0.83), **SENT)
    assert main(["pareto", f"runs={tmp_path}/*", f"out={tmp_path}/out"]) == 0
    rows = list(csv.reader((tmp_path / "out/pareto.csv").read_text().splitlines()))
    assert rows[0][2] == "uplink_compression"
    told = {row[0]: (row[1], *map(float, row[2:6]), row[6]) for row in rows[1:]}
    assert told["sgd"] == pytest.approx(("2", 1.0, 0.85, 0.8, 0.9, "yes"))
    assert told["topk"] == pytest.approx(("1", 8.0, 0.84, 0.84, 0.84, "yes"))
    assert told["qsgd"] == pytest.approx(("1", 4.0, 0.83, 0.83, 0.83, "no"))  # top-k beats it in both
    assert main(["pareto", f"runs={tmp_path}/?", f"runs={tmp_path}/a?", "x=total", f"out={tmp_path}/out"]) == 0
    rows = list(csv.reader((tmp_path / "out/pareto.csv").read_text().splitlines()))
    assert {row[0]: float(row[2]) for row in rows[1:]} == pytest.approx({"sgd": 1.0, "topk": 4.0, "qsgd": 1.6})


def test_a_loss_counts_downwards(write_run, tmp_path) -> None:
    write_run("a", uplink=(0, 400, 800), loss=(2.0, 1.0, 0.5), **SENT)
    write_run("b", algorithm="topk", uplink=(0, 40, 80), loss=(2.0, 1.0, 0.6), **SENT)
    write_run("c", algorithm="qsgd", uplink=(0, 40, 80), loss=(2.0, 1.0, 0.7), **SENT)
    assert main(["pareto", f"runs={tmp_path}/*", "metric=loss", f"out={tmp_path}/out"]) == 0
    rows = list(csv.DictReader((tmp_path / "out/pareto.csv").read_text().splitlines()))
    assert {row["group"]: row["front"] for row in rows} == {"sgd": "yes", "topk": "yes", "qsgd": "no"}


def test_equal_points_are_both_on_the_front() -> None:
    assert on_front([(1.0, 1.0), (1.0, 1.0), (0.5, 2.0), (0.5, 1.5)]) == [True, True, True, False]


def test_runs_that_do_not_tell_their_size_are_named(write_run, tmp_path, capsys) -> None:
    write_run("a")
    assert main(["pareto", f"runs={tmp_path}/a"]) == 1
    assert f"{tmp_path}/a: expected the model's size, samples and bits sent, got None" in capsys.readouterr().err
