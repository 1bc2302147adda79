"""Which of two signs most rows have, column by column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import kernel

_PIECE = 16384  # columns counted together: their counts stay in the nearest caches
_MOST = 255  # rows counted in one byte


def _by_numpy(bits: NDArray[np.uint8], elected: NDArray[np.bool_]) -> None:
    elected[:] = 2 * np.add.reduce(bits, axis=0, dtype=np.int64) >= len(bits)


@kernel(reference=_by_numpy)
def majority_of(bits: NDArray[np.uint8], elected: NDArray[np.bool_]) -> None:
    """Find the columns that have at least as many ones as zeros.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n, d)
        Ones and zeros, n below 2**30.
    elected : ndarray of bool, shape (d,)
        Written.
    """
    n, d = bits.shape
    few, many = np.zeros(_PIECE, np.uint8), np.zeros(_PIECE, np.int32)
    for start in range(0, d, _PIECE):
        out = elected[start : start + _PIECE]
        small, large = few[: len(out)], many[: len(out)]
        large[:] = 0
        for first in range(0, n, _MOST):
            small[:] = 0
            for i in range(first, min(n, first + _MOST)):
                part = bits[i, start : start + _PIECE]
                for j in range(len(small)):
                    small[j] += part[j]
            for j in range(len(small)):
                large[j] += small[j]
        for j in range(len(out)):
            out[j] = 2 * large[j] >= n
