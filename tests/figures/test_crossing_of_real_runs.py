"""A crossing that a figure solves, against the break-even that the answers find: two searches, one number."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from figures.__main__ import main


def said(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_figure_and_the_answer_agree(tmp_path: Path) -> None:
    small = ["model=softmax", "workers=2", "rounds=150", "eval_every=10", "progress=false", "algorithm=sgd,randomk"]
    said("simulator", "-m", *small, f"hydra.sweep.dir={tmp_path}/runs")
    common = ["metric=loss", "target=0.8", "network=wan_10m"]
    (first, second) = sorted((tmp_path / "runs").glob("*/summary.json"))
    asked = [f"a={first.parent}", f"b={second.parent}", *common, f"out={tmp_path}/answer.csv", "low=1e5", "high=1e9"]
    said("simulator.answers", "break_even", *asked)
    with (tmp_path / "answer.csv").open() as file:
        (answer,) = list(csv.DictReader(file))
    options = [*common, "bandwidth=1e5:1e9:9", f"out={tmp_path}/figures"]
    assert main(["time_to_target", f"runs={tmp_path}/runs/*", *options]) == 0
    with (tmp_path / "figures/time_to_target.csv").open() as file:
        (crossing,) = [row for row in csv.DictReader(file) if row["kind"] == "crossing"]
    assert crossing["how"] == "solved"
    assert float(crossing["bandwidth_bps"]) == pytest.approx(float(answer["network.up_bps (bit/s)"]), rel=2e-3)
