"""Prices of gradients and of memory-bound work, per worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from network_models.even import lifted, taken
from simulator.compute.device import DEVICES, Device
from simulator.compute.profile import Profile
from simulator.compute.stragglers import NoStragglers, Stragglers


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Compute(Protocol):
    """How long computation takes on the simulated workers and server."""

    def gradient_seconds(self, workers: np.ndarray, step: int, flops: float) -> np.ndarray:
        """Price one gradient of `flops` FLOPs on each of the workers, shape (w,)."""
        ...

    def reached(self, operations: float) -> float:
        """Give the fraction of a gradient's time at which this fraction of its operations is done, both in [0, 1]."""
        ...

    def work_seconds(self, workers: np.ndarray, size_bytes: int) -> np.ndarray:
        """Price passing through `size_bytes` of memory on each of the workers, shape (w,)."""
        ...

    def server_seconds(self, size_bytes: int) -> float:
        """Price passing through `size_bytes` of memory at the server."""
        ...

    def describe(self) -> dict[str, Any]:
        """Give the figures in force, for the manifest."""
        ...


class Workers:
    """Per-worker speeds and stragglers, which every price shares.

    Parameters
    ----------
    speed : float or sequence of float
        How many times faster than the named device each worker is; one number, or one per worker.
    """

    def __init__(self, workers: int, seed: int, speed: float | Sequence[float], stragglers: Stragglers | None) -> None:
        try:
            values = np.asarray(list(speed) if isinstance(speed, Sequence) else speed, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"compute.speed: expected one number or one per worker, got {speed!r}") from None
        if values.ndim and len(values) != workers:
            raise ValueError(f"compute.speed: expected one number or {workers} of them, got {len(values)}")
        if not bool((values > 0).all()):
            raise ValueError(f"compute.speed: expected positive factors, got {values.min()}")
        self.seed, self.stragglers = seed, stragglers or NoStragglers()
        if values.ndim and bool((values == values[0]).all()):
            values = values[0]
        self.slowness = np.broadcast_to(1.0 / values, (workers,))

    def factors(self, workers: np.ndarray, step: int) -> np.ndarray:
        """Give each worker's slow-down in this step, shape (w,)."""
        return lifted(np.multiply, taken(self.slowness, workers), self.stragglers.factors(self.seed, workers, step))


class Priced:
    """A `Compute` on one kind of device whose gradient price is `step_seconds(flops)`."""

    def __init__(self, workers: Workers, device: Device, profile: Sequence[Sequence[float]] | None = None) -> None:
        self.workers, self.device, self.reached = workers, device, Profile(profile)

    def step_seconds(self, flops: float) -> float:
        """Price one gradient on a worker of speed 1."""
        return flops / self.device.flops_per_s

    def gradient_seconds(self, workers: np.ndarray, step: int, flops: float) -> np.ndarray:
        return lifted(np.multiply, self.step_seconds(flops), self.workers.factors(workers, step))

    def work_seconds(self, workers: np.ndarray, size_bytes: int) -> np.ndarray:
        price = size_bytes / self.device.memory_bytes_per_s
        return lifted(np.multiply, price, taken(self.workers.slowness, workers))

    def server_seconds(self, size_bytes: int) -> float:
        return size_bytes / self.device.memory_bytes_per_s

    def describe(self) -> dict[str, Any]:
        return {
            "kind": type(self).__name__,
            "flops_per_s": self.device.flops_per_s,
            "memory_bytes_per_s": self.device.memory_bytes_per_s,
            "stragglers": type(self.workers.stragglers).__name__,
        }


class Counted(Priced):
    """Counted FLOPs over a named device's sustained speed: deterministic, the default.

    Parameters
    ----------
    device : str
        A name in `DEVICES`.
    flops_per_s, memory_bytes_per_s : float or None
        Override the device's figures.
    profile : sequence of pairs, or None
        See `Profile`; None: time passes as operations do.
    """

    def __init__(
        self,
        *,
        workers: int,
        seed: int = 0,
        name: str = "counted",
        device: str = "cpu_core",
        flops_per_s: float | None = None,
        memory_bytes_per_s: float | None = None,
        profile: Sequence[Sequence[float]] | None = None,
        speed: float | Sequence[float] = 1.0,
        stragglers: Stragglers | None = None,
    ) -> None:
        if device not in DEVICES:
            raise ValueError(f"compute.device: expected one of {', '.join(DEVICES)}, got {device!r}")
        known = DEVICES[device]
        rate = known.flops_per_s if flops_per_s is None else flops_per_s
        memory = known.memory_bytes_per_s if memory_bytes_per_s is None else memory_bytes_per_s
        for key, value in (("flops_per_s", rate), ("memory_bytes_per_s", memory)):
            if not _number(value) or not value > 0:
                raise ValueError(f"compute.{key}: expected a positive rate, got {value!r}")
        super().__init__(Workers(workers, seed, speed, stragglers), Device(rate, memory), profile)
        self.name = name


class Fixed(Priced):
    """The same time for every gradient, whatever the model.

    Parameters
    ----------
    seconds_per_step : float
        One gradient on a worker of speed 1, in seconds; 0 is allowed (communication alone).
    memory_bytes_per_s : float
        Prices encoding; ``inf`` makes it free.
    profile : sequence of pairs, or None
        See `Profile`; None: time passes as operations do.
    """

    def __init__(
        self,
        *,
        workers: int,
        seed: int = 0,
        name: str = "fixed",
        seconds_per_step: float = 0.01,
        memory_bytes_per_s: float = 10e9,
        profile: Sequence[Sequence[float]] | None = None,
        speed: float | Sequence[float] = 1.0,
        stragglers: Stragglers | None = None,
    ) -> None:
        if not _number(seconds_per_step) or not 0 <= seconds_per_step < float("inf"):
            raise ValueError(f"compute.seconds_per_step: expected seconds, at least 0, got {seconds_per_step!r}")
        if not _number(memory_bytes_per_s) or not memory_bytes_per_s > 0:
            raise ValueError(f"compute.memory_bytes_per_s: expected a positive rate, got {memory_bytes_per_s!r}")
        super().__init__(Workers(workers, seed, speed, stragglers), Device(float("inf"), memory_bytes_per_s), profile)
        self.name, self.seconds_per_step = name, seconds_per_step

    def step_seconds(self, flops: float) -> float:
        return self.seconds_per_step

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"flops_per_s": None, "seconds_per_step": self.seconds_per_step}
