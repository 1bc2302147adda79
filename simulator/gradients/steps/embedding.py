"""Per-worker gradients of a table of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Lookup:
    """The step y = W[symbol].

    Parameters
    ----------
    weight : int
        Position of W (symbols, width) in the layout.
    padding : int or None
        A symbol whose vector gets no gradient.
    """

    weight: int
    padding: int | None = None

    def forward_kept(self, symbols: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Give the vectors, shape (N, ..., width), of `symbols`, shape (N, ...); W may have a row for each worker."""
        weight = values[self.weight]
        if weight.dim() == 2:
            return torch.nn.functional.embedding(symbols, weight), symbols
        owners = torch.arange(len(weight), device=weight.device)[:, None]
        y = weight[owners, symbols.reshape(len(weight), -1)]
        return y.view(*symbols.shape, -1), symbols

    def backward(
        self, g: Tensor, kept: Tensor, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write dW of each worker into the slab, vectors of symbols that do not occur as 0; symbols have no gradient.

        Notes
        -----
        Sums are in the order of the symbols on a CPU. On a GPU `index_put_` sorts first, so that they are too.
        """
        out = slab[self.weight].zero_()
        g = g.reshape(workers, -1, g.shape[-1])
        symbols = kept.reshape(workers, -1)
        if self.padding is not None:
            g = g.masked_fill((symbols == self.padding)[..., None], 0)
        if g.is_cuda:
            owners = torch.arange(workers, device=g.device)[:, None].expand_as(symbols)
            out.index_put_((owners, symbols), g, accumulate=True)
        else:
            for mine, some, vectors in zip(out, symbols, g, strict=True):
                mine.scatter_add_(0, some[:, None].expand_as(vectors), vectors)
        return g
