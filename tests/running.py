"""Run a configuration inside a test, as the command line would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from omegaconf import DictConfig

from simulator.config import register
from simulator.runner import Run

QUICK = ["progress=false", "cache=off", "device=cpu", "threads=1"]
TOY = ["task=quadratic", "task.dimensions=97"]


def composed(*overrides: str, searchpath: str | None = None) -> DictConfig:
    """Compose the main configuration with overrides, on the small quadratic unless they say otherwise."""
    register()
    extra = [f"hydra.searchpath=[{searchpath}]"] if searchpath else []
    toy = [] if any(override.startswith("task=") for override in overrides) else TOY
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("config", overrides=[*QUICK, *toy, *extra, *overrides])
    if toy:
        _keep_one(config, overrides)
    return config


def _keep_one(config: DictConfig, overrides: tuple[str, ...]) -> None:
    """Raise a paper's default density to one coordinate of a toy: some methods refuse to keep less than one."""
    d = config.task.dimensions
    for key, value in config.algorithm.items():
        named = any(override.startswith(f"algorithm.{key}=") for override in overrides)
        if str(key).endswith("density") and value is not None and not named:
            config.algorithm[key] = max(value, 1 / d)


def run(folder: Path, *overrides: str, searchpath: str | None = None) -> tuple[Run, dict[str, Any]]:
    """Run to the end and give the run and its summary."""
    made = Run(composed(*overrides, searchpath=searchpath), folder)
    return made, made.execute()
