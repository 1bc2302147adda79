"""Per-worker gradients of an affine layer, in the products' fastest form.

`Affine` does the same by one library's products, whose bits the trajectories of the method 'layers' depend on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulator.gradients.steps.linear import Affine
from simulator.gradients.steps.products import linear, outer


class Projection(Affine):
    """The layer y = x Wᵀ + b, with parameters as of `Affine`."""

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Apply the layer to `x`, shape (N, ..., in), and keep it."""
        return linear(x, values[self.weight], None if self.bias is None else values[self.bias]), x

    def backward(
        self, g: Tensor, kept: Tensor, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write dW_r = g_rᵀ x_r and db_r = Σ g_r of each worker into the slab; return dx = g W (g if unwanted)."""
        rows, x = (tensor.reshape(workers, -1, tensor.shape[-1]) for tensor in (g, kept))
        outer(rows, x, slab[self.weight])
        if self.bias is not None:
            torch.sum(rows, 1, out=slab[self.bias])
        return linear(g, values[self.weight].mT) if onward else g
