"""The results table, by hand."""

from __future__ import annotations

from figures.__main__ import main
from figures.runs import read_run
from figures.table import tabulate


def test_a_row_holds_means_over_seeds(write_run) -> None:
    runs = [
        read_run(write_run(f"s{seed}", seed=seed, accuracy=(0.1, 0.5, last), seconds=(0.0, 1.0, end)))
        for seed, last, end in ((1, 0.6, 2.0), (2, 0.7, 4.0), (3, 0.8, 6.0))
    ]
    results = tabulate(runs, {"target": "0.55"})
    # 2,000 bytes over 2 workers and 20 rounds = 50 bytes = 5e-05 MB.
    assert results.rows == (("sgd", "lan", "3", "70.00 ± 10.00", "5e-05", "4", "4"),)
    assert results.header[-1] == "time to 55 % (s)"


def test_the_default_target_is_reached_by_all(write_run) -> None:
    runs = [
        read_run(write_run("a", algorithm="topk", accuracy=(0.1, 0.689, 0.68), seconds=(0.0, 1.0, 2.0))),
        read_run(write_run("b", accuracy=(0.1, 0.5, 0.9), seconds=(0.0, 10.0, 20.0))),
    ]
    results = tabulate(runs)
    assert results.header[-1] == "time to 68 % (s)"
    assert [(row[0], row[3], row[-1]) for row in results.rows] == [("topk", "68.00", "1"), ("sgd", "90.00", "20")]


def test_a_target_missed_by_some_seeds_says_so(write_run) -> None:
    runs = [
        read_run(write_run("a", seed=1, accuracy=(0.1, 0.5, 0.7))),
        read_run(write_run("b", seed=2, accuracy=(0.1, 0.5, 0.6))),
        read_run(write_run("c", algorithm="topk", accuracy=(0.1, 0.2, 0.3))),
    ]
    assert [row[-1] for row in tabulate(runs, {"target": "0.65"}).rows] == ["2 (1 of 2 seeds)", "not reached"]


def test_a_task_without_accuracy_is_compared_by_loss(write_run) -> None:
    nothing = (None, None, None)
    runs = [
        read_run(write_run("a", accuracy=nothing, loss=(2.0, 0.25, 0.0123))),
        read_run(write_run("b", algorithm="topk", accuracy=nothing, loss=(2.0, 0.5, 0.0104))),
    ]
    results = tabulate(runs)
    assert results.header[3] == "final loss" and results.header[-1] == "time to loss 0.013 (s)"
    assert [(row[3], row[-1]) for row in results.rows] == [("0.0123", "2"), ("0.0104", "2")]


def test_networks_are_rows_and_the_table_can_be_saved(write_run, tmp_path, capsys) -> None:
    write_run("a", network="lan")
    write_run("b", network="wan", seconds=(0.0, 10.0, 20.0))
    assert main(["table", f"runs={tmp_path}/*", "target=0.5", f"out={tmp_path}/out"]) == 0
    printed = capsys.readouterr().out
    assert "| sgd | lan | 1 | 70.00 | 5e-05 | 2 | 1 |\n| sgd | wan | 1 | 70.00 | 5e-05 | 20 | 10 |\n" in printed
    assert (tmp_path / "out/table.md").read_text() == printed
    assert (tmp_path / "out/table.csv").read_text().splitlines()[2] == "sgd,wan,1,70.00,5e-05,20,10"


def test_a_terminal_gets_a_drawn_table(write_run, tmp_path, capsys) -> None:
    write_run("a")
    assert main(["table", f"runs={tmp_path}/*", "format=rich"]) == 0
    printed = capsys.readouterr().out
    assert "┏" in printed and "sgd" in printed
