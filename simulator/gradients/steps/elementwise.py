"""Per-worker gradients of a parameter that is added to, or multiplied with, every sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shift:
    """The step y = x + b.

    Parameters
    ----------
    parameter : int
        Position of b in the layout; its values may be shared or have a row for each worker.
    shape : tuple of int
        Of the parameter; broadcast to that of x, the same for all samples of a worker.
    """

    parameter: int
    shape: tuple[int, ...]

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Apply the step to `x`, shape (N, ...)."""
        return x + _beside(x, values[self.parameter], self.shape), ()

    def backward(
        self,
        g: Tensor,
        kept: tuple[Tensor, ...],
        values: Sequence[Tensor],
        slab: Sequence[Tensor],
        workers: int,
        *,
        onward: bool,
    ) -> Tensor:
        """Write db of each worker into the slab and return dx = g."""
        _sum_to(g, slab[self.parameter])
        return g


@dataclass(frozen=True)
class Scale:
    """The step y = x s.

    Parameters
    ----------
    parameter : int
        Position of s in the layout; its values may be shared or have a row for each worker.
    shape : tuple of int
        Of the parameter; broadcast to that of x, the same for all samples of a worker.
    """

    parameter: int
    shape: tuple[int, ...]

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Apply the step to `x`, shape (N, ...), and keep x."""
        return x * _beside(x, values[self.parameter], self.shape), x

    def backward(
        self, g: Tensor, kept: Tensor, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write ds of each worker into the slab and return dx = g s (g itself if nobody wants it)."""
        _sum_to(g * kept, slab[self.parameter])
        return g * _beside(g, values[self.parameter], self.shape) if onward else g


def _beside(x: Tensor, value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Lay a parameter's values out so that they broadcast to `x`, shape (N, ...)."""
    if value.shape == shape:
        return value
    rows = value.view(len(value), *(1,) * (x.dim() - len(shape)), *shape)
    return rows.expand(-1, len(x) // len(value), *(-1,) * (x.dim() - 1)).flatten(0, 1)


def _sum_to(g: Tensor, out: Tensor) -> None:
    """Sum `g`, shape (N, ...), over each worker's samples and all axes that `out`, shape (w, *shape), lacks."""
    by_worker = g.unflatten(0, (len(out), -1))
    shape = (1,) * (by_worker.dim() - out.dim()) + out.shape[1:]
    axes = [axis for axis, size in enumerate(shape, 1) if size == 1]
    out.copy_(torch.sum(by_worker, axes).view(out.shape))
