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
from typing import ClassVar

import torch
from torch import Tensor

Kept = tuple[Tensor, Tensor, Tensor]
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
    workers : int
        w, whose samples follow each other.
    """

    weight: int | None
    bias: int | None
    eps: float
    workers: int

    axes: ClassVar[int] = 1  # of w and b
    mixes: ClassVar[bool] = False  # whether the statistics are over several samples

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, Kept]:
        """Apply the layer to `x`, shape (N, ...); w and b may be shared or have a row for each worker."""
        if not self.mixes and self._shared(values):
            y, means, scales = self.apply(x, *self._values(values, 0))
            return y, (x, means, scales)
        parts = [self.apply(some, *self._values(values, r)) for r, some in enumerate(x.chunk(self.workers))]
        y, means, scales = (torch.cat(part) for part in zip(*parts, strict=True))
        return y, (x, means, scales)

    def backward(
        self, g: Tensor, kept: Kept, values: Sequence[Tensor], slab: Sequence[Tensor], workers: int, *, onward: bool
    ) -> Tensor:
        """Write dw and db of each worker into the slab and return dx (g itself if nobody wants it)."""
        back = torch.empty_like(kept[0]) if onward else g
        slices = (tensor.unflatten(0, (workers, -1)) for tensor in (g, *kept, back))
        for r, (mine, x, means, scales, rest) in enumerate(zip(*slices, strict=True)):
            dx, dw, db = self.differentiate(mine, x, means, scales, *self._values(values, r))
            for position, gradient in ((self.weight, dw), (self.bias, db)):
                if position is not None:
                    slab[position][r].copy_(gradient)
            if onward:
                rest.copy_(dx)
        return back

    def _shared(self, values: Sequence[Tensor]) -> bool:
        return all(values[p].dim() == self.axes for p in (self.weight, self.bias) if p is not None)

    def _values(self, values: Sequence[Tensor], r: int) -> tuple[Tensor | None, Tensor | None]:
        found = [None if p is None else values[p] for p in (self.weight, self.bias)]
        w, b = (value if value is None or value.dim() == self.axes else value[r] for value in found)
        return w, b

    @abstractmethod
    def apply(self, x: Tensor, w: Tensor | None, b: Tensor | None) -> Kept:
        """Give y, the means and the inverse deviations."""
        ...

    @abstractmethod
    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> Kept:
        """Give dx, dw and db of one worker's samples."""
        ...


@dataclass(frozen=True)
class GroupNormalisation(Normalisation):
    """Statistics over each of `groups` groups of channels of a sample; w and b have shape (channels,)."""

    groups: int

    def apply(self, x: Tensor, w: Tensor | None, b: Tensor | None) -> Kept:
        """Normalise `x`, shape (samples, channels, ...)."""
        return torch.native_group_norm(x, w, b, *_sizes(x), self.groups, self.eps)

    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> Kept:
        """Give dx, dw and db of one worker's samples."""
        result: Kept = torch.ops.aten.native_group_norm_backward(g, x, means, scales, w, *_sizes(x), self.groups, _ALL)
        return result


@dataclass(frozen=True)
class LayerNormalisation(Normalisation):
    """Statistics over the last axes of each position; these are the `shape` of w and b."""

    shape: tuple[int, ...]

    @property
    def axes(self) -> int:  # type: ignore[override]
        """Of w and b."""
        return len(self.shape)

    def apply(self, x: Tensor, w: Tensor | None, b: Tensor | None) -> Kept:
        """Normalise `x`, shape (samples, ..., *shape)."""
        return torch.native_layer_norm(x, self.shape, w, b, self.eps)

    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> Kept:
        """Give dx, dw and db of one worker's samples."""
        result: Kept = torch.ops.aten.native_layer_norm_backward(
            g, x, self.shape, means, scales, w, b, [True, True, b is not None]
        )
        return result


@dataclass(frozen=True)
class BatchNormalisation(Normalisation):
    """Statistics over a worker's samples for each channel; w and b have shape (channels,)."""

    mixes: ClassVar[bool] = True

    def apply(self, x: Tensor, w: Tensor | None, b: Tensor | None) -> Kept:
        """Normalise `x`, shape (samples, channels, ...), of one worker."""
        return torch.native_batch_norm(x, w, b, None, None, True, 0.0, self.eps)

    def differentiate(
        self, g: Tensor, x: Tensor, means: Tensor, scales: Tensor, w: Tensor | None, b: Tensor | None
    ) -> Kept:
        """Give dx, dw and db of one worker's samples."""
        result: Kept = torch.ops.aten.native_batch_norm_backward(
            g, x, w, None, None, means, scales, True, self.eps, _ALL
        )
        return result


def _sizes(x: Tensor) -> tuple[int, int, int]:
    return len(x), x.shape[1], math.prod(x.shape[2:])
