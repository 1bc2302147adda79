"""Per-worker gradients of a two-dimensional convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Convolution:
    """The layer y = x * W + b.

    On a CPU activations are kept channels-last. Max pooling then runs over vectors of channels (measured 6 times faster
    after LeNet's first layer), and the convolutions are faster by a third, also the one with a single input channel.

    Parameters
    ----------
    weight, bias : int
        Positions of W (out, in / groups, height, width) and b (out,) in the layout; `bias` is None without one.
    stride, padding, dilation : tuple of int
        As in `nn.Conv2d`, zero padding only.
    groups : int
        As in `nn.Conv2d`.
    """

    weight: int
    bias: int | None
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    @classmethod
    def of(cls, layer: nn.Conv2d, weight: int, bias: int | None) -> Convolution:
        """Read stride, padding, dilation and groups off a layer."""
        assert not isinstance(layer.padding, str)
        return cls(weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)

    def forward(self, x: Tensor, values: Sequence[Tensor]) -> Tensor:
        """Apply the layer to `x`, shape (N, in, height, width)."""
        y, _ = self.forward_kept(x, values)
        return y

    def forward_kept(self, x: Tensor, values: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Apply the layer; keep its input and weights in the memory format in which they were used."""
        x, weight = _packed(x), _packed(values[self.weight])
        bias = None if self.bias is None else values[self.bias]
        y = torch.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        return y, (x, weight)

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
        """Write dW and db of each worker into the slab and return dx (g itself if nobody wants it)."""
        x, weight = kept
        g = _packed(g)
        if self.bias is not None:
            torch.sum(g.unflatten(0, (workers, -1)), (1, 3, 4), out=slab[self.bias])
        if g.is_cuda:
            self.grouped(g, x, weight, slab[self.weight])
        else:
            self.one_by_one(g, x, weight, slab[self.weight])
        return self._differentiate(g, x, weight, self.groups, 0) if onward else g

    def one_by_one(self, g: Tensor, x: Tensor, weight: Tensor, out: Tensor) -> None:
        """Write dW with one kernel per worker; fastest on a CPU."""
        for r, (mine, samples) in enumerate(zip(g.chunk(len(out)), x.chunk(len(out)), strict=True)):
            out[r].copy_(self._differentiate(mine, samples, weight, self.groups, 1))

    def grouped(self, g: Tensor, x: Tensor, weight: Tensor, out: Tensor) -> None:
        """Write dW of all workers with one kernel: the workers become groups of one wide convolution.

        Notes
        -----
        It spares a GPU w small launches. On a CPU it is within 10 % of `one_by_one` for residual networks, slower for
        LeNet.
        """
        w = len(out)
        wide = [t.unflatten(0, (w, -1)).transpose(0, 1).flatten(1, 2) for t in (g, x)]
        # only the weight's shape and type are read when its gradient is all that is asked for
        tall = weight.new_empty((w * weight.shape[0], *weight.shape[1:]))
        out.copy_(self._differentiate(wide[0], wide[1], tall, w * self.groups, 1).view_as(out))

    def _differentiate(self, g: Tensor, x: Tensor, weight: Tensor, groups: int, which: int) -> Tensor:
        wanted = [which == 0, which == 1, False]
        result = torch.ops.aten.convolution_backward(
            g, x, weight, None, self.stride, self.padding, self.dilation, False, [0, 0], groups, wanted
        )
        gradient: Tensor = result[which]
        return gradient


def _packed(x: Tensor) -> Tensor:
    """Lay images out with the channels last on a CPU; leave them as they are elsewhere."""
    if x.is_cuda:
        return x
    if x.shape[1] > 1:
        return x.contiguous(memory_format=torch.channels_last)
    # with one channel both formats look alike: only these strides tell the kernels which one is meant
    height, width = x.shape[2:]
    return x.contiguous().as_strided(x.shape, (height * width, 1, width, 1))
