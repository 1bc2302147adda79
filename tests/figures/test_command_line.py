"""The command line: what it accepts, what it refuses and how it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from figures.__main__ import main
from figures.charts import CHARTS

ROOT = Path(__file__).resolve().parents[2]


def refuse(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command line, which must fail with one line on stderr, and give that line."""
    assert main(arguments) != 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_an_unknown_name_lists_the_known_ones(capsys) -> None:
    message = refuse(capsys, "accuracy_vs_moon", "runs=x")
    assert "'accuracy_vs_moon'" in message
    assert all(name in message for name in (*CHARTS, "table"))
    assert "accuracy_vs_bits" in refuse(capsys)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["accuracy_vs_bits"], ["runs", "got none"]),
        (["accuracy_vs_bits", "nonsense"], ["nonsense", "key=value"]),
        (["accuracy_vs_bits", "runs=a", "colour=red"], ["colour", "expected one of runs", "colour=red"]),
        (["accuracy_vs_bits", "runs=a", "out=b", "out=c"], ["out", "once", "b and c"]),
        (["accuracy_vs_bits", "runs=a", "cache=maybe"], ["cache", "on, off", "maybe"]),
        (["table", "runs=a", "scale=log"], ["scale", "target"]),
        (["accuracy_vs_bits", "runs=/nowhere/*"], ["runs='/nowhere/*'", "matches nothing"]),
    ],
)
def test_bad_arguments_are_named(capsys, arguments, parts) -> None:
    message = refuse(capsys, *arguments)
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize(
    ("name", "option", "parts"),
    [
        ("accuracy_vs_bits", "x=sideways", ["x", "uplink, total, paper", "sideways"]),
        ("accuracy_vs_time", "x=paper", ["x", "seconds", "paper"]),
        ("accuracy_vs_time", "scale=cubic", ["scale", "log, linear", "cubic"]),
        ("accuracy_vs_time", "band=rubber", ["band", "minmax, std", "rubber"]),
        ("table", "target=high", ["target", "number", "high"]),
        ("table", "target=75", ["target", "between 0 and 1", "75"]),
        ("table", "format=html", ["format", "markdown", "html"]),
    ],
)
def test_bad_values_are_named_and_nothing_is_written(write_run, tmp_path, capsys, name, option, parts) -> None:
    write_run("a")
    message = refuse(capsys, name, f"runs={tmp_path}/a", option, f"out={tmp_path}/out")
    assert [part for part in parts if part not in message] == []
    assert not (tmp_path / "out").exists()


def test_half_written_runs_are_left_out_with_one_warning(write_run, tmp_path, capsys) -> None:
    write_run("good")
    (write_run("killed", seed=2) / "summary.json").unlink()
    write_run("stopped", seed=3, summary={"complete": False})
    (write_run("torn", seed=4) / "metrics.parquet").write_bytes(b"PAR1 torn")
    (tmp_path / "empty").mkdir()
    (tmp_path / "multirun.yaml").write_text("{}")
    assert main(["accuracy_vs_bits", f"runs={tmp_path}/*", f"out={tmp_path}/out"]) == 0
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1 and warning.startswith("figures: warning: left out 4")
    assert all(name in warning for name in ("killed (no summary.json)", "stopped", "torn", "empty"))
    assert "multirun" not in warning and "good" not in warning
    assert "sgd,1," in (tmp_path / "out/accuracy_vs_bits.csv").read_text()


def test_no_complete_run_at_all_is_an_error(write_run, tmp_path, capsys) -> None:
    (write_run("killed") / "summary.json").unlink()
    message = refuse(capsys, "accuracy_vs_bits", f"runs={tmp_path}/*")
    assert "at least one complete run" in message and "killed" in message


def test_two_stars_descend_past_sweeps_and_checkpoints(write_run, tmp_path, capsys) -> None:
    run = write_run("sweep/10/deep")
    (run / "checkpoints").mkdir()
    write_run("sweep/9", seed=2)
    assert main(["table", f"runs={tmp_path}/**"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "" and "| sgd | lan | 2 |" in captured.out


def test_mixed_tasks_are_refused_by_name(write_run, tmp_path, capsys) -> None:
    write_run("a", task="mnist")
    write_run("b", task="quadratic")
    message = refuse(capsys, "loss_vs_bits", f"runs={tmp_path}/*")
    assert "mnist" in message and "quadratic" in message and "one task" in message


def test_a_task_without_accuracy_and_a_paper_without_formula_are_told(write_run, tmp_path, capsys) -> None:
    run = write_run("a", accuracy=(None, None, None), paper=(None, None, None))
    assert f"{run}: expected a finite accuracy" in refuse(capsys, "accuracy_vs_bits", f"runs={run}")
    assert "uplink_paper_bits_per_worker" in refuse(capsys, "loss_vs_bits", f"runs={run}", "x=paper")


def test_equal_copies_count_once_and_unequal_ones_are_refused(write_run, tmp_path, capsys) -> None:
    write_run("a")
    write_run("b")
    assert main(["accuracy_vs_bits", f"runs={tmp_path}/*", f"out={tmp_path}/out"]) == 0
    assert ",sgd,1," in (tmp_path / "out/accuracy_vs_bits.csv").read_text()
    capsys.readouterr()
    write_run("c", accuracy=(0.1, 0.5, 0.71))
    message = refuse(capsys, "accuracy_vs_bits", f"runs={tmp_path}/[abc]")
    assert f"{tmp_path}/a and {tmp_path}/c" in message and "seed 1" in message


def test_contradicting_files_are_named(write_run, tmp_path, capsys) -> None:
    run = write_run("a")
    pq.write_table(pa.table({"round": [0, 10, 21], "seconds": [0.0, 1.0, 2.0]}), run / "timeline.parquet")
    assert "different marks" in refuse(capsys, "table", f"runs={run}")
    pq.write_table(pa.table({"round": [0, 10, 20]}), run / "timeline.parquet")
    assert "timeline.parquet has no column seconds" in refuse(capsys, "table", f"runs={run}")


def test_the_module_runs_and_ends_with_its_exit_code(write_run, tmp_path) -> None:
    write_run("a")
    command = [sys.executable, "-m", "figures", "table", f"runs={tmp_path}/*", "cache=off"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("| algorithm | network |")
    assert subprocess.run([*command[:3], "nothing"], cwd=ROOT, capture_output=True, timeout=60).returncode == 1
