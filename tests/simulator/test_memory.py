"""The most memory that a whole run holds, in a process of its own: no second matrix of workers by coordinates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BUFFERS = 150e6  # of two threads and an evaluation


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are read where Linux keeps them")
@pytest.mark.parametrize(
    ("algorithm", "units", "options"),
    [("sgd", 1.0, []), ("topk", 2.0, []), ("topk", 1.5, ["state_dtype=bf16"]), ("local_sgd", 2.0, ["threads=1"])],
)
def test_peaks(algorithm: str, units: float, options: list[str]) -> None:
    command = [sys.executable, "-m", "benchmarks.memory", "--here", algorithm, "--workers", "120", "--rounds", "2"]
    command += ["--batch", "2", *(part for option in options for part in ("--set", option))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = json.loads(done.stdout.splitlines()[-1])
    unit = 4 * 120 * 266_610
    assert found["own_units"] == (0 if "sgd" in algorithm else 0.5 if options else 1)
    assert units * unit < found["peak_bytes"] - found["before_bytes"] < (units + 0.4) * unit + _BUFFERS
