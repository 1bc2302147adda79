"""A worker's gradient with its weight decay in it, and its step size too where the accumulated error shall hold steps.

w rows here, d coordinates.
"""

from __future__ import annotations

from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.descent import Descent
from algorithms.ops import Gradient
from algorithms.state import Stateful


class RegularisedGradient(Stateful):
    """The update is g + weight_decay x, times the learning rate if that goes inside.

    Parameters
    ----------
    descent : Descent
        Its weight decay, and its learning rate if `lr_inside`; it has no momentum.
    lr_inside : bool
        Whether the update is a step: what was not sent then keeps the rate of its own round.

    Attributes
    ----------
    rate : float
        The learning rate of the latest round.
    """

    def __init__(self, descent: Descent, lr_inside: bool = False) -> None:
        self.descent, self.lr_inside = descent, boolean("algorithm.lr_inside", lr_inside)
        self.rate = descent.lr

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        self.rate = self.descent.rate(t, rounds)
        gradient = self.descent.direction(model, await Gradient(model, step=t), None)
        return gradient.mul_(self.rate) if self.lr_inside else gradient
