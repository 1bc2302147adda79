"""The papers' settings: each composes and can be built, has a twin that runs here, and says where it is from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module

from simulator.config import check, register
from tests.running import QUICK, run

FOLDER = Path(__file__).parents[2] / "conf" / "experiment"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
FULL = [name for name in NAMES if not name.endswith("_small")]
BRIEF = ["rounds=1", "batch=2", "eval_every=1", "task.evaluation_batch=50"]


@pytest.mark.parametrize("name", NAMES)
def test_it_composes_within_the_ranges(name: str) -> None:
    register()
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("config", overrides=[f"experiment={name}"])
        check(config)
        # what the command line says still counts
        assert compose("config", overrides=[f"experiment={name}", "rounds=7"]).rounds == 7
    assert "experiment" not in config


@pytest.mark.parametrize("name", FULL)
def test_it_has_a_small_twin_and_names_its_paper(name: str) -> None:
    assert f"{name}_small" in NAMES
    header = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[1]
    assert re.match(r"# [A-Z].* (et al\.|& \w+) 20\d\d, .*(table|figure|section)", header, re.IGNORECASE), header


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_small")])
def test_the_small_twin_runs(name: str, tmp_path: Path) -> None:
    register()
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("config", overrides=[*QUICK, f"experiment={name}"])
    task = f"task={config.task.name}"  # running.py would fill in a toy
    steps = ["algorithm.steps=1"] if config.algorithm.get("steps", 1) != 1 else []
    _, summary = run(tmp_path / "run", f"experiment={name}", task, *BRIEF, *steps)
    assert summary["complete"] and summary["uplink_wire_bytes"] > 0
