"""Per-worker gradients of an affine layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Affine:
    """The layer y = x Wᵀ + b.

    Parameters
    ----------
    weight, bias : int
        Positions of W (out, in) and b (out,) in the layout; `bias` is None without one.
    """

    weight: int
    bias: int | None

    def forward(self, x: Tensor, values: Sequence[Tensor]) -> Tensor:
        """Apply the layer to `x`, shape (N, ..., in), with weights (out, in) or (w, out, in)."""
        weight = values[self.weight]
        bias = None if self.bias is None else values[self.bias]
        if weight.dim() == 2:
            return torch.nn.functional.linear(x, weight, bias)
        rows = x.reshape(len(weight), -1, x.shape[-1])
        turned = weight.transpose(1, 2)
        y = torch.bmm(rows, turned) if bias is None else torch.baddbmm(bias[:, None], rows, turned)
        return y.view(*x.shape[:-1], -1)

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Apply the layer and keep its input for the way back."""
        return self.forward(x, values), x

    def backward(
        self, g: Tensor, kept: Tensor, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write dW and db of each worker into the slab and return dx (g itself if nobody wants it).

        Notes
        -----
        dW_r = g_rᵀ x_r and db_r = Σ g_r, summed over the samples of worker r; dx = g W.
        """
        rows = g.reshape(workers, -1, g.shape[-1])
        torch.bmm(rows.transpose(1, 2), kept.reshape(workers, -1, kept.shape[-1]), out=slab[self.weight])
        if self.bias is not None:
            torch.sum(rows, 1, out=slab[self.bias])
        if not onward:
            return g
        weight = values[self.weight]
        return torch.matmul(g, weight) if weight.dim() == 2 else torch.bmm(rows, weight).view(kept.shape)
