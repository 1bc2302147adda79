"""Which gradient method was fastest for a model: measured by ``python -m simulator.calibrate``, looked up by a run.

A file for each model, batch, chunk, type and device, in ``methods`` of the store's folder. A run only ever looks one
up; the method it finds is part of the trajectory's key, as methods agree up to rounding but not to the bit.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from algorithms.messaging import Messaging
from simulator.building import built
from simulator.records.folder import atomically
from simulator.store.processor import model as processor_model
from simulator.store.store import default_folder
from simulator.tasks.validation import torch_device

# what of a task's settings has no say in the shape of a batch, or is in the key by itself
_NOT_SHAPE = frozenset({"model", "partition", "workers", "batch", "seed", "device", "dtype", "gradient_method"})


def resolved(config: DictConfig) -> tuple[str, str]:
    """Give the method that a configuration means, and why.

    Returns
    -------
    tuple of str
        The method, 'auto' still if the engine's rule has to decide; and 'asked', 'rule', or 'calibration FILE'.

    Raises
    ------
    ValueError
        If a calibration cannot be read.
    """
    if config.gradient_method != "auto":
        return str(config.gradient_method), "asked"
    if "gradient_method" not in config.task or not any(_folder().glob("*.json")):
        return "auto", "rule"
    path = file_of(described(config))
    method = _read(path)
    return ("auto", "rule") if method is None else (method, f"calibration {path.name}")


def described(config: DictConfig) -> dict[str, Any]:
    """Give what a measurement depends on: the model's structure, shapes, type, device, and torch's version."""
    device = torch_device(config.device)
    with torch.device("meta"):  # structure only
        module = built(config.model, "model")
    task = OmegaConf.to_container(config.task, resolve=True)
    assert isinstance(task, dict)
    return {
        "model": structure(module),
        "task": {str(key): value for key, value in task.items() if key not in _NOT_SHAPE},
        "batch": config.batch,
        "chunk": chunk_of(config),
        "dtype": config.dtype,
        "device": processor_model(device),
        "torch": torch.__version__,
    }


def structure(module: nn.Module) -> list[tuple[str, str, list[list[int]]]]:
    """List the layers: name, type, and the shapes of their own parameters."""
    return [
        (name, type(layer).__qualname__, [list(p.shape) for p in layer.parameters(recurse=False)])
        for name, layer in module.named_modules()
    ]


def chunk_of(config: DictConfig) -> int:
    """Give how many workers' gradients are taken at once: co-simulated ones one by one, on a CPU."""
    if torch_device(config.device).type == "cpu" and isinstance(built(config.algorithm, "algorithm"), Messaging):
        return 1
    return min(int(config.chunk), int(config.workers))


def file_of(description: dict[str, Any]) -> Path:
    """Name the file of a description, which may not exist."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True, default=str).encode()).hexdigest()
    return _folder() / f"{digest[:16]}.json"


def keep(description: dict[str, Any], method: str, seconds: dict[str, float]) -> Path:
    """Store what was measured; an earlier measurement is replaced."""
    path = file_of(description)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"method": method, "seconds": seconds} | description, indent=1, default=str)
    atomically(path, partial(_write, content))
    _read.cache_clear()
    return path


def _write(content: str, path: Path) -> None:
    path.write_text(content + "\n", encoding="utf-8")


@cache  # a process sees one answer, whatever is measured beside it meanwhile
def _read(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["method"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"gradient_method: expected a calibration in {path}, got {error!r}; delete it or name a method"
        ) from error


def _folder() -> Path:
    return default_folder() / "methods"
