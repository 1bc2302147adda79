"""Named, counter-based random streams: a draw depends on its key, row and column, on nothing else.

A worker's draw for a round is therefore the same however workers are batched, threaded, spread over processes or resumed,
and on every device. Rows are global worker numbers, columns count the draws of one row.
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer: SplitMix64's increment


def _mix64(x: Tensor) -> Tensor:
    """Scramble int64 values with SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable PRNGs", OOPSLA 2014)."""
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * -4658895280553007687
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * -7723592293110705685
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def _mix32_(x: Tensor) -> Tensor:
    """Scramble int32 values in place (a low-bias xorshift-multiply hash; the masks make torch's shifts logical)."""
    x ^= (x >> 16) & 0xFFFF
    x *= 0x21F0AAAD
    x ^= (x >> 15) & 0x1FFFF
    x *= 0x735A2D97
    x ^= (x >> 15) & 0x1FFFF
    return x


def _signed(word: int, width: int) -> int:
    return word - (1 << width) if word >> (width - 1) else word


class Stream:
    """A source of random numbers addressed by (key, row, column).

    Parameters
    ----------
    *key : int or str
        What names the stream, e.g. ``Stream(seed, "batches", epoch)``. Different keys give independent streams.

    Examples
    --------
    >>> a = Stream(1, "noise").uniform(torch.tensor([0, 1, 2, 3]), 5)
    >>> b = Stream(1, "noise").uniform(torch.tensor([2]), 5)
    >>> bool((a[2] == b[0]).all())
    True
    """

    __slots__ = ("_path", "_word")

    def __init__(self, *key: int | str) -> None:
        self._path = key
        digest = hashlib.blake2b("\x1f".join(f"{type(k).__name__}:{k}" for k in key).encode(), digest_size=8).digest()
        self._word = int.from_bytes(digest, "little", signed=True)

    def at(self, *key: int | str) -> Stream:
        """Give the sub-stream whose key is this one's followed by `key`."""
        return Stream(*self._path, *key)

    def bits(self, rows: Tensor, columns: int | Tensor) -> Tensor:
        """Draw 32 random bits per cell.

        Parameters
        ----------
        rows : Tensor, shape (w,), int64
            Row ids; any integers, usually global worker numbers.
        columns : int or Tensor of int64, shape (c,) or (w, c)
            How many columns (0..columns-1), or which, below 2**32.

        Returns
        -------
        Tensor, shape (w, c), int32
            On the device of `rows`.
        """
        word = _mix64(_mix64(rows.to(torch.int64) * _GOLDEN + self._word) ^ self._word)
        low, high = word.to(torch.int32)[:, None], (word >> 32).to(torch.int32)[:, None]
        if isinstance(columns, int):
            columns = torch.arange(columns, device=rows.device)
        x = columns.to(torch.int32) * _signed(0x9E3779B1, 32) + low
        x = _mix32_(x)
        x ^= high
        return _mix32_(x)

    def uniform(self, rows: Tensor, columns: int | Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Draw uniforms in [0, 1), multiples of 2**-24, shape (w, c)."""
        bits = self.bits(rows, columns)
        bits >>= 8
        bits &= 0xFFFFFF
        return bits.to(dtype).mul_(2.0**-24)

    def integers(self, rows: Tensor, columns: int | Tensor, high: int | Tensor) -> Tensor:
        """Draw integers in [0, high), shape (w, c), int64; `high` is one number or one per row, at most 2**31."""
        bits = self.bits(rows, columns).to(torch.int64) & 0xFFFFFFFF
        scale = high[:, None] if isinstance(high, Tensor) else high
        return (bits * scale) >> 32

    def normal(self, rows: Tensor, columns: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Draw standard normals, shape (w, c), by Box and Muller's transform on two sub-streams."""
        radius = torch.sqrt(-2.0 * torch.log1p(-self.at("radius").uniform(rows, columns, torch.float64)))
        angle = (2.0 * math.pi) * self.at("angle").uniform(rows, columns, torch.float64)
        return (radius * torch.cos(angle)).to(dtype)
