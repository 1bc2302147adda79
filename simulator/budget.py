"""What a run will hold at once, roughly, and how it is made to fit into `memory_gb`.

w workers active in a round and n in all, d coordinates.
"""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from typing import Any

import torch
from omegaconf import DictConfig

from algorithms.messaging import Messaging
from algorithms.state import Stateful
from simulator.config import STATE_DTYPES
from simulator.tasks.task import Task

_SCRATCH = 2.0  # (chunk, d) matrices that a thread makes while it compresses or rounds a chunk
_GB = 1e9


@dataclass(frozen=True)
class Need:
    """Bytes by what they are for.

    Parameters
    ----------
    held : float
        What the process has already: code, data, model.
    gradients : float
        The (w, d) slab, and what else has its shape and lives beside it: the models of local steps.
    state : float
        The rows of all n workers.
    copies : float
        Of the state of sampled workers, whose rows lie apart; all that programs that talk by messages keep.
    thread : float
        The activations and the scratch memory of one chunk.
    """

    held: float
    gradients: float
    state: float
    copies: float
    thread: float

    def total(self, threads: int, moved: bool) -> float:
        """Add up, with gradients and state `moved` out of memory or not."""
        return self.held + (0 if moved else self.gradients + self.state) + self.copies + threads * self.thread

    def __str__(self) -> str:
        named = {"held already": self.held, "gradients": self.gradients, "state": self.state}
        named |= {"copies": self.copies, "each thread": self.thread}
        return ", ".join(f"{name} {size / _GB:.2f}" for name, size in named.items() if size)


def within_budget(config: DictConfig, task: Task, algorithm: Any, active: float, hosted: float) -> list[str]:
    """Make a run fit into its memory, and say what it will do in another way than asked for (see `need`, `fit`)."""
    said, messaging = [], isinstance(algorithm, Messaging)
    if messaging:
        asked = {"state_dtype": config.state_dtype, "state_on": config.state_on}
        said = [
            f"{key}={value}: the workers of {config.algorithm.name} keep their state in memory and in {config.dtype}"
            for key, value in asked.items()
            if value not in (None, "memory")
        ]
    if config.memory_gb is None:
        return said
    needed = need(config, task, algorithm, active, hosted)
    return said + fit(config, needed, config.threads or os.cpu_count() or 1, not messaging, task.device)


def need(config: DictConfig, task: Task, algorithm: Any, active: float, hosted: float) -> Need:
    """Estimate what a run will hold; nothing is computed.

    Parameters
    ----------
    algorithm : Synchronous or Messaging
        One that has begun.
    active, hosted : float
        Which part of the workers is active here in a round, and which part has its state here.

    Notes
    -----
    Rough: activations are what the layers put out, twice; messages, mostly small, and evaluations are left out.
    """
    d, width = task.layout.size, task.dtype.itemsize
    kept = (STATE_DTYPES[config.state_dtype] or task.dtype).itemsize
    sampled, active, hosted = active < hosted, active * config.workers * d, hosted * config.workers * d
    if isinstance(algorithm, Messaging):
        gradients = state = 0.0
        own = algorithm.notes().get("memory", {}).get("worker", d)  # pulls of the model are shared
        copies = config.workers * (own + d) * width
    else:
        rows = sum(row.dtype is None for row in algorithm.rows())
        gradients, state = active * width * (1 + _matrices(algorithm)), hosted * kept * rows
        copies = active * kept * rows if sampled else 0.0
    activations = getattr(task, "activations", lambda chunk: 0)(config.chunk)
    thread = 2 * activations * width + _SCRATCH * min(config.chunk, config.workers) * d * width
    return Need(_held(task.device), float(gradients), float(state), float(copies), float(thread))


def fit(config: DictConfig, needed: Need, threads: int, movable: bool, device: torch.device) -> list[str]:
    """Write into the configuration what makes the run fit into ``memory_gb``, and say what that was.

    State and gradients go to a file first (on a GPU the state goes to its host), then threads are given up. The chunk
    is left alone: results depend on it.

    Raises
    ------
    ValueError
        If not even one thread fits.
    """
    said: list[str] = []
    budget = config.memory_gb * _GB
    moved = config.state_on != "memory"
    if needed.total(threads, moved) > budget and movable and not moved and needed.state + needed.gradients:
        config.state_on, moved = ("file" if device.type == "cpu" else "host"), True
        said.append(f"memory_gb={config.memory_gb:g}: state_on={config.state_on} instead of memory")
    most = threads
    while threads > 1 and needed.total(threads, moved) > budget:
        threads -= 1
    if threads < most:
        config.threads = threads
        said.append(f"memory_gb={config.memory_gb:g}: threads={threads} instead of {most}")
    if (least := needed.total(1, moved)) > budget:
        raise ValueError(
            f"memory_gb: expected at least {least / _GB:.2f} for one chunk of {config.chunk} workers "
            f"({needed}), got {config.memory_gb:g}; a smaller chunk takes less and gives other bits"
        )
    return said


def _matrices(part: Stateful) -> float:
    inner = (getattr(part, name) for name in part.state_names)
    return part.matrices + sum(_matrices(value) for value in inner if isinstance(value, Stateful))


def _held(device: torch.device) -> float:
    """Give the bytes that the process, or its GPU, holds now."""
    if device.type == "cuda":
        return float(torch.cuda.memory_allocated(device))
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return float(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # elsewhere its peak, in bytes on one system and in units of 1024 of them on others
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)
