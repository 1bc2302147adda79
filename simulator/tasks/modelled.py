"""What all tasks with a model have in common: the gradient engine, its layout, its arithmetic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import torch
from torch import Tensor, nn

from simulator.gradients import GradientEngine
from simulator.gradients.readiness import readiness, timed_readiness
from simulator.tasks.models import initial_vector
from simulator.tasks.validation import torch_device, torch_dtype, whole


class Modelled(ABC):
    """A task whose gradients are those of a model's mean cross entropy on batches; a subclass gathers these.

    Parameters
    ----------
    name : str
        What records call the task.
    model : nn.Module
        Inputs (B, ...) -> logits (B, classes, ...).
    sample : Tensor, shape (1, ...)
        One input, of which the shape counts and whether it is of integers.
    workers, batch : int
        n and B.
    device, dtype, gradient_method
        See `GradientEngine`; device and dtype may be text.

    Raises
    ------
    ValueError
        If an argument is out of range or the model cannot be differentiated.
    """

    optimum: float | None = None

    def __init__(
        self,
        *,
        name: str,
        model: nn.Module,
        sample: Tensor,
        workers: int,
        batch: int,
        device: str | torch.device,
        dtype: str | torch.dtype,
        gradient_method: str,
    ) -> None:
        self.name = name
        self.workers, self.batch = whole("workers", workers, 1), whole("batch", batch, 1)
        self.device, self.dtype = torch_device(device), torch_dtype(dtype)
        self._model = model
        self._engine = GradientEngine(model, method=gradient_method, device=self.device, dtype=self.dtype)
        shape = (self.batch, *sample.shape[1:])
        kind = None if sample.is_floating_point() else sample.dtype
        self.layout = replace(self._engine.layout, ready=readiness(model, shape, kind))
        self.flops_per_step = self._engine.flops(shape, kind)

    @property
    def gradient_method(self) -> str:
        """The method that the engine resolved to."""
        return self._tried_out().method

    def notes(self) -> list[str]:
        """Say in a line each what a user should know of how gradients are computed: a method that fell back."""
        return list(self._tried_out().fallbacks)

    def _tried_out(self) -> GradientEngine:
        """Give the engine, after the trial on a first batch that 'taps' needs."""
        if self._engine.untried:
            self._engine.try_out(*self.batches(torch.arange(min(2, self.workers)), 0))
        return self._engine

    def engine(self, method: str) -> GradientEngine:
        """Make an engine of another method for the same model, to compare them."""
        return GradientEngine(self._model, method=method, device=self.device, dtype=self.dtype)

    @abstractmethod
    def batches(self, workers: Tensor, step: int | Tensor) -> tuple[Tensor, Tensor]:
        """Gather the inputs (w, B, ...) and the targets (w, B, ...) of a step."""
        ...

    def initial(self, seed: int) -> Tensor:
        """Draw the model's initial weights, shape (d,) (see `initial_vector`)."""
        return initial_vector(self._model, seed).to(self.device, self.dtype)

    def gradient(self, at: Tensor, workers: Tensor, step: int | Tensor, out: Tensor) -> Tensor:
        """Write each worker's gradient of a step into `out` and return the losses (see `Task`)."""
        return self._engine(at, *self.batches(workers, step), out)

    def profile(self) -> list[list[float]]:
        """Measure how a gradient's time is spread over its operations: [operations, seconds] in growing fractions."""
        inputs, targets = self.batches(torch.zeros(1, dtype=torch.int64), 0)
        times = timed_readiness(self._model, inputs[0], targets[0])
        latest = dict[float, float]()
        reached = 0.0
        for operations, seconds in sorted(zip(self.layout.ready, times, strict=True)):
            reached = latest[operations] = max(reached, seconds)
        return [[operations, seconds] for operations, seconds in latest.items() if operations < 1]
