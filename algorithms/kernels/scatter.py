"""Sparse rows into dense memory: subtracting them from a matrix, and their weighted sum in one fixed order.

Legend: `w` rows, `d` coordinates, `m` entries in all; row r holds the flat entries `indptr[r]:indptr[r + 1]`, and no
index twice. All values are of one dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from algorithms.kernels.compiled import kernel

Floats = NDArray[Any]
Integers = NDArray[np.int64]


def subtract_by_torch(matrix: Floats, indptr: Integers, indices: NDArray[Any], values: Floats) -> None:
    """Do what `subtract` does, by one flat scatter."""
    places = np.repeat(np.arange(len(matrix)) * matrix.shape[1], np.diff(indptr)) + indices
    torch.from_numpy(matrix).view(-1).index_add_(0, torch.from_numpy(places), torch.from_numpy(values), alpha=-1)


@kernel(reference=subtract_by_torch)
def subtract(matrix: Floats, indptr: Integers, indices: NDArray[Any], values: Floats) -> None:
    """Subtract sparse rows from those of a matrix, shape (w, d), in place."""
    for r in range(len(matrix)):
        row = matrix[r]
        for i in range(np.uint64(indptr[r]), np.uint64(indptr[r + 1])):
            row[np.uint64(indices[i])] -= values[i]


def fold_by_torch(
    total: Floats, indptr: Integers, indices: NDArray[Any], values: Floats, weights: Floats, bounds: Integers
) -> None:
    """Do what `fold` does, by a scatter and a dense addition for each chunk."""
    factors = torch.from_numpy(np.repeat(weights, np.diff(indptr)))
    sums, weighted = torch.from_numpy(total), torch.from_numpy(values) * factors
    for first, last in zip(bounds[:-1], bounds[1:], strict=True):
        where = slice(int(indptr[first]), int(indptr[last]))
        partial = torch.zeros_like(sums).index_add_(0, torch.from_numpy(indices[where]), weighted[where])
        sums.add_(partial)


@kernel(reference=fold_by_torch)
def fold(
    total: Floats, indptr: Integers, indices: NDArray[Any], values: Floats, weights: Floats, bounds: Integers
) -> None:
    """Add weighted rows to a vector of zeros: entry after entry within a chunk, then the chunks' sums one by one.

    Parameters
    ----------
    total : ndarray, shape (d,)
        Zeros, changed in place.
    weights : ndarray, shape (w,)
        Of the dtype of the values; a product is rounded before it is added.
    bounds : ndarray of int64, shape (chunks + 1,)
        Rows at which chunks begin, and w.

    Notes
    -----
    A sum that begins at +0 is never -0, so adding +0 for what a chunk does not touch, or has been added already, would
    change no bit. What is touched is made zero again for the next chunk.
    """
    partial = np.zeros_like(total) if bounds.size > 2 else total
    for c in range(bounds.size - 1):
        for r in range(bounds[c], bounds[c + 1]):
            weight = weights[r]
            for i in range(np.uint64(indptr[r]), np.uint64(indptr[r + 1])):
                partial[np.uint64(indices[i])] += values[i] * weight
        if bounds.size > 2:
            for i in range(np.uint64(indptr[bounds[c]]), np.uint64(indptr[bounds[c + 1]])):
                at = np.uint64(indices[i])
                total[at] += partial[at]
                partial[at] = 0.0
