"""Rows of different lengths laid end to end in one flat array.

Legend: `w` rows, `m` entries in all; row r holds the flat entries `indptr[r]:indptr[r + 1]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ragged:
    """The bounds of `w` rows in a flat array; they live on the host, whatever device the entries are on.

    Parameters
    ----------
    indptr : ndarray of int64, shape (w + 1,)
        Starts at 0, never decreases, ends at m.
    """

    indptr: Integers

    @classmethod
    def of_counts(cls, counts: Integers) -> Ragged:
        """Lay rows of these lengths end to end."""
        indptr = np.zeros(counts.size + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        return cls(indptr)

    @classmethod
    def even(cls, rows: int, length: int) -> Ragged:
        """Lay `rows` rows of one length end to end."""
        return cls(np.arange(rows + 1, dtype=np.int64) * length)

    @property
    def rows(self) -> int:
        """The number of rows, w."""
        return int(self.indptr.size - 1)

    @property
    def entries(self) -> int:
        """The number of entries in all, m."""
        return int(self.indptr[-1])

    @cached_property
    def counts(self) -> Integers:
        """Entries of each row, shape (w,)."""
        return np.diff(self.indptr)

    @cached_property
    def length(self) -> int | None:
        """The common length of all rows, None where they differ (or where there is no row)."""
        counts = self.counts
        return int(counts[0]) if counts.size and bool((counts == counts[0]).all()) else None

    def bounds(self, rows: slice) -> slice:
        """Give the flat range that holds a range of consecutive rows."""
        start, stop, step = rows.indices(self.rows)
        if step != 1:
            raise ValueError(f"rows: expected a range of consecutive rows, got step {step}")
        return slice(int(self.indptr[start]), int(self.indptr[max(start, stop)]))

    def spread(self, per_row: Tensor) -> Tensor:
        """Repeat each row's number once per entry: shape (w,) -> (m,), on the device of `per_row`."""
        if self.length is not None:
            return per_row[:, None].expand(-1, self.length).reshape(-1)
        return per_row.repeat_interleave(torch.from_numpy(self.counts).to(per_row.device), output_size=self.entries)

    def row_numbers(self, device: torch.device) -> Tensor:
        """Name the row of each entry, int64, shape (m,)."""
        return self.spread(torch.arange(self.rows, device=device))

    def offsets(self, device: torch.device) -> Tensor:
        """Number the entries of each row from 0, int64, shape (m,)."""
        starts = torch.from_numpy(self.indptr[:-1]).to(device)
        return torch.arange(self.entries, device=device) - self.spread(starts)

    def take(self, rows: slice | Tensor, device: torch.device) -> tuple[Ragged, slice | Tensor]:
        """Choose rows: their own bounds, and where their entries lie in the flat array."""
        if isinstance(rows, slice) and rows.step in (None, 1):
            where = self.bounds(rows)
            return Ragged.of_counts(self.counts[rows]), where
        chosen = np.arange(self.rows)[rows] if isinstance(rows, slice) else rows.cpu().numpy()
        taken = Ragged.of_counts(self.counts[chosen])
        starts = torch.from_numpy(self.indptr[:-1][chosen]).to(device)
        return taken, taken.spread(starts) + taken.offsets(device)

    def sums(self, flat: NDArray[Any]) -> Integers:
        """Add up each row of a flat host array of integers, shape (m,) -> (w,); the sums must fit its dtype."""
        if self.length is not None:
            return np.asarray(flat.reshape(self.rows, self.length).sum(axis=1), np.int64)
        total = np.zeros(self.rows, np.int64)
        filled = self.counts > 0  # reduceat cannot express an empty row
        if filled.any():
            total[filled] = np.add.reduceat(flat, self.indptr[:-1][filled])
        return total
