"""What a sweep shows while it runs, and what its status tells afterwards."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from filelock import FileLock
from rich.console import Console

from simulator.sweeping import watch
from simulator.sweeping.failure import write_failure
from simulator.sweeping.folder import Job, SweepFolder
from simulator.sweeping.watch import Watch
from tests.simulator.conftest import Command

SUMMARY = {
    "complete": True, "final_accuracy": 0.5, "final_loss": 1.0, "simulated_seconds": 2.0, "uplink_wire_bytes": 3000,
    "downlink_wire_bytes": 4000, "digest": "0123456789abcdef0123",
}  # fmt: skip


def begin(folder: Path, done: int, rounds: int = 100) -> None:
    """Leave what a run leaves that has reached a checkpoint after `done` rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"rounds": rounds}))
    pq.write_table(pa.table({"round": [done // 2, done]}), folder / "metrics.parquet")


def finish(folder: Path) -> None:
    begin(folder, 100)
    (folder / "summary.json").write_text(json.dumps(SUMMARY))


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the clock: the one entry is what it shows, in seconds."""
    now = [0.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(watch, "_EVERY_S", 1e6)  # the test looks, not the thread
    return now


def test_the_time_left_is_estimated_over_all_jobs(
    tmp_path: Path, minutes: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    begin(tmp_path / "resumed", 50)
    with Watch(SweepFolder(tmp_path), dict.fromkeys(("a", "b", "c", "resumed"), 100), shown=True) as seen:
        finish(tmp_path / "a")
        begin(tmp_path / "b", 25)
        begin(tmp_path / "resumed", 75)
        minutes[0] = 90.0
        seen.look()
        out, err = capsys.readouterr()
        assert out == "a: accuracy 50.00%, simulated 2 s, up 3 kB, down 4 kB, digest 0123456789abcdef\n"
        # 1 + 1/4 + 3/4 of 4 jobs are done, 3/2 of them in the last 90 s: 2 more take 120 s
        assert err == "sweep: 1/4 jobs, about 2 min left\n"
        write_failure(tmp_path / "c", ValueError("no luck"), ["seed=3"])
        minutes[0] = 100.0
        seen.look()
        out, err = capsys.readouterr()
        assert err == "error: c: no luck\n"  # no line for the display: the last one is not a minute old


def test_progress_false_silences_the_display_and_nothing_else(
    tmp_path: Path, minutes: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Watch(SweepFolder(tmp_path), {"a": 100, "b": 100}, shown=False) as seen:
        finish(tmp_path / "a")
        minutes[0] = 1000.0
        seen.look()
    out, err = capsys.readouterr()
    assert out.startswith("a: accuracy") and err == ""


def test_a_terminal_gets_one_bar_for_all_jobs(
    tmp_path: Path, minutes: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(watch, "Console", lambda **_: terminal)
    with Watch(SweepFolder(tmp_path), {"a": 100, "b": 100}, shown=True) as seen:
        begin(tmp_path / "a", 50)
        minutes[0] = 10.0
        seen.look()
        seen._bar.refresh()
    assert "0/2 jobs, about 30 s left" in screen.getvalue()


def test_the_status_of_every_kind_of_job(tmp_path: Path, command: Command) -> None:
    folder = SweepFolder(tmp_path)
    names = ("done", "failed", "half", "busy", "later")
    folder.plan({name: Job("0", ["seed=1"]) for name in names})
    finish(tmp_path / "done")
    begin(tmp_path / "half", 40)
    begin(tmp_path / "busy", 60)
    write_failure(tmp_path / "failed", ValueError("algorithm.lr: expected a positive learning rate, got -1"), [])
    (tmp_path / ".locks").mkdir()
    with FileLock(tmp_path / ".locks" / "busy.lock"):
        code, out, _ = command("simulator.sweeping", "status", str(tmp_path))
    first, *lines = out.splitlines()
    assert code == 0
    assert first == f"5 jobs in {tmp_path}: 1 finished, 1 failed, 1 running, 1 half-written, 1 not begun"
    assert lines[0] == "running       busy, 60 of 100 rounds"
    assert lines[1].startswith("failed        failed: algorithm.lr: expected a positive learning rate, got -1 (20")
    assert lines[2] == "half-written  half, 40 of 100 rounds"


def test_status_of_no_sweep(tmp_path: Path, command: Command) -> None:
    for arguments, told in (
        (["status", str(tmp_path / "nowhere")], "nowhere, which does not exist"),
        (["status", str(tmp_path)], "which holds no job"),
        (["state"], "arguments: expected status <folder of a sweep>, got state"),
        ([], "got nothing"),
    ):
        code, _, err = command("simulator.sweeping", *arguments)
        assert code == 1 and told in err and len(err.splitlines()) == 1
    (tmp_path / "jobs.json").write_text("[1, 2")
    code, _, err = command("simulator.sweeping", "status", str(tmp_path))
    assert code == 1 and "expected a whole" in err


def test_a_damaged_failure_note_does_not_hide_the_job(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "failed.json").write_text("{")
    standing = SweepFolder(tmp_path).standing("job")
    assert standing.state == "failed" and "damaged failed.json" in standing.why
