"""Layers without parameters that treat each sample by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_SAMPLEWISE: tuple[type[nn.Module], ...] = (
    nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish,
    nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.LogSigmoid,
    nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.ZeroPad2d,
)  # fmt: skip


def is_samplewise(layer: nn.Module) -> bool:
    """Tell whether a layer is known to have no parameters, no randomness, and to leave samples unmixed."""
    if type(layer) is nn.Flatten:
        return layer.start_dim >= 1
    return type(layer) in _SAMPLEWISE


@dataclass(frozen=True)
class Samplewise:
    """A run of such layers, differentiated by autograd as they are.

    Parameters
    ----------
    layers : tuple of nn.Module
        Applied one after the other; none may work in place.
    """

    layers: tuple[nn.Module, ...]

    def forward(self, x: Tensor, values: Sequence[Tensor]) -> Tensor:
        """Apply the layers to `x`, shape (N, ...)."""
        for layer in self.layers:
            x = layer(x)
        return x

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Apply the layers and keep autograd's graph from the input to the output."""
        with torch.enable_grad():
            start = x.detach().requires_grad_()
            end = self.forward(start, values)
        return end.detach(), (start, end)

    def backward(
        self,
        g: Tensor,
        kept: tuple[Tensor, Tensor],
        values: Sequence[Tensor],
        slab: Sequence[Tensor],
        workers: int,
        *,
        onward: bool,
    ) -> Tensor:
        """Return dx; there are no parameters to write."""
        start, end = kept
        return torch.autograd.grad(end, start, g)[0]
