"""A weighted average of iterates that favours the later ones, kept up as they come: the output of convex theory."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from algorithms.state import Stateful


class QuadraticAverage(Stateful):
    """Average iterates with weights (a + t)**2.

    Parameters
    ----------
    shift : float
        a >= 0, in steps.

    Notes
    -----
    With an iterate after every step the newest one's share is 6 (a + t)**2 / ((1 + t) (6 a**2 + t + 6 a t + 2 t**2)),
    which is (a + t)**2 over the sum of all weights so far.

    References
    ----------
    Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, Theorem 2.4.
    """

    state_names = ("value", "total")

    def __init__(self, shift: float) -> None:
        if isinstance(shift, bool) or not isinstance(shift, (int, float)) or not 0 <= shift < math.inf:
            raise ValueError(f"algorithm.average_shift: expected a number of steps, at least 0, got {shift!r}")
        self.shift, self.total = shift, 0.0
        self.value = torch.empty(0)

    def begin(self, model: Tensor) -> None:
        """Start from the iterate of step 0, shape (d,)."""
        self.value, self.total = model.clone(), float(self.shift) ** 2

    def include(self, model: Tensor, step: int) -> None:
        """Take in the iterate after `step` steps, shape (d,)."""
        weight = (self.shift + step) ** 2
        self.total += weight
        self.value.lerp_(model, weight / self.total)
