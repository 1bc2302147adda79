"""Steps of the common model whose rate differs by coordinate: AdaGrad and Adam, as `Outer` rules."""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.descent import Descent
from algorithms.state import Stateful

_EPSILON = 1e-8


def _plain(descent: Descent, rule: str) -> Descent:
    if descent.momentum:
        raise ValueError(f"algorithm.momentum: expected 0 with algorithm.optimizer={rule}, got {descent.momentum}")
    return descent


class AdaGrad(Stateful):
    """x <- x - lr g / (sqrt(sum of g**2 so far) + 1e-8); coordinates whose g is 0 stay where they are.

    Parameters
    ----------
    descent : Descent
        Rate, schedule and weight decay.

    References
    ----------
    Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 2011.
    """

    state_names = ("squares",)

    def __init__(self, descent: Descent) -> None:
        self.descent = _plain(descent, "adagrad")
        self.squares: Tensor | None = None

    def __call__(self, model: Tensor, mean: Tensor, t: int, rounds: int) -> None:
        gradient = self.descent.direction(model, mean.clone(), None)
        if self.squares is None:
            self.squares = torch.zeros_like(model)
        self.squares.addcmul_(gradient, gradient)
        model.addcdiv_(gradient, self.squares.sqrt().add_(_EPSILON), value=-self.descent.rate(t, rounds))


class Adam(Stateful):
    """Descend along decaying means of g and g**2, corrected for their start at 0; beta = 0.9 and 0.999.

    Every coordinate moves in every step, also where g is 0.

    Parameters
    ----------
    descent : Descent
        Rate, schedule and weight decay.

    References
    ----------
    Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 1.
    """

    state_names = ("first", "second", "steps")

    def __init__(self, descent: Descent) -> None:
        self.descent = _plain(descent, "adam")
        self.first: Tensor | None = None
        self.second: Tensor | None = None
        self.steps = 0

    def __call__(self, model: Tensor, mean: Tensor, t: int, rounds: int) -> None:
        gradient = self.descent.direction(model, mean.clone(), None)
        if self.first is None or self.second is None:
            self.first, self.second = torch.zeros_like(model), torch.zeros_like(model)
        self.steps += 1
        self.first.lerp_(gradient, 0.1)
        self.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        spread = (self.second / (1 - 0.999**self.steps)).sqrt_().add_(_EPSILON)
        rate = self.descent.rate(t, rounds) / (1 - 0.9**self.steps)
        model.addcdiv_(self.first, spread, value=-rate)
