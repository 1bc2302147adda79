"""A sweep that is killed midway, with its workers or without them, ends like one that never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from simulator.sweeping.folder import SweepFolder
from tests.simulator.sweeping.sweeps import environment, results, sweep

LONG = [
    "algorithm=topk,fedavg", "seed=1,2", "task=quadratic", "task.dimensions=100", "workers=4", "rounds=240",
    "eval_every=20", "checkpoint_every=20", "algorithm.lr=0.01", "progress=false", "cache=off",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Give the table of the same sweep, undisturbed and serial."""
    folder = tmp_path_factory.mktemp("whole") / "sweep"
    done = sweep(folder, *LONG)
    assert done.returncode == 0, done.stderr
    return results(folder)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the sweep on two processes, in a group of its own, and wait until a job has reached a checkpoint."""
    command = [sys.executable, "-m", "simulator", "-m", *LONG, "hydra.launcher.n_jobs=2"]
    with subprocess.Popen(
        [*command, f"hydra.sweep.dir={tmp_path / 'sweep'}"],
        env=environment(),
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "sweep").glob("*/checkpoint.pt")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        yield process
        for kill in (process.kill, lambda: os.killpg(process.pid, signal.SIGKILL)):
            try:
                kill()
            except ProcessLookupError:
                pass


@pytest.mark.slow
@pytest.mark.parametrize("alone", [False, True], ids=["with its workers", "without its workers"])
def test_a_killed_sweep_goes_on(tmp_path: Path, started: subprocess.Popen[bytes], whole: pa.Table, alone: bool) -> None:
    folder = tmp_path / "sweep"
    if alone:
        os.kill(started.pid, signal.SIGKILL)
    else:
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    before = {standing.name: standing.state for standing in SweepFolder(folder).standings()}
    assert "half-written" in before.values() or "running" in before.values()
    done = sweep(folder, *LONG, "hydra.launcher.n_jobs=2")
    assert done.returncode == 0, done.stderr
    assert {standing.state for standing in SweepFolder(folder).standings()} == {"finished"}
    assert results(folder).equals(whole)
    again = sweep(folder, *LONG)
    assert again.returncode == 0 and "4 of 4 jobs are finished already, 0 to go" in again.stderr
