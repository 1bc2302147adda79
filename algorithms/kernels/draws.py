"""Counter-based random bits: a hash of a row's two words and of a column, the same from NumPy and compiled.

w rows, c columns. Kernels that use each number once draw it where they need it, with `drawn`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import jit, kernel

Words = NDArray[np.uint32]
COLUMN = 0x9E3779B1
"""2**32 over the golden ratio, odd: consecutive columns land far apart."""
_BLOCK = 1 << 17  # cells mixed together by NumPy: their memory, twice, stays in a core's own cache


def _mix_words_(x: Words, scratch: Words) -> None:
    """Scramble words in place (a low-bias xorshift-multiply hash); nothing is allocated."""
    for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97), (15, None)):
        np.right_shift(x, shift, out=scratch)
        np.bitwise_xor(x, scratch, out=x)
        if factor is not None:
            np.multiply(x, np.uint32(factor), out=x)


def _blocks(w: int, c: int) -> Iterator[tuple[slice, slice]]:
    """Cut a (w, c) matrix into blocks of cells that lie side by side in memory."""
    high, wide = max(1, _BLOCK // max(1, c)), min(_BLOCK, max(1, c))
    for top in range(0, w, high):
        for left in range(0, c, wide):
            yield slice(top, min(top + high, w)), slice(left, min(left + wide, c))


def _by_numpy(low: Words, high: Words, offsets: Words, out: NDArray[Any]) -> None:
    low, high = low[:, None], high[:, None]
    memory = np.empty((2, min(out.size, _BLOCK)), np.uint32)
    for some, span in _blocks(*out.shape):
        block = out[some, span]
        x, scratch = (part[: block.size].reshape(block.shape) for part in memory)
        if out.dtype == np.uint32:
            x = block
        np.add(offsets[some if len(offsets) > 1 else slice(None), span], low[some], out=x)
        _mix_words_(x, scratch)
        np.bitwise_xor(x, high[some], out=x)
        _mix_words_(x, scratch)
        if out.dtype != np.uint32:
            np.right_shift(x, 8, out=x)
            np.copyto(block, x.view(np.int32), casting="unsafe")  # from signed: one vector instruction
            np.multiply(block, out.dtype.type(2.0**-24), out=block)


@jit
def _mixed(x: np.uint32) -> np.uint32:
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x21F0AAAD))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x735A2D97))
    return np.uint32(x ^ (x >> np.uint32(15)))


@jit
def drawn(offset: np.uint32, low: np.uint32, high: np.uint32) -> np.uint32:
    """Draw 32 bits at a column times `COLUMN` of a row that has these words; compiled code only."""
    return _mixed(np.uint32(_mixed(np.uint32(offset + low)) ^ high))


@kernel(reference=_by_numpy)
def fill_bits(low: Words, high: Words, offsets: Words, out: NDArray[Any]) -> None:
    """Draw 32 bits a cell.

    Parameters
    ----------
    low, high : ndarray of uint32, shape (w,)
        The words of each row.
    offsets : ndarray of uint32, shape (1, c) or (w, c)
        Columns times `COLUMN`.
    out : ndarray of uint32, shape (w, c)
    """
    for i in range(out.shape[0]):
        row, at, first, second = out[i], offsets[i if offsets.shape[0] > 1 else 0], low[i], high[i]
        for j in range(len(row)):
            row[j] = drawn(at[j], first, second)


@kernel(reference=_by_numpy)
def fill_uniform(low: Words, high: Words, offsets: Words, out: NDArray[Any]) -> None:
    """Draw uniforms in [0, 1), multiples of 2**-24, float32 or float64; arguments as of `fill_bits`."""
    kind = out.dtype.type
    unit = kind(2.0**-24)
    for i in range(out.shape[0]):
        row, at, first, second = out[i], offsets[i if offsets.shape[0] > 1 else 0], low[i], high[i]
        for j in range(len(row)):
            row[j] = kind(np.int32(drawn(at[j], first, second) >> np.uint32(8))) * unit
