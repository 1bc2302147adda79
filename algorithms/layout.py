"""Where each named tensor of a model lies in the flat parameter vector of d coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor, nn


@dataclass(frozen=True)
class Layout:
    """Names, shapes and slices of the tensors that make up the flat vector.

    Parameters
    ----------
    names : tuple of str
        One name per tensor, in the order in which they lie in the vector.
    shapes : tuple of tuple of int
        The shape of each tensor.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, module: nn.Module) -> Layout:
        """Read the layout off a module's named parameters."""
        pairs = [(name, tuple(p.shape)) for name, p in module.named_parameters()]
        return cls(tuple(name for name, _ in pairs), tuple(shape for _, shape in pairs))

    @classmethod
    def flat(cls, size: int) -> Layout:
        """Describe a vector that is one tensor of `size` coordinates."""
        return cls(("x",), ((size,),))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The half-open range of each tensor in the flat vector."""
        ranges, start = [], 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            ranges.append(slice(start, stop))
            start = stop
        return tuple(ranges)

    @property
    def size(self) -> int:
        """The number of coordinates, d."""
        return sum(math.prod(shape) for shape in self.shapes)

    def views(self, flat: Tensor) -> list[Tensor]:
        """View each tensor inside `flat`.

        Parameters
        ----------
        flat : Tensor, shape (..., d)
            One or several flat vectors.

        Returns
        -------
        list of Tensor, shape (..., *shape)
            Views that share memory with `flat`.
        """
        if flat.shape[-1] != self.size:
            raise ValueError(f"flat: expected {self.size} coordinates in the last axis, got {flat.shape[-1]}")
        leading = flat.shape[:-1]
        return [flat[..., s].view(*leading, *shape) for s, shape in zip(self.slices, self.shapes, strict=True)]
