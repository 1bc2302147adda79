"""Concurrent jobs get different GPUs, and nothing that they record tells which. None of it needs a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.sweeping.gpus import take_number, visible
from tests.simulator.sweeping.sweeps import GRID, environment, results, sweep

# Settles, tells what it was shown, and holds on to it until it is let go.
WORKER = """
import os, pathlib, sys
from simulator.sweeping.gpus import settle_on_a_gpu
for job in range(2):
    settle_on_a_gpu(sys.argv[1], pathlib.Path(sys.argv[2]))
    print(os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
sys.stdin.read()
"""


class Worker:
    """A process that runs two jobs after one another."""

    def __init__(self, locks: Path, device: str = "auto", shown: str = "4,GPU-aa,6") -> None:
        command = [sys.executable, "-c", WORKER, device, str(locks)]
        more = environment(CUDA_VISIBLE_DEVICES=shown)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=more, stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout is not None
        self.first, self.second = (self.process.stdout.readline().strip() for _ in range(2))

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_each_process_has_a_gpu_of_its_own_for_all_its_jobs(tmp_path: Path) -> None:
    workers = [Worker(tmp_path) for _ in range(3)]
    assert [worker.first for worker in workers] == ["4", "GPU-aa", "6"]
    assert all(worker.first == worker.second for worker in workers)
    fourth = Worker(tmp_path)
    assert fourth.first == "4"  # more processes than GPUs share them evenly
    workers[1].end()
    after = Worker(tmp_path)
    assert after.first == "GPU-aa"  # a killed process gives back what it held
    for worker in (workers[0], workers[2], fourth, after):
        worker.end()


@pytest.mark.parametrize(
    ("device", "shown"), [("cuda:1", "4,5"), ("cpu", "4,5"), ("auto", "7"), ("auto", ""), ("auto", "-1")]
)
def test_nothing_is_chosen_where_there_is_no_choice(tmp_path: Path, device: str, shown: str) -> None:
    worker = Worker(tmp_path, device, shown)
    worker.end()
    assert worker.first == shown and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shown", "found"), [("0,1", ["0", "1"]), (" 2 , 3", ["2", "3"]), ("1,-1,0", ["1"]), ("", []), ("-1", [])]
)
def test_visible_gpus_are_read_as_cuda_reads_them(
    monkeypatch: pytest.MonkeyPatch, shown: str, found: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert visible() == found


def test_numbers_are_taken_from_the_lowest(tmp_path: Path) -> None:
    taken = [take_number(tmp_path) for _ in range(3)]
    assert [number for number, _ in taken] == [0, 1, 2]
    taken[0][1].release()
    assert take_number(tmp_path)[0] == 0


def test_no_record_tells_which_gpu_it_was(tmp_path: Path, serial: Path) -> None:
    folder = tmp_path / "sweep"
    shown = {"CUDA_VISIBLE_DEVICES": "5,3", "TMPDIR": str(tmp_path)}
    done = sweep(folder, *GRID, "hydra.launcher.n_jobs=2", **shown)
    assert done.returncode == 0, done.stderr
    assert results(folder).equals(results(serial))
    assert {json.loads(path.read_text())["device"] for path in folder.glob("*/manifest.json")} == {"cpu"}
    assert len(list(tmp_path.glob("bitclock-gpus-*/*.lock"))) == 2
