"""What all tasks with a model have in common: the gradient engine, its layout, its arithmetic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from algorithms.cohort import Map
from simulator.gradients import GradientEngine
from simulator.gradients.activations import count_activations
from simulator.gradients.readiness import readiness, timed_readiness
from simulator.tasks.models import initial_vector
from simulator.tasks.validation import torch_device, torch_dtype, whole

UNCOUNTED = -100  # what cross entropy leaves out


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
        self._sample = tuple(sample.shape[1:]), None if sample.is_floating_point() else sample.dtype
        self._engine = GradientEngine(model, method=gradient_method, device=self.device, dtype=self.dtype)
        shape, kind = (self.batch, *self._sample[0]), self._sample[1]
        self.layout = replace(self._engine.layout, ready=readiness(model, shape, kind))
        self.flops_per_step = self._engine.flops(shape, kind)

    @property
    def gradient_method(self) -> str:
        """The method that the engine resolved to."""
        return self._tried_out().method

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

    def scores(
        self, forward: Callable[[Tensor], Tensor], batches: Iterable[tuple[Tensor, Tensor]], pool: Map
    ) -> tuple[float, int, int]:
        """Give the sum of the cross entropies, how many predictions are right and how many count, over some batches.

        Parameters
        ----------
        forward : callable
            Inputs -> logits (B, classes, ...); called from several threads at once.
        batches : iterable of (Tensor, Tensor)
            Inputs, and targets in which -100 does not count.
        pool : callable
            `map` over the batches; they are added up in their order.
        """

        def judge(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
            logits, wanted = forward(batch[0]), batch[1]
            loss = functional.cross_entropy(logits.to(torch.float64), wanted, reduction="sum")
            return loss, (logits.argmax(1) == wanted).sum(), (wanted != UNCOUNTED).sum()

        loss, right, count = (sum(column) for column in zip(*pool(judge, batches), strict=True))
        return float(loss), int(right), int(count)

    def activations(self, chunk: int) -> int:
        """Count, roughly, the numbers that the gradients of one chunk keep for the backward pass."""
        at_once = self._engine.method != "loop"
        shape = (self.batch * (chunk if at_once else 1), *self._sample[0])
        return count_activations(self._model, shape, self._sample[1]) * (3 if self._engine.method == "vmap" else 1)

    def fallbacks(self) -> list[str]:
        """Say what the gradient engine does in another way than asked for."""
        return list(self._tried_out().fallbacks)

    def profile(self) -> list[list[float]]:
        """Measure how a gradient's time is spread over its operations: [operations, seconds] in growing fractions."""
        inputs, targets = self.batches(torch.zeros(1, dtype=torch.int64), 0)
        times = timed_readiness(self._model, inputs[0], targets[0])
        latest = dict[float, float]()
        reached = 0.0
        for operations, seconds in sorted(zip(self.layout.ready, times, strict=True)):
            reached = latest[operations] = max(reached, seconds)
        return [[operations, seconds] for operations, seconds in latest.items() if operations < 1]
