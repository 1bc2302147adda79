"""How often each level occurs in a row, for small alphabets by comparing many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import jit, kernel

_COMPARED = 15  # largest s up to which a comparison of all levels with each value beats one increment a level
_PIECE = 4096  # levels compared together: they stay in the first cache, and their counts fit 16 bits


def _by_numpy(levels: NDArray[Any], bounds: NDArray[np.int64], s: int, counts: NDArray[np.int64]) -> None:
    for i, found in enumerate(counts):
        found += np.bincount(levels[bounds[i] : bounds[i + 1]].astype(np.int64) + s, minlength=2 * s + 1)


@jit
def _compared(piece: NDArray[Any], s: int, counts: NDArray[np.int64]) -> None:
    for level in range(-s, s + 1):
        wanted, times = piece.dtype.type(level), np.int16(0)
        for j in range(len(piece)):
            times = np.int16(times + np.int16(piece[j] == wanted))
        counts[level + s] += times


@jit
def _incremented(levels: NDArray[Any], s: int, counts: NDArray[np.int64]) -> None:
    width, quarter = 2 * s + 1, len(levels) // 4
    table = np.zeros(4 * width, np.int64)  # four by turns, so that one increment seldom waits for the last
    for j in range(quarter):
        for turn in range(4):
            table[np.uint64(np.int64(levels[4 * j + turn]) + s + turn * width)] += 1
    for j in range(4 * quarter, len(levels)):
        table[np.uint64(np.int64(levels[j]) + s)] += 1
    for level in range(width):
        for turn in range(4):
            counts[level] += table[turn * width + level]


@jit
def count_row(levels: NDArray[Any], s: int, counts: NDArray[np.int64]) -> None:
    """Add how often each of -s..s occurs to `counts`, shape (2 s + 1,); compiled code only."""
    if s > _COMPARED and len(levels) < 16 * s:  # fewer levels than it takes to clear and add up several tables
        for level in levels:
            counts[np.uint64(np.int64(level) + s)] += 1
    elif s > _COMPARED:
        _incremented(levels, s, counts)
    else:
        for start in range(0, len(levels), _PIECE):
            _compared(levels[start : start + _PIECE], s, counts)


@kernel(reference=_by_numpy)
def count_rows(levels: NDArray[Any], bounds: NDArray[np.int64], s: int, counts: NDArray[np.int64]) -> None:
    """Add how often each level occurs in each row.

    Parameters
    ----------
    levels : ndarray of int8, int16 or int32, shape (m,)
        In -s..s.
    bounds : ndarray of int64, shape (w + 1,)
        Where each row begins and the last one ends.
    counts : ndarray of int64, shape (w, 2 s + 1)
        Changed in place.
    """
    for i in range(counts.shape[0]):
        count_row(levels[bounds[i] : bounds[i + 1]], s, counts[i])
