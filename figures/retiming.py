"""Ask the simulator when runs would be after a round on other networks: a command, so that nothing is imported."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from figures.problems import FigureError, warn
from figures.runs import Run

COLUMNS = ("run", "round", "bandwidth_bps", "latency_s")


class Question(NamedTuple):
    """When is this run after this round, where each worker's link has this rate and latency (None: the network's)?"""

    folder: Path
    round: int
    bandwidth_bps: float | None
    latency_s: float | None


def seconds_at(questions: Sequence[Question], network: str) -> list[float]:
    """Give the simulated seconds of each question on a network of the simulator.

    Raises
    ------
    FigureError
        With what `python -m simulator.grid` said.
    """
    with TemporaryDirectory() as name:
        points, out = Path(name) / "points.csv", Path(name) / "seconds.csv"
        with points.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *questions])
        command = [sys.executable, "-m", "simulator.grid", f"points={points}", f"out={out}", f"network={network}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise FigureError(said[-1].removeprefix("error: ") if said else f"{' '.join(command)} failed")
        with out.open(newline="", encoding="utf-8") as file:
            return [float(row["seconds"]) for row in csv.DictReader(file)]


def replayable(runs: Sequence[Run]) -> list[Run]:
    """Leave out, by name, the runs that saw the clock: their course belongs to the network they ran on.

    Raises
    ------
    FigureError
        If none is left.
    """
    racy = [run for run in runs if run.summary.get("racy")]
    if racy:
        names = ", ".join(str(run.folder) for run in racy)
        warn(f"left out {len(racy)} racy, which cannot be re-timed: {names}")
    if len(racy) == len(runs):
        raise FigureError("runs: expected a run that can be re-timed, got racy ones only; leave network= out")
    return [run for run in runs if not run.summary.get("racy")]
