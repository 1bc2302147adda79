"""Run the simulator for a claim, by the command that anybody would use; what is done already is not done again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

FOLDER = Path("outputs/claims")
SEEDS = (1, 2, 3)
spent: list[float] = []
"""Wall-clock seconds of every run that was done or read since this was cleared; a run that was read counts in full."""


class Diverged(RuntimeError):
    """A run whose loss was no longer a number."""


@dataclass(frozen=True)
class Finished:
    """A finished run: its summary, its metrics by mark, each float64 [m], and the simulated clock at the same marks."""

    summary: Mapping[str, Any]
    metrics: Mapping[str, np.ndarray]
    seconds: np.ndarray

    @property
    def accuracy(self) -> float:
        """The accuracy at the last mark."""
        return float(self.metrics["accuracy"][-1])

    def first(self, column: str, accuracy: float) -> float:
        """Give a column at the first mark that reaches an accuracy; NaN if none does."""
        reached = np.flatnonzero(self.metrics["accuracy"] >= accuracy)
        return float(self.metrics[column][reached[0]]) if reached.size else float("nan")


def simulate(claim: str, name: str, settings: Sequence[str]) -> Finished:
    """Run, go on with, or just read one run.

    Parameters
    ----------
    claim, name : str
        It lies in ``outputs/claims/CLAIM/NAME``.
    settings : sequence of str
        Overrides as on the command line.

    Raises
    ------
    Diverged
        If its loss stopped being a number.
    RuntimeError
        If the simulator fails otherwise, with its last lines.
    """
    folder = FOLDER / claim / name
    always = (f"hydra.run.dir={folder}", "resume=true", "cache=off", "progress=false")
    command = [sys.executable, "-m", "simulator", *settings, *always]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        kind = Diverged if "loss: expected a finite number" in said else RuntimeError
        raise kind(f"{' '.join(command)}: {said or done.returncode}")
    table = parquet.read_table(folder / "metrics.parquet")
    columns = {name: table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in table.column_names}
    seconds = parquet.read_table(folder / "timeline.parquet")["seconds"].to_numpy()
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    spent.append(summary["wall_seconds"])
    return Finished(summary, columns, seconds)


def seeds(claim: str, name: str, settings: Sequence[str]) -> list[Finished]:
    """Do a run with each of the three seeds."""
    print(f"{claim}: {name}", flush=True)
    return [simulate(claim, f"{name}-s{seed}", [*settings, f"seed={seed}"]) for seed in SEEDS]
