"""Gradient descent with momentum, Nesterov momentum, weight decay and a schedule: what *local* and *outer* share."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.schedules import Constant, Schedule


class Descent:
    """The hyper-parameters of one descent rule, applied to parameters and momenta of any leading shape.

    Parameters
    ----------
    lr : float
        Base learning rate, > 0.
    momentum : float
        In [0, 1); v <- momentum v + g, and the step is v (or g + momentum v with `nesterov`), as in torch.optim.SGD.
    nesterov : bool
        Needs momentum > 0.
    weight_decay : float
        Adds weight_decay * x to the gradient, >= 0.
    schedule : Schedule or None
        Factor on `lr` by round.
    """

    def __init__(
        self,
        lr: float = 0.1,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        schedule: Schedule | None = None,
    ) -> None:
        for key, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ValueError(f"algorithm.{key}: expected a number, got {value!r}")
        if not lr > 0:
            raise ValueError(f"algorithm.lr: expected a positive learning rate, got {lr}")
        if not 0 <= momentum < 1:
            raise ValueError(f"algorithm.momentum: expected a number in [0, 1), got {momentum}")
        if weight_decay < 0:
            raise ValueError(f"algorithm.weight_decay: expected at least 0, got {weight_decay}")
        if boolean("algorithm.nesterov", nesterov) and not momentum:
            raise ValueError("algorithm.nesterov: expected algorithm.momentum > 0 with it, got 0")
        self.lr, self.momentum, self.nesterov, self.weight_decay = lr, momentum, nesterov, weight_decay
        self.schedule: Schedule = schedule or Constant()

    def rate(self, t: int, rounds: int) -> float:
        """Give the learning rate in round `t` of `rounds`."""
        return self.lr * self.schedule(t, rounds)

    def direction(self, x: Tensor, gradient: Tensor, velocity: Tensor | None) -> Tensor:
        """Turn a gradient at `x` into the direction of a step; `gradient` and `velocity` are overwritten.

        Parameters
        ----------
        x : Tensor, shape (..., d), or broadcastable to the gradient
        gradient : Tensor, shape (..., d)
        velocity : Tensor, shape (..., d), or None
            The momentum buffer, zero before the first step; None without momentum.

        Returns
        -------
        Tensor, shape (..., d)
            `gradient` or `velocity` itself.
        """
        if self.weight_decay:
            gradient.add_(x, alpha=self.weight_decay)
        if velocity is None:
            return gradient
        velocity.mul_(self.momentum).add_(gradient)
        return gradient.add_(velocity, alpha=self.momentum) if self.nesterov else velocity

    def step(self, x: Tensor, gradient: Tensor, velocity: Tensor | None, rate: float) -> None:
        """Move `x` in place by `rate` along the direction."""
        torch.sub(x, self.direction(x, gradient, velocity), alpha=rate, out=x)
