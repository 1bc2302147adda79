"""Which coordinates of a row a sparsifier keeps, and what a paper bills for saying which.

w rows, d coordinates of a row (a tensor's, inside `PerTensor`), k kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Draw
from algorithms.compressors.base import check_sparsity, kept
from algorithms.compressors.randomk import support
from algorithms.compressors.selection import largest

SELECTIONS = ("top", "random")
INDEX_WIDTHS = ("tensor", "global", "32")


@dataclass(frozen=True)
class Kept:
    """The choice of k coordinates of each row.

    Parameters
    ----------
    k : int or None
        K, coordinates kept of a row.
    density : float or None
        Or the fraction of the row, at least one coordinate.
    cap : bool
        A row shorter than K is kept whole, k = min(d, K); else it is refused.
    select : {"top", "random"}
        The largest magnitudes (ties to the lowest index), or k drawn without replacement, each worker its own.
    index_width : {"tensor", "global", "32"}
        Bits that the paper's count takes for an index: ceil(log2 d) of the row, ceil(log2 d) of the whole model, or 32.

    Raises
    ------
    ValueError
        If not exactly one of `k` and `density` is given, a word is unknown, or K > d without `cap`.
    """

    k: int | None = None
    density: float | None = None
    cap: bool = True
    select: str = "top"
    index_width: str = "tensor"

    def __post_init__(self) -> None:
        check_sparsity(self.density, self.k)
        boolean("algorithm.compressor.cap", self.cap)
        object.__setattr__(self, "index_width", str(self.index_width))  # a yaml's 32 is a number
        for key, known in (("select", SELECTIONS), ("index_width", INDEX_WIDTHS)):
            if getattr(self, key) not in known:
                came = getattr(self, key)
                raise ValueError(f"algorithm.compressor.{key}: expected one of {', '.join(known)}, got {came!r}")

    def count(self, d: int) -> int:
        """Give k for a row of d coordinates."""
        if self.k is not None and self.k > d and not self.cap:
            raise ValueError(
                f"algorithm.compressor.k: expected K <= d = {d}, the coordinates of the tensor, without "
                f"algorithm.compressor.cap (k = min(d, K), Basu et al. 2019), got {self.k}"
            )
        return kept(self.density, None if self.k is None else min(self.k, d), d)

    def __call__(self, rows: Tensor, draw: Draw) -> Tensor:
        """Choose among each of the w rows: column numbers, int64, shape (w, k), increasing."""
        w, d = rows.shape
        k = self.count(d)
        if self.select == "top":
            return largest(rows, k)
        if k == d:
            return torch.arange(d, device=rows.device).repeat(w, 1)
        return support(draw.private.at("support"), draw.workers, k, d)

    def index_bits(self, d: int, draw: Draw) -> int:
        """Give the bits that a paper counts for one index."""
        if self.index_width == "32":
            return 32
        return math.ceil(math.log2(draw.layout.size if self.index_width == "global" else d))

    def passes(self) -> float:
        """As `TopK` and `RandomK` bill them."""
        return 4.0 if self.select == "top" else 1.0
