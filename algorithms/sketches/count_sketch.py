"""Count Sketch: r rows of c buckets, each of which sums the coordinates hashed to it with random signs.

It is linear, so that the sketch of a sum is the sum of sketches that share their hashes; each coordinate is estimated
by the median over the rows.

Legend: `w` vectors, `d` coordinates, `m` given places, `r` rows and `c` columns of the table.

References
----------
Charikar, Chen, Farach-Colton, "Finding Frequent Items in Data Streams", ICALP 2002, Section 3.
Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.kernels.sketching import insert_rows, median, query_rows
from algorithms.sketches.hashes import LARGEST, coefficients, polynomial
from algorithms.sketches.places import places_at, places_of_all

_ON_DEVICE = 1 << 22  # coordinates hashed together on a GPU, where few large steps are fast


@dataclass(frozen=True)
class CountSketch:
    """How vectors are sketched: what all who add their sketches must agree on.

    Parameters
    ----------
    size : int
        Coordinates, 1 <= d <= 2**30.
    rows : int
        r, odd: the median of an even number of estimates is biased. More make a large error rarer.
    columns : int
        c, at least 1. More make the usual error smaller, ||v|| / sqrt(c).
    seed : int
        Of the hashes, 0 <= seed < 2**64.

    Raises
    ------
    ValueError
        If one of them is out of range.

    Notes
    -----
    Row j hashes coordinate i to bucket floor(h_j(i) c / 2**31) with h_j linear (pairwise independent), and to a sign by
    the parity of a cubic polynomial (4-wise independent), both modulo the prime p = 2**31 - 1.
    """

    size: int
    rows: int
    columns: int
    seed: int

    def __post_init__(self) -> None:
        if whole("algorithm.rows", self.rows) % 2 == 0:
            raise ValueError(
                f"algorithm.rows: expected an odd number, since a coordinate's estimate is the median over the rows of "
                f"a Count Sketch, got {self.rows}"
            )
        whole("algorithm.columns", self.columns)
        if self.rows >= 1 << 16 or self.columns >= LARGEST:
            came = f"{self.rows} x {self.columns}"
            raise ValueError(f"algorithm.rows, algorithm.columns: expected at most 65535 x 2**30 buckets, got {came}")
        if not 1 <= self.size <= LARGEST:
            raise ValueError(f"CountSketch.size: expected 1 <= d <= 2**30 coordinates, got {self.size}")
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"algorithm.hash_seed: expected 0 <= seed < 2**64, got {self.seed}")

    def hashed(self, row: int, points: Tensor) -> tuple[Tensor, Tensor]:
        """Hash coordinates by one row's functions.

        Parameters
        ----------
        row : int
            In 0..r-1.
        points : Tensor of int64, shape (m,)

        Returns
        -------
        buckets : Tensor of int64, shape (m,)
        signs : Tensor of int8, shape (m,)
            +1 or -1.
        """
        linear = coefficients(self.seed, "bucket", self.rows, 2)[row]
        cubic = coefficients(self.seed, "sign", self.rows, 4)[row]
        if points.is_cuda:
            places = (polynomial(points, linear) * self.columns) >> 31
            return places, (1 - 2 * (polynomial(points, cubic) & 1)).to(torch.int8)
        host = points.numpy()  # numpy's integer products take a third of the time of torch's
        found = (polynomial(host, linear) * self.columns) >> 31
        parity = (polynomial(host, cubic) & 1).astype(np.int8)
        return torch.from_numpy(found), torch.from_numpy(1 - 2 * parity)

    def insert(self, values: Tensor, at: Tensor | None = None) -> Tensor:
        """Sketch vectors.

        Parameters
        ----------
        values : Tensor, shape (w, d), or (w, m) with `at`
            float32 or float64.
        at : Tensor of int64, shape (m,), optional
            The coordinates that `values` speaks about, the others being 0; all by default.

        Returns
        -------
        Tensor, shape (w, r, c)
            S[j, h_j(i)] += s_j(i) v_i, coordinate after coordinate: the same bits whatever other vectors are there.
        """
        w = values.shape[0]
        if at is None and values.shape[1] != self.size:
            raise ValueError(f"values: expected {self.size} coordinates, got {values.shape[1]}")
        table = values.new_zeros(w, self.rows, self.columns)
        if values.is_cuda:
            self._insert_on_device(values, at, table)
        elif at is None:
            for span, places in places_of_all(self._shape):
                insert_rows(values[:, span].contiguous().numpy(), places, table.numpy())
        else:
            insert_rows(values.contiguous().numpy(), places_at(self._shape, at.long().numpy()), table.numpy())
        return table

    def query(self, table: Tensor) -> Tensor:
        """Estimate every coordinate, median_j s_j(i) S[j, h_j(i)]: shape (w, r, c) -> (w, d)."""
        out = table.new_empty(table.shape[0], self.size)
        if table.is_cuda:
            self._query_on_device(table, out)
        else:
            sums = table.contiguous().numpy()
            for span, places in places_of_all(self._shape):
                found = np.empty((len(sums), places.shape[1]), sums.dtype)
                query_rows(sums, places, found)
                out[:, span] = torch.from_numpy(found)
        return out

    def norm(self, table: Tensor) -> Tensor:
        """Estimate 2-norms, sqrt(median_j sum_b S[j, b]**2): shape (w, r, c) -> (w,)."""
        return median(list(table.square().sum(dim=2).unbind(1))).sqrt()

    def touched(self, at: Tensor) -> Tensor:
        """Mark the buckets to which coordinates are hashed: shape (m,) -> (r, c), bool."""
        mask = torch.zeros(self.rows, self.columns, dtype=torch.bool, device=at.device)
        for row in range(self.rows):
            mask[row, self.hashed(row, at.long())[0]] = True
        return mask

    @property
    def _shape(self) -> tuple[int, int, int, int]:
        return self.size, self.rows, self.columns, self.seed

    def _insert_on_device(self, values: Tensor, at: Tensor | None, table: Tensor) -> None:
        for span, points in _blocks(values, at):
            for row in range(self.rows):
                buckets, signs = self.hashed(row, points)
                # adds equal buckets in a fixed order, which atomics would not
                table[:, row].T.index_put_((buckets,), (values[:, span] * signs).T, accumulate=True)

    def _query_on_device(self, table: Tensor, out: Tensor) -> None:
        for span, points in _blocks(out, None):
            guesses = []
            for row in range(self.rows):
                buckets, signs = self.hashed(row, points)
                guesses.append(table[:, row].index_select(1, buckets).mul_(signs))
            out[:, span] = median(guesses)


def _blocks(values: Tensor, at: Tensor | None) -> Iterator[tuple[slice, Tensor]]:
    for start in range(0, values.shape[1], _ON_DEVICE):
        span = slice(start, min(start + _ON_DEVICE, values.shape[1]))
        yield span, torch.arange(start, span.stop, device=values.device) if at is None else at[span].long()
