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
    ready : tuple of float
        The fraction of a gradient's operations, forward pass included, after which each tensor's part of it is there,
        in [0, 1]; empty: all are there at the end.

    Raises
    ------
    ValueError
        If there is not one `ready` for each tensor, or one is no fraction.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    ready: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.ready and len(self.ready) != len(self.names):
            raise ValueError(f"ready: expected {len(self.names)} fractions, one for each tensor, got {len(self.ready)}")
        if bad := [value for value in self.ready if not 0 <= value <= 1]:
            raise ValueError(f"ready: expected fractions of a gradient in [0, 1], got {bad[0]}")

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
