"""An algorithm, a model and a dataset of somebody else's package work through hydra.searchpath, without a fork."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CODE = '''
"""A package of somebody who has only installed Bitclock."""
import torch
from torch import nn
from algorithms.compressors import Identity
from algorithms.descent import Descent
from algorithms.exchanges import ErrorFeedback, ServerMean
from algorithms.local import OneGradient
from algorithms.outer import OuterDescent
from algorithms.payloads import Sparse
from algorithms.synchronous import Synchronous
from simulator.tasks.datasets import Samples


class EveryOther:
    """Send the even coordinates in even rounds and the odd ones in odd rounds."""

    def __call__(self, rows, draw):
        w, d = rows.shape
        step = max(1, d // 2)
        start = int(draw.shared.bits(torch.tensor([0]), 1)) % 2 if d > 1 else 0
        chosen = torch.arange(start, d, 2).expand(w, -1)
        return Sparse.rows_of(d, chosen, rows.gather(1, chosen.to(rows.device)))

    def passes(self):
        return 1.0


def every_other(*, name, **descent):
    exchange = ErrorFeedback(ServerMean(EveryOther()))
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=OuterDescent(Descent(**descent)))


class Narrow(nn.Sequential):
    def __init__(self, name, width):
        super().__init__(nn.Flatten(), nn.Linear(4, width), nn.Tanh(), nn.LayerNorm(width), nn.Linear(width, 2))


class Corners:
    """Two classes of noisy corners of a square."""

    classes = 2

    def load(self, data_dir):
        generator = torch.Generator().manual_seed(3)
        targets = torch.arange(400) % 2
        inputs = torch.randn(400, 4, generator=generator) + 4.0 * targets[:, None]
        return Samples(inputs[:300], targets[:300]), Samples(inputs[300:], targets[300:])
'''
FILES = {
    "algorithm/every_other.yaml": "_target_: theirs.every_other\nname: every_other\nlr: 0.1\nschedule: ${schedule}\n",
    "model/narrow.yaml": "_target_: theirs.Narrow\nname: narrow\nwidth: 5\n",
    "task/corners.yaml": "defaults:\n  - fashion_mnist_mini\n  - _self_\nname: corners\n"
    "dataset:\n  _target_: theirs.Corners\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Write the package `theirs` and give the folder to put on the path."""
    root = tmp_path / "theirs"
    for name, text in FILES.items():
        path = root / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "__init__.py").write_text(CODE)
    (root / "conf" / "__init__.py").touch()
    return tmp_path


def python(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{package}{os.pathsep}{ROOT}"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT, env=environment)


def test_somebody_elses_algorithm_model_and_dataset(package: Path, tmp_path: Path) -> None:
    done = python(
        package, "-m", "simulator", "hydra.searchpath=[pkg://theirs.conf]", "algorithm=every_other", "task=corners",
        "model=narrow", "workers=3", "rounds=30", "batch=8", "progress=false", f"hydra.run.dir={tmp_path / 'run'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "every_other on lan_1g" in done.stdout
    assert (tmp_path / "run" / "summary.json").exists()


def test_the_contracts_run_on_it_with_one_command(package: Path) -> None:
    done = python(
        package, "-m", "pytest", "tests/contracts", "--searchpath", "pkg://theirs.conf", "-p", "no:cacheprovider"
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout and "failed" not in done.stdout
