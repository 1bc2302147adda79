"""Points of a grid: the clock of `retime` at each, and one line for what cannot be played."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.grid import Point, read_points, seconds_at
from simulator.records.folder import RunFolder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SGD and top-k on a quadratic, and an asynchronous run."""
    folder = tmp_path_factory.mktemp("grid")
    small = ["task=quadratic", "model=softmax", "workers=2", "rounds=4", "eval_every=2", "progress=false"]
    command = [sys.executable, "-m", "simulator", "-m", "algorithm=sgd,topk,async_sgd", *small]
    done = subprocess.run([*command, f"hydra.sweep.dir={folder}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run_of(runs: Path, name: str) -> Path:
    folders = (path.parent for path in runs.glob("*/summary.json"))
    (found,) = (folder for folder in folders if RunFolder(folder).read_config()["algorithm"]["name"] == name)
    return found


def test_points_are_what_retiming_gives(runs, tmp_path) -> None:
    run = run_of(runs, "topk")
    out = tmp_path / "again"
    where = ["network=wan_100m", "network.up_bps=5e6", "network.down_bps=5e6", "network.latency_s=0.02"]
    command = [sys.executable, "-m", "simulator.retime", f"run={run}", *where, f"hydra.run.dir={out}"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    expected = RunFolder(out / "wan_100m").read_table("timeline")["seconds"].to_pylist()
    points = [Point(str(run), t, 5e6, 0.02) for t in (4, 2)]
    assert seconds_at(points, "wan_100m", []) == pytest.approx([expected[1], expected[0]], rel=1e-12)
    own = RunFolder(run).read_table("timeline")["seconds"].to_pylist()
    assert seconds_at([Point(str(run), 4, None, None)], None, []) == pytest.approx([own[-1]], rel=1e-12)


def test_the_command_answers_in_the_order_asked(runs, tmp_path) -> None:
    lines = [("run", "round", "bandwidth_bps", "latency_s")]
    lines += [(str(run_of(runs, name)), 4, rate, "") for rate in (1e6, 1e9) for name in ("topk", "sgd")]
    with (tmp_path / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    command = [sys.executable, "-m", "simulator.grid", f"points={tmp_path}/points.csv", f"out={tmp_path}/out.csv"]
    done = subprocess.run([*command, "network=lan_1g"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], float(row["bandwidth_bps"])) for row in rows] == [(line[0], line[2]) for line in lines[1:]]
    slow, _, fast, _ = (float(row["seconds"]) for row in rows)
    assert slow > fast > 0


@pytest.mark.parametrize(
    ("name", "t", "network", "told"),
    [
        ("async_sgd", 4, "lan_1g", "time has not touched"),
        ("sgd", 3, "lan_1g", "expected one that was evaluated in .*, got 3"),
        ("sgd", 4, "torus", "expected one whose links have one bandwidth"),
    ],
)
def test_what_cannot_be_played_is_told(runs, name, t, network, told) -> None:
    with pytest.raises(ValueError, match=told):
        seconds_at([Point(str(run_of(runs, name)), t, 1e6, None)], network, [])


def test_points_that_are_none_are_told(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("run,round\nx,1\n")
    with pytest.raises(ValueError, match="points: expected columns run, round, bandwidth_bps, latency_s"):
        read_points(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("run,round,bandwidth_bps,latency_s\nx,one,1,\n")
    with pytest.raises(ValueError, match="points: expected numbers in line 2"):
        read_points(tmp_path / "b.csv")
