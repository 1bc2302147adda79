"""The key of a trajectory: a hash of all that can influence it, and of nothing that cannot."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from simulator.config import FREE, plain
from simulator.store.methods import resolved
from simulator.store.processor import instructions
from simulator.tasks.validation import torch_device

# What only says how long things take, and how the work is spread where the bits are the same.
WITHOUT = frozenset({"network", "compute", "stragglers", "faults", "driver", "parts"}) | FREE
# The code that computes a trajectory and writes it down.
_CODE = ("algorithms", "simulator/tasks", "simulator/gradients", "simulator/drivers", "simulator/records")
_FILES = ("simulator/runner.py", "simulator/threads.py", "simulator/trace.py")
_PACKAGES = ("algorithms", "simulator", "network_models")
_ROOT = Path(__file__).resolve().parents[2]


def trajectory_key(config: DictConfig) -> str:
    """Give the key under which a run's trajectory is stored.

    Parameters
    ----------
    config : DictConfig
        A whole configuration; ``device=auto`` counts as what it stands for here.

    Returns
    -------
    str
        64 hexadecimal digits: the SHA-256 of `settings`, the source files that compute, those of a class or function
        named in the configuration that lies elsewhere, the files that the task names (their sizes and times of
        change), the versions of torch and numpy, and the kind of processor.
    """
    told = settings(config)
    parts = {
        "settings": told,
        "code": _code(),
        "elsewhere": {name: _source(name) for name in sorted(set(_targets(told)))},
        "files": sorted(_signatures(told["task"])),
        "versions": [sys.version_info[:2], torch.__version__, np.__version__],
        "processor": instructions(torch_device(config.device)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def settings(config: DictConfig) -> dict[str, Any]:
    """Give the part of a configuration that can influence a trajectory, resolved; equal devices count as one.

    ``gradient_method=auto`` counts as the method that a calibration has found, if one has.
    """
    config = config.copy()
    config.gradient_method, _ = resolved(config)
    config.device = torch_device(config.device).type  # the task's copy of it too
    return {key: value for key, value in plain(config).items() if key not in WITHOUT}


@cache
def _code() -> str:
    """Hash the source files that compute a trajectory."""
    paths = [path for folder in _CODE for path in (_ROOT / folder).rglob("*.py")] + [_ROOT / file for file in _FILES]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def _source(target: str) -> str | None:
    """Hash the file of a class or function outside of these packages; None for one inside."""
    module = target.rpartition(".")[0]
    while module and module.split(".")[0] not in _PACKAGES:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            spec = None
        if spec is not None and spec.origin is not None and Path(spec.origin).exists():
            return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
        module = module.rpartition(".")[0]
    return None


def _targets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("_target_"), str):
            yield value["_target_"]
        for item in value.values():
            yield from _targets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _targets(item)


def _signatures(value: Any) -> Iterator[tuple[str, int, int]]:
    """Name each file that a task's settings point at, or that lies in a folder they do: a changed file trains anew."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _signatures(item)
    elif isinstance(value, str) and ("/" in value or "." in value):
        path = Path(value).expanduser()
        files = [path] if path.is_file() else sorted(path.iterdir()) if path.is_dir() else []
        for file in files:
            if file.is_file():
                state = file.stat()
                yield str(file), state.st_size, state.st_mtime_ns
