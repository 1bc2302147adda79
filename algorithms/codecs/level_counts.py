"""How often each level occurs in each row: what the sizes and the entropy of levels are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.codecs.bitstream import Integers
from algorithms.codecs.ragged import Ragged
from algorithms.kernels.histogram import count_rows

_BLOCK = 1 << 20  # entries counted together: their keys should stay in the cache
_CELLS = 1 << 22  # cells of a table of counts; where it would be larger the levels are sorted instead


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """The cells (row, level) that occur, and how often.

    Parameters
    ----------
    rows : Ragged
        Bounds of w rows of levels.
    owners, levels, times : ndarray of int64, shape (cells,)
        Row, level and number of times of each cell.
    """

    rows: Ragged
    owners: Integers
    levels: Integers
    times: Integers

    @classmethod
    def of(cls, levels: Tensor, rows: Ragged, s: int) -> LevelCounts:
        """Count the levels in -s..s, a Tensor of integers, shape (m,), of each row."""
        nothing = np.zeros(0, np.int64)
        cells = [(nothing, nothing, nothing)]
        start = 0
        while start < rows.rows:
            limit = rows.indptr[start] + _BLOCK
            stop = max(start + 1, int(np.searchsorted(rows.indptr, limit, side="right")) - 1)
            block, where = rows.take(slice(start, stop), levels.device)
            owners, found, times = _count(levels[where], block, s)
            cells.append((owners + start, found, times))
            start = stop
        return cls(rows, *(np.concatenate(column) for column in zip(*cells, strict=True)))

    @staticmethod
    def table(rows: int, s: int) -> Integers:
        """Give zeros of shape (rows, 2 s + 1) to count in, or (rows, 0) where that would be too large."""
        return np.zeros((rows, 2 * s + 1 if rows * (2 * s + 1) <= _CELLS else 0), np.int64)

    @classmethod
    def of_table(cls, table: Integers, rows: Ragged) -> LevelCounts:
        """Take how often each of -s..s occurs in each row, shape (w, 2 s + 1)."""
        return cls(rows, *_cells(table))

    @classmethod
    def join(cls, parts: Sequence[LevelCounts]) -> LevelCounts:
        """Put the rows of several behind one another."""
        rows = Ragged.of_counts(np.concatenate([part.rows.counts for part in parts]))
        before = np.cumsum([0, *(part.rows.rows for part in parts)])
        owners = np.concatenate([part.owners + first for part, first in zip(parts, before, strict=False)])
        levels, times = (np.concatenate([getattr(part, name) for part in parts]) for name in ("levels", "times"))
        return cls(rows, owners, levels, times)

    def elias_bits(self) -> Integers:
        """Give the bits of each row's levels: 2 floor(log2(|level| + 1)) + 1 each, and a sign unless 0, shape (w,)."""
        magnitude = np.abs(self.levels)
        length = 2 * (np.frexp(magnitude + 1.0)[1].astype(np.int64) - 1) + 1 + (magnitude > 0)
        return np.bincount(self.owners, self.times * length, minlength=self.rows.rows).astype(np.int64)

    def entropy(self) -> NDArray[np.float64]:
        """Give each row's number of levels times their empirical entropy, in bits, shape (w,).

        No code that gives each level a codeword of its own is shorter.
        """
        weights = -self.times * np.log2(self.times / self.rows.counts[self.owners])
        return np.bincount(self.owners, weights, minlength=self.rows.rows).astype(np.float64)


def _count(levels: Tensor, rows: Ragged, s: int) -> tuple[Integers, Integers, Integers]:
    alphabet = 2 * s + 1
    cells = rows.rows * alphabet
    if cells <= _CELLS and not levels.is_cuda:
        table = LevelCounts.table(rows.rows, s)
        count_rows(levels.contiguous().numpy(), rows.indptr, s, table)
        return _cells(table)
    narrow = torch.int16 if cells <= 1 << 15 else torch.int32 if cells <= 1 << 31 else torch.int64
    keys = levels.to(narrow) + rows.spread((torch.arange(rows.rows, device=levels.device) * alphabet + s).to(narrow))
    if cells <= _CELLS:
        times = torch.bincount(keys, minlength=cells)
        found = times.nonzero().squeeze(1)
        times = times[found]
    else:
        found, times = torch.unique(keys, return_counts=True)
    where = found.cpu().numpy().astype(np.int64)
    return where // alphabet, where % alphabet - s, times.cpu().numpy()


def _cells(table: Integers) -> tuple[Integers, Integers, Integers]:
    owners, columns = np.nonzero(table)
    return owners, columns - table.shape[1] // 2, table[owners, columns]
