"""Throughput against workers, by hand."""

from __future__ import annotations

import csv

import pytest

from figures.__main__ import main


def test_throughput_and_efficiency_by_hand(write_run, tmp_path) -> None:
    for workers, end in ((2, 1.0), (4, 1.0), (8, 4.0)):
        more = {"samples": (0.0, 40.0 * workers, 80.0 * workers)}
        write_run(f"w{workers}", workers=workers, seconds=(0.0, end / 2, end), more=more)
    write_run("s2", seed=2, workers=4, seconds=(0.0, 1.0, 2.0), more={"samples": (0.0, 160.0, 320.0)})
    write_run("alone", algorithm="topk", more={"samples": (0.0, 1.0, 2.0)})
    assert main(["scaling", f"runs={tmp_path}/*", f"out={tmp_path}/out"]) == 0
    rows = list(csv.DictReader((tmp_path / "out/scaling.csv").read_text().splitlines()))
    # 160 samples in 1 s; 320 in 1 and in 2 s; 640 in 4 s. Ideal from 2 workers: 160, 320, 640 a second.
    assert [(row["group"], row["workers"], row["seeds"]) for row in rows] == [
        ("sgd", "2", "1"), ("sgd", "4", "2"), ("sgd", "8", "1")
    ]  # fmt: skip
    assert [float(row["samples_per_s_mean"]) for row in rows] == pytest.approx([160, 240, 160])
    assert [float(row["samples_per_s_low"]) for row in rows] == pytest.approx([160, 160, 160])
    assert [float(row["efficiency"]) for row in rows] == pytest.approx([1, 0.75, 0.25])


def test_one_number_of_workers_or_no_samples_are_told(write_run, tmp_path, capsys) -> None:
    write_run("a", more={"samples": (0.0, 1.0, 2.0)})
    assert main(["scaling", f"runs={tmp_path}/a"]) == 1
    assert "expected one setting with several numbers of workers, got 2" in capsys.readouterr().err
    write_run("b", workers=4)
    assert main(["scaling", f"runs={tmp_path}/[ab]"]) == 1
    assert "expected samples and simulated time, got nan" in capsys.readouterr().err
