"""The schema of the top-level keys and what they may hold; checked before anything is computed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import MISSING, DictConfig, OmegaConf

from simulator.room import room
from simulator.tasks.validation import torch_device

# In what residuals and momenta are kept; None: the run's own type.
STATE_DTYPES: dict[str | None, torch.dtype | None] = {None: None, "bf16": torch.bfloat16}

# What a resumed run may change: it touches no result.
FREE = frozenset(
    {"resume", "threads", "kernels", "checkpoint_every", "progress", "cache", "tracker", "state_on", "memory_gb"}
)


@dataclass
class Schema:
    """Types of the top-level keys; groups are checked by their constructors."""

    task: Any = MISSING
    model: Any = MISSING
    partition: Any = MISSING
    schedule: Any = MISSING
    algorithm: Any = MISSING
    network: Any = MISSING
    compute: Any = MISSING
    stragglers: Any = MISSING
    faults: Any = MISSING
    tracker: Any = MISSING
    workers: int = MISSING
    rounds: int = MISSING
    batch: int = MISSING
    seed: int = MISSING
    participation: float | None = None
    device: str = MISSING
    dtype: str = MISSING
    gradient_method: str = MISSING
    chunk: int = MISSING
    threads: int | None = None
    kernels: str = MISSING
    state_dtype: str | None = None
    state_on: str = MISSING
    memory_gb: float | None = None
    driver: str = MISSING
    parts: int = MISSING
    eval_every: int = MISSING
    checkpoint_every: int = MISSING
    resume: bool = MISSING
    cache: str = MISSING
    progress: bool = MISSING


def register() -> None:
    """Make the schema known to Hydra."""
    ConfigStore.instance().store(name="schema", node=Schema)


def check(config: DictConfig) -> None:
    """Refuse values outside their ranges.

    Raises
    ------
    ValueError
        Naming the key, what was expected and what came.
    """
    for key in ("workers", "rounds", "batch", "chunk", "parts", "eval_every", "checkpoint_every"):
        if config[key] < 1:
            raise ValueError(f"{key}: expected a whole number, at least 1, got {config[key]}")
    if config.threads is not None and config.threads < 1:
        raise ValueError(f"threads: expected a whole number, at least 1, or null, got {config.threads}")
    if config.memory_gb is not None and not config.memory_gb > 0:
        raise ValueError(f"memory_gb: expected a number of gigabytes above 0, or null, got {config.memory_gb}")
    room(config.state_on, Path())
    if config.participation is not None and not 0 < config.participation <= 1:
        raise ValueError(f"participation: expected a fraction in (0, 1], or null, got {config.participation}")
    for group in ("task", "algorithm", "network"):
        name = config[group].get("name")
        if not isinstance(name, str) or Path(name).name != name:
            raise ValueError(f"{group}.name: expected a plain name, got {name!r}")
    choices = {
        "dtype": ("float32", "float64"),
        "gradient_method": ("auto", "loop", "vmap", "layers", "taps"),
        "driver": ("auto", "distributed"),
        "cache": ("on", "off"),
        "state_dtype": tuple(STATE_DTYPES),
    }
    for key, known in choices.items():
        if config[key] not in known:
            choice = ", ".join(name or "null" for name in known)
            raise ValueError(f"{key}: expected one of {choice}, got {config[key]!r}")
    if torch_device(config.device).type == "cpu" and config.state_on == "host":
        raise ValueError("state_on: expected memory or file with device=cpu, which has no other memory, got 'host'")
    if not 0 <= config.seed < 2**63:
        raise ValueError(f"seed: expected a whole number in 0..2**63 - 1, got {config.seed}")


def plain(config: DictConfig) -> dict[str, Any]:
    """Resolve every interpolation and give plain dictionaries and lists."""
    resolved = OmegaConf.to_container(config, resolve=True)
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items() if key != "hydra"}


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """Name the keys in which two resolved configurations differ, with both values, but for those in `FREE`."""
    found = []
    for key in sorted(set(old) | set(new), key=str):
        name = f"{prefix}{key}"
        if name in FREE:
            continue
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{name}.")
        elif a != b:
            found.append(f"{name} was {a!r}, now {b!r}")
    return found


def reporting(main: Callable[[], None]) -> None:
    """Run a command; on an expected error print its one message and exit with 1."""
    try:
        main()
    except (ValueError, RuntimeError, OSError, HydraException) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
