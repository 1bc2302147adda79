"""Golden numbers: what the CSV holds, worked out by hand from the runs of `conftest.py`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from figures.__main__ import main


@pytest.fixture(autouse=True)
def _blank_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are what is tested here; drawing would take most of the time."""
    monkeypatch.setattr("figures.drawing.draw", lambda *_: Figure())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def plot(tmp_path: Path, name: str, *options: str) -> list[dict[str, str]]:
    assert main([name, f"runs={tmp_path}/*", f"out={tmp_path}/out", *options]) == 0
    return rows_of(tmp_path / "out" / f"{name}.csv")


def test_csv_against_bits_holds_bits_per_worker(write_run, tmp_path) -> None:
    write_run("a")
    assert main(["accuracy_vs_bits", f"runs={tmp_path}/*", f"out={tmp_path}/out"]) == 0
    # 1,000 bytes over 2 workers = 4,000 bits each; the mark at 0 bits has no place on a logarithmic axis.
    assert (tmp_path / "out/accuracy_vs_bits.csv").read_text() == (
        "panel,group,seeds,band,round,uplink_wire_bits_per_worker,accuracy_mean,accuracy_low,accuracy_high\n"
        ",sgd,1,minmax,10,4000.0,0.5,0.5,0.5\n"
        ",sgd,1,minmax,20,8000.0,0.7,0.7,0.7\n"
    )


@pytest.mark.parametrize(
    ("choice", "column", "expected"),
    [
        ("uplink", "uplink_wire_bits_per_worker", [0.0, 4000.0, 8000.0]),
        ("total", "total_wire_bits_per_worker", [0.0, 20000.0, 40000.0]),
        ("paper", "uplink_paper_bits_per_worker", [0.0, 3000.0, 6000.0]),
    ],
)
def test_x_chooses_which_bits_are_counted(write_run, tmp_path, choice, column, expected) -> None:
    write_run("a")
    rows = plot(tmp_path, "loss_vs_bits", f"x={choice}", "scale=linear")
    assert [float(row[column]) for row in rows] == expected
    assert [float(row["loss_mean"]) for row in rows] == [2.3, 1.0, 0.5]


def test_rounds_lie_across_without_a_second_column(write_run, tmp_path) -> None:
    write_run("a")
    rows = plot(tmp_path, "accuracy_vs_rounds")
    assert list(rows[0])[4:] == ["round", "accuracy_mean", "accuracy_low", "accuracy_high"]
    assert [row["round"] for row in rows] == ["0", "10", "20"]


def test_seeds_make_a_mean_and_a_minmax_band(write_run, tmp_path) -> None:
    for seed, last in ((1, 0.6), (2, 0.7), (3, 0.95)):
        write_run(f"s{seed}", seed=seed, accuracy=(0.1, 0.5, last), seconds=(0.0, 1.0, float(seed)))
    rows = plot(tmp_path, "accuracy_vs_time")
    assert [row["seeds"] for row in rows] == ["3", "3"]
    last = {key: float(rows[-1][f"accuracy_{key}"]) for key in ("mean", "low", "high")}
    assert last == pytest.approx({"mean": 0.75, "low": 0.6, "high": 0.95})
    assert float(rows[-1]["simulated_seconds"]) == 2.0  # the mean clock of that round
    assert rows[-1]["panel"] == "lan"


def test_the_std_band_is_one_sample_standard_deviation_wide(write_run, tmp_path) -> None:
    for seed, last in ((1, 0.6), (2, 0.7), (3, 0.8)):
        write_run(f"s{seed}", seed=seed, accuracy=(0.1, 0.5, last))
    row = plot(tmp_path, "accuracy_vs_rounds", "band=std")[-1]
    assert [float(row[f"accuracy_{key}"]) for key in ("mean", "low", "high")] == pytest.approx([0.7, 0.6, 0.8])
    assert row["band"] == "std"


def test_seeds_with_other_marks_meet_at_common_rounds(write_run, tmp_path) -> None:
    write_run("a", seed=1, rounds=(0, 10, 20), accuracy=(0.0, 0.4, 0.8))
    write_run("b", seed=2, rounds=(4, 8, 20), accuracy=(0.4, 0.4, 0.4), config={"rounds": 20})
    rows = plot(tmp_path, "accuracy_vs_rounds")
    assert [row["round"] for row in rows] == ["4", "8", "10", "20"]
    # Seed 1 on its straight lines: 0.16, 0.32, 0.4, 0.8; seed 2 always 0.4.
    assert [float(row["accuracy_mean"]) for row in rows] == pytest.approx([0.28, 0.36, 0.4, 0.6])


def test_marks_without_an_accuracy_are_left_out(write_run, tmp_path) -> None:
    write_run("a", accuracy=(0.1, None, 0.7))
    assert [row["round"] for row in plot(tmp_path, "accuracy_vs_rounds")] == ["0", "20"]


def test_networks_get_a_panel_each_in_time_and_share_a_line_in_bits(write_run, tmp_path) -> None:
    write_run("a", network="lan", seconds=(0, 1, 2))
    write_run("b", network="wan", seconds=(0, 10, 20))
    times = plot(tmp_path, "accuracy_vs_time", "scale=linear")
    assert [(row["panel"], row["group"], float(row["simulated_seconds"])) for row in times] == [
        ("lan", "sgd", 0.0),
        ("lan", "sgd", 1.0),
        ("lan", "sgd", 2.0),
        ("wan", "sgd", 0.0),
        ("wan", "sgd", 10.0),
        ("wan", "sgd", 20.0),
    ]
    bits = plot(tmp_path, "accuracy_vs_bits")
    assert [(row["group"], row["seeds"]) for row in bits] == [("sgd", "1")] * 2


def test_a_racy_method_keeps_a_line_for_each_network(write_run, tmp_path) -> None:
    write_run("a", network="lan", algorithm="async_sgd", accuracy=(0.1, 0.5, 0.7))
    write_run("b", network="wan", algorithm="async_sgd", accuracy=(0.1, 0.4, 0.6))
    write_run("c", network="lan")
    write_run("d", network="wan")
    groups = list(dict.fromkeys(row["group"] for row in plot(tmp_path, "accuracy_vs_bits")))
    assert groups == ["async_sgd, lan", "async_sgd, wan", "sgd"]
