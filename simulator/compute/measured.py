"""Prices measured on this device: one worker's gradient and one pass over memory, timed once and stored."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Protocol, runtime_checkable

import torch

from simulator.compute.device import Device
from simulator.compute.model import Priced, Workers
from simulator.compute.profile import Profile
from simulator.compute.stragglers import Stragglers
from simulator.tasks.task import Task

_REPEATS = 15


@runtime_checkable
class Layered(Protocol):
    """A task that can tell how its gradient's time is spread over its operations."""

    def profile(self) -> list[list[float]]:
        """Measure the points of a `Profile`."""
        ...


def _timed(function: Any, device: torch.device) -> float:
    """Give the median time of a call after one to warm up, in seconds."""
    seconds = []
    for _ in range(_REPEATS + 1):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return median(seconds[1:])


def measure(task: Task) -> dict[str, Any]:
    """Time one worker's gradient, its layers where the task has some, and a copy's traffic on the task's device."""
    at = task.initial(0)
    out = torch.zeros(1, task.layout.size, dtype=at.dtype, device=at.device)
    worker = torch.zeros(1, dtype=torch.int64)
    gradient = _timed(lambda: task.gradient(at, worker, 0, out), at.device)
    block = torch.zeros(1 << 24, dtype=torch.float32, device=at.device)
    target = torch.empty_like(block)
    copy = _timed(lambda: target.copy_(block), at.device)
    layers = {"profile": task.profile()} if isinstance(task, Layered) else {}
    return {"seconds_per_step": gradient, "memory_bytes_per_s": 2 * block.numel() * 4 / copy} | layers


def _check(seconds_per_step: float, memory_bytes_per_s: float) -> None:
    for key, value in (("seconds_per_step", seconds_per_step), ("memory_bytes_per_s", memory_bytes_per_s)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise ValueError(f"compute.{key}: expected a positive finite number, got {value!r}")


class Measured(Priced):
    """Seconds per gradient as measured on this device for one worker.

    Parameters
    ----------
    file : str or None
        Where calibrations are kept; None: ``calibrations.json`` in the user's cache folder.
    seconds_per_step, memory_bytes_per_s : float or None
        A calibration taken before; both or neither.
    profile : sequence of pairs, or None
        See `Profile`; None: measured with the others, where the task has layers.

    Notes
    -----
    A calibration is keyed by task, model size, batch and device, measured when its key is not yet in the file, and
    written into the run's configuration, so that repeats, resumed and re-timed runs share it.
    """

    def __init__(
        self,
        *,
        workers: int,
        seed: int = 0,
        name: str = "measured",
        file: str | None = None,
        seconds_per_step: float | None = None,
        memory_bytes_per_s: float | None = None,
        profile: Sequence[Sequence[float]] | None = None,
        speed: float | Sequence[float] = 1.0,
        stragglers: Stragglers | None = None,
    ) -> None:
        if (seconds_per_step is None) != (memory_bytes_per_s is None):
            raise ValueError("compute.seconds_per_step, compute.memory_bytes_per_s: expected both or neither")
        if seconds_per_step is not None and memory_bytes_per_s is not None:
            _check(seconds_per_step, memory_bytes_per_s)
        super().__init__(
            Workers(workers, seed, speed, stragglers),
            Device(float("inf"), memory_bytes_per_s or 1.0),
            profile,
        )
        self.name, self.seconds_per_step, self.profile = name, seconds_per_step, profile
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitclock"
        self.file = Path(file) if file else cache / "calibrations.json"

    def prepare(self, task: Task, name: str) -> dict[str, Any]:
        """Take the calibration for this task from the file, or measure and store it; give its figures."""
        if self.seconds_per_step is None:
            key = f"{name} d={task.layout.size} batch={task.batch} device={task.device} torch={torch.__version__}"
            known = self._known()
            if key not in known:
                known[key] = measure(task)
                self.file.parent.mkdir(parents=True, exist_ok=True)
                partial = self.file.with_suffix(f".{os.getpid()}.part")
                partial.write_text(json.dumps(known, indent=1))
                partial.replace(self.file)
            _check(known[key]["seconds_per_step"], known[key]["memory_bytes_per_s"])
            self.seconds_per_step = known[key]["seconds_per_step"]
            self.device = Device(float("inf"), known[key]["memory_bytes_per_s"])
            if self.profile is None and "profile" in known[key]:
                self.profile = known[key]["profile"]
                self.reached = Profile(self.profile)
        layers = {} if self.profile is None else {"profile": self.profile}
        figures = {"seconds_per_step": self.seconds_per_step, "memory_bytes_per_s": self.device.memory_bytes_per_s}
        return figures | layers

    def _known(self) -> dict[str, dict[str, Any]]:
        """Read the calibrations taken so far."""
        try:
            return dict(json.loads(self.file.read_text())) if self.file.exists() else {}
        except ValueError as error:
            raise ValueError(f"compute.file: expected calibrations as JSON in {self.file}, got {error}") from error

    def step_seconds(self, flops: float) -> float:
        if self.seconds_per_step is None:
            raise ValueError(
                "compute.seconds_per_step: expected a calibration, got none; run once with compute=measured"
            )
        return self.seconds_per_step

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"flops_per_s": None, "seconds_per_step": self.seconds_per_step}
