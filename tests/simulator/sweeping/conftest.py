"""One sweep that every launcher is compared with: one job after the other, in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.sweeping.sweeps import GRID, sweep


@pytest.fixture(scope="session")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a serial sweep over `GRID`."""
    folder = tmp_path_factory.mktemp("serial") / "sweep"
    done = sweep(folder, *GRID)
    assert done.returncode == 0, done.stderr
    return folder
