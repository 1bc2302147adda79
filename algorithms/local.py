"""What a worker computes alone between two exchanges: one gradient, or several steps of its own.

w rows here, d coordinates, H local steps.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.descent import Descent
from algorithms.ops import Gradient
from algorithms.state import Rows, Stateful


class Local(Protocol):
    """What happens on a worker between two exchanges."""

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        """Give each worker's update, shape (w, d), at the common model, shape (d,); descending means subtracting it."""
        ...


class OneGradient(Stateful):
    """The update is one stochastic gradient; the learning rate is applied after the exchange."""

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        return await Gradient(model, step=t)


class LocalSteps(Stateful):
    """Several steps of descent from the common model; the update is the model minus where the worker arrived.

    Parameters
    ----------
    descent : Descent
        The rule of the local steps; it contains the learning rate.
    steps : int
        H, local steps per round.
    start : float
        The share of the rounds before which one step is taken instead of H (post-local SGD).
    keep_momentum : bool
        Whether a worker's momentum survives the exchange (it is never averaged); else it starts each round from zero.

    References
    ----------
    Stich, "Local SGD Converges Fast and Communicates Little", ICLR 2019, Algorithm 1.
    Lin, Stich, Patel, Jaggi, "Don't Use Large Mini-Batches, Use Local SGD", ICLR 2020 (post-local SGD).
    """

    state_names = ("done", "velocity")
    matrices = 1.0  # each worker's model

    def __init__(self, descent: Descent, steps: int, start: float = 0.0, keep_momentum: bool = True) -> None:
        if isinstance(steps, bool) or not (isinstance(steps, int) and steps >= 1):
            raise ValueError(f"algorithm.steps: expected a whole number of local steps, at least 1, got {steps!r}")
        if not (isinstance(start, (int, float)) and 0 <= start <= 1):
            raise ValueError(f"algorithm.start: expected a share of the rounds in [0, 1], got {start!r}")
        self.descent, self.steps, self.start = descent, steps, start
        self.keep_momentum = boolean("algorithm.keep_momentum", keep_momentum)
        self.done = 0
        self._memory: Tensor | None = None
        self.velocity = Rows("velocity") if descent.momentum else None

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        steps = self.steps if t >= self.start * rounds else 1
        rate, local = self.descent.rate(t, rounds), self._models(cohort, len(model))
        cohort.pool(lambda rows: local[rows].copy_(model), cohort.chunks)
        if self.velocity is not None and not self.keep_momentum:
            velocity = self.velocity.open(cohort, len(model))
            self.velocity.close(cohort, velocity.zero_())
        for h in range(steps):
            gradient = await Gradient(local, step=self.done + h)

            def step(rows: slice, velocity: Tensor | None = None, gradient: Tensor = gradient) -> None:
                self.descent.step(local[rows], gradient[rows], velocity, rate)

            if self.velocity is None:
                cohort.pool(step, cohort.chunks)
            else:
                self.velocity.each(cohort, len(model), step, h)
        self.done += steps
        return torch.sub(model, local, out=local)

    def _models(self, cohort: Cohort, size: int) -> Tensor:
        """Give the memory of the workers' models, shape (w, d), which becomes that of the update."""
        if self._memory is None or len(self._memory) < cohort.size:
            self._memory = cohort.slab(cohort.size, size)
        return self._memory[: cohort.size]
