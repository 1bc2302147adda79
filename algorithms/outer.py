"""What is done with the mean that an exchange gives: the step of the common model, the same on every worker."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from algorithms.descent import Descent
from algorithms.state import Stateful


class Outer(Protocol):
    """The step of the common model."""

    def __call__(self, model: Tensor, mean: Tensor, t: int, rounds: int) -> None:
        """Move the model, shape (d,), in place, given the mean update, shape (d,)."""
        ...


class OuterDescent(Stateful):
    """Treat the mean as a gradient and descend along it.

    Parameters
    ----------
    descent : Descent
        The rule; with lr = 1 and no momentum the model moves by the mean itself (averaging of local steps).
    """

    state_names = ("velocity",)

    def __init__(self, descent: Descent) -> None:
        self.descent = descent
        self.velocity: Tensor | None = None

    def __call__(self, model: Tensor, mean: Tensor, t: int, rounds: int) -> None:
        if self.descent.momentum and self.velocity is None:
            self.velocity = torch.zeros_like(model)
        self.descent.step(model, mean.clone(), self.velocity, self.descent.rate(t, rounds))
