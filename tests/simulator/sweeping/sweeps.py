"""Run sweeps as their user would, in processes of their own, and compare what they leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from simulator.collect import collect
from tests.simulator.conftest import TOY

ROOT = Path(__file__).resolve().parents[3]
# Four jobs; one of the two algorithms keeps residuals, so that what is resumed matters.
GRID = ["algorithm=sgd,topk", "seed=1,2", *TOY, "algorithm.lr=0.05"]
# What depends on where a run was and how fast it went.
CIRCUMSTANCES = {"run", "summary.wall_seconds", "summary.gradient_seconds"}


def environment(**more: str) -> dict[str, str]:
    """Give this process's environment, in which the package is found from any working directory."""
    return os.environ | {"PYTHONPATH": str(ROOT)} | more


def sweep(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m simulator -m`` into a folder."""
    command = [sys.executable, "-m", "simulator", "-m", *arguments, f"hydra.sweep.dir={folder}"]
    return subprocess.run(command, cwd=folder.parent, env=environment(**more), capture_output=True, text=True)


def results(folder: Path) -> pa.Table:
    """Collect a sweep without the circumstances of its runs."""
    table = collect([str(folder)])
    return table.select([name for name in table.column_names if name not in CIRCUMSTANCES | {"config.threads"}])


def names(folder: Path) -> list[str]:
    """Give the names of a sweep's job folders."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
