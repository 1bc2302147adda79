"""Two sweeps at once on one store, one of them killed midway: nothing lost, nothing trained twice, one table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

from simulator.collect import collect
from simulator.store import Store

TOY = ["task=quadratic", "task.dimensions=97", "workers=4", "device=cpu", "progress=false"]
LONG = ["rounds=900", "eval_every=300", "checkpoint_every=30"]
RUNS = ["algorithm=sgd,qsgd", "seed=1,2"]


def sweep(folder: Path, store: Path, networks: str) -> subprocess.Popen[str]:
    arguments = [*TOY, *LONG, *RUNS, f"network={networks}", f"hydra.sweep.dir={folder}"]
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", "-m", *arguments],
        env=os.environ | {"BITCLOCK_STORE": str(store)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def trained(*folders: Path) -> int:
    summaries = [json.loads(path.read_text()) for folder in folders for path in folder.glob("*/summary.json")]
    return sum(summary["gradient_seconds"] > 0 for summary in summaries)


def results(folder: Path) -> pa.Table:
    """The table without what says how long it really took, and where."""
    table = collect([str(folder / "*")])
    real = [
        name for name in table.column_names if name.startswith(("summary.wall", "summary.gradient")) or name == "run"
    ]
    return table.drop_columns(real)


def test_a_killed_sweep_loses_nothing_and_trains_nothing_twice(tmp_path: Path) -> None:
    store, a, b = (tmp_path / name for name in ("store", "a", "b"))
    first, second = sweep(a, store, "lan_1g,lte"), sweep(b, store, "wan_10m,lte")
    deadline = time.monotonic() + 120
    while not list(a.glob("*/checkpoint.pt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    said, _ = second.communicate()
    assert second.returncode == 0, said
    for entry in Store(store).keys():
        Store(store).verify(entry)
    again, _ = (goes_on := sweep(a, store, "lan_1g,lte")).communicate()
    assert goes_on.returncode == 0, again
    assert len(Store(store).keys()) == 4 and trained(a, b) == 4, again + said
    assert not list((store / "entries").glob(".*"))
    alone, _ = (serial := sweep(tmp_path / "serial", tmp_path / "own", "lan_1g,lte")).communicate()
    assert serial.returncode == 0 and "trajectories: 4 trained, 4 re-timed" in alone, alone
    assert results(a).equals(results(tmp_path / "serial"))
