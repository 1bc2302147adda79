"""Per-worker gradients of the scale w and the shift b of a normalisation.

On the way back each worker's samples go through the framework's own kernel by themselves, which gives dw and db beside
dx: as fast as one call for all, as a slice stays in the cache. Batch normalisation takes each worker's own statistics
on the way forward too.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Kept = tuple[Tensor, Tensor, Tensor]  # input, means, inverse deviations
_ALL = [True, True, True]  # asking for less saves no time, and crashes with channels-last images on a CPU


@dataclass(frozen=True)
class Normalisation(ABC):
    """A layer y = (x - mean) / sqrt(variance + eps) * w + b.

    Parameters
    ----------
    weight, bias : int or None
        Positions of w and b in the layout; None without.
    eps : float
        Added to the variance.
    """

    weight: int | None
    bias: int | None
    eps: float

    def backward(
        self, g: Tensor, kept: Kept, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write dw and db of each worker into the slab and return dx (g itself if nobody wants it)."""
        w, b = self._values(values)
        back = torch.empty_like(kept[0]) if onward else g
        slices = (tensor.unflatten(0, (workers, -1)) for tensor in (g, *kept, back))
        for r, (mine, x, means, scales, rest) in enumerate(zip(*slices, strict=True)):
            dx, dw, db = self.differentiate(mine, x, means, scales, w, b)
            for position, gradient in ((self.weight, dw), (self.bias, db)):
                if position is not None:
                    slab[position][r].copy_(gradient)
            if onward:
                rest.copy_(dx)
        return back

    def _values(self, values: Sequence[Tensor]) -> tuple[Tensor | None, Tensor | None]:
        return (
            None if self.weight is None else values[self.weight],
            None if self.bias is None else values[self.bias],
        )

    @abstractmethod
    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give dx, dw and db of one worker's samples."""
        ...


@dataclass(frozen=True)
class GroupNormalisation(Normalisation):
    """Statistics over each of `groups` groups of channels of a sample; w and b have shape (channels,)."""

    groups: int

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Kept]:
        """Apply the layer to `x`, shape (N, channels, ...)."""
        y, means, scales = torch.native_group_norm(x, *self._values(values), *_sizes(x), self.groups, self.eps)
        return y, (x, means, scales)

    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give dx, dw and db of one worker's samples."""
        result: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_group_norm_backward(
            g, x, means, scales, w, *_sizes(x), self.groups, _ALL
        )
        return result


@dataclass(frozen=True)
class LayerNormalisation(Normalisation):
    """Statistics over the last axes of each position; these are the `shape` of w and b."""

    shape: tuple[int, ...]

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Kept]:
        """Apply the layer to `x`, shape (N, ..., *shape)."""
        y, means, scales = torch.native_layer_norm(x, self.shape, *self._values(values), self.eps)
        return y, (x, means, scales)

    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give dx, dw and db of one worker's samples."""
        result: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_layer_norm_backward(
            g, x, self.shape, means, scales, w, b, [True, True, b is not None]
        )
        return result


@dataclass(frozen=True)
class BatchNormalisation(Normalisation):
    """Statistics over a worker's samples for each channel; w and b have shape (channels,)."""

    workers: int

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Kept]:
        """Apply the layer to `x`, shape (N, channels, ...)."""
        w, b = self._values(values)
        y, statistics = torch.empty_like(x), x.new_empty((2, self.workers, x.shape[1]))
        slices = (tensor.unflatten(0, (self.workers, -1)) for tensor in (x, y))
        for mine, out, means, scales in zip(*slices, *statistics, strict=True):
            torch.ops.aten.native_batch_norm.out(
                mine, w, b, None, None, True, 0.0, self.eps, out=out, save_mean=means, save_invstd=scales
            )
        return y, (x, statistics[0], statistics[1])

    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give dx, dw and db of one worker's samples."""
        result: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.native_batch_norm_backward(
            g, x, w, None, None, means.view(-1), scales.view(-1), True, self.eps, _ALL
        )
        return result


def _sizes(x: Tensor) -> tuple[int, int, int]:
    return len(x), x.shape[1], math.prod(x.shape[2:])
