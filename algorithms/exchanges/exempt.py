"""Coordinates that travel exactly beside compressed ones: biases, small tensors.

d coordinates, of which some are compressed and b are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from algorithms.checks import boolean, whole
from algorithms.layout import Layout


@dataclass(frozen=True)
class Split:
    """The coordinates of one layout, dealt into two sets.

    Parameters
    ----------
    exact : Tensor of bool, shape (d,)
        Which coordinates are not compressed.
    """

    exact: Tensor

    @property
    def compressed(self) -> Tensor:
        """The compressed coordinates, increasing, int64."""
        return torch.nonzero(~self.exact).view(-1)

    def compressed_of(self, rows: Tensor) -> Tensor:
        """Give the compressed columns, shape (w, d) -> (w, d - b): `rows` themselves if that is all, else a copy.

        Exempt tensors lie between others in one piece each, and what lies between them is copied as such, which is
        several times faster than by index.
        """
        if not self.count:
            return rows
        return torch.cat([rows[:, piece] for piece in self._pieces], dim=1)

    @cached_property
    def _pieces(self) -> list[slice]:
        edge = torch.ones(1, dtype=torch.bool, device=self.exact.device)
        turns = torch.nonzero(torch.diff(self.exact, prepend=edge, append=edge)).view(-1).tolist()
        return [slice(a, b) for a, b in zip(turns[::2], turns[1::2], strict=True)]

    @cached_property
    def count(self) -> int:
        """How many are exact, b."""
        return int(self.exact.sum())

    def with_exact(self, chosen: Tensor) -> Tensor:
        """Join chosen coordinates with the exact ones, increasing."""
        return torch.cat([chosen, torch.nonzero(self.exact).view(-1)]).sort().values if self.count else chosen


@dataclass(frozen=True)
class Exempt:
    """Which tensors are never compressed.

    Parameters
    ----------
    biases : bool
        Those of one dimension, in a model that has others too (one of vectors alone is compressed whole).
    below : int
        Those of fewer coordinates.

    References
    ----------
    Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Section 5 (bias terms); the
    threshold is an option of the authors' code.
    """

    biases: bool = False
    below: int = 0

    def __post_init__(self) -> None:
        boolean("algorithm.uncompressed_biases", self.biases)
        whole("algorithm.uncompressed_below", self.below, least=0)

    def split(self, layout: Layout, device: torch.device) -> Split:
        """Deal a layout's coordinates; ValueError if none is left to compress."""
        biases = self.biases and any(len(shape) > 1 for shape in layout.shapes)
        exact = torch.zeros(layout.size, dtype=torch.bool)
        for where, shape in zip(layout.slices, layout.shapes, strict=True):
            exact[where] = (biases and len(shape) <= 1) or where.stop - where.start < self.below
        if bool(exact.all()):
            raise ValueError(
                f"algorithm.uncompressed_below: expected a tensor of at least so many coordinates to compress, got "
                f"{self.below}"
            )
        return Split(exact.to(device))
