"""Every contract runs over every algorithm of conf/algorithm, or of an outside package named by --searchpath."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest


def algorithms_in(searchpath: str | None) -> list[str]:
    """Find the names of all algorithm files in conf/, or in ``pkg://package`` or ``file://folder``."""
    if searchpath is None:
        root = Path(__file__).resolve().parents[2] / "conf"
    elif searchpath.startswith("pkg://"):
        root = Path(str(importlib.import_module(searchpath.removeprefix("pkg://")).__path__[0]))
    else:
        root = Path(searchpath.removeprefix("file://"))
    names = sorted(path.stem for path in (root / "algorithm").glob("*.yaml"))
    assert names, f"--searchpath: expected algorithm/*.yaml under {root}, found none"
    return names


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "algorithm" in metafunc.fixturenames:
        metafunc.parametrize("algorithm", algorithms_in(metafunc.config.getoption("--searchpath")))


@pytest.fixture
def searchpath(request: pytest.FixtureRequest) -> str | None:
    """Where Hydra finds the algorithm, besides conf/."""
    value: str | None = request.config.getoption("--searchpath")
    return value
