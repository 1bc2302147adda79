"""How large a sketch a run uses, and with which hashes: what is configured, before the number of coordinates is known.

r rows, c columns, k coordinates that are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from algorithms.checks import whole
from algorithms.cohort import Cohort
from algorithms.sketches.count_sketch import CountSketch


@dataclass(frozen=True)
class SketchShape:
    """The size and the hashes of a run's sketches; all rounds and all workers have the same.

    Parameters
    ----------
    rows : int
        r, odd.
    columns : int or None
        c.
    columns_per_kept : float or None
        c / k instead of c, > 0.
    hash_seed : int or None
        Of the hashes; None: drawn from the run's seed.

    Raises
    ------
    ValueError
        If the rows are even, or not exactly one of `columns` and `columns_per_kept` is given and in range.
    """

    rows: int
    columns: int | None
    columns_per_kept: float | None
    hash_seed: int | None

    def __post_init__(self) -> None:
        ratio = self.columns_per_kept
        if (self.columns is None) == (ratio is None):
            came = f"{self.columns} and {ratio}"
            raise ValueError(f"algorithm.columns, algorithm.columns_per_kept: expected exactly one, got {came}")
        if ratio is not None and (isinstance(ratio, bool) or not (isinstance(ratio, (int, float)) and 0 < ratio < 1e6)):
            raise ValueError(f"algorithm.columns_per_kept: expected c / k, a positive number, got {ratio!r}")
        seed = 0 if self.hash_seed is None else whole("algorithm.hash_seed", self.hash_seed, least=0)
        CountSketch(1, self.rows, 1 if self.columns is None else self.columns, seed)

    def sketch(self, cohort: Cohort, size: int, k: int) -> CountSketch:
        """Make the sketch from which k of `size` coordinates shall be told."""
        columns = self.columns or max(1, round((self.columns_per_kept or 0.0) * k))
        if self.hash_seed is not None:
            return CountSketch(size, self.rows, columns, self.hash_seed)
        low, high = (int(word) & 0xFFFFFFFF for word in cohort.shared(0).at("hashes").bits(torch.tensor([0]), 2)[0])
        return CountSketch(size, self.rows, columns, high << 32 | low)
