"""Named, counter-based random streams: a draw depends on its key, row and column, on nothing else.

A worker's draw for a round is therefore the same however workers are batched, threaded, spread over processes or
resumed, and on every device. Rows are global worker numbers, columns count the draws of one row.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.kernels.draws import COLUMN, Words, fill_bits, fill_uniform

Columns = int | range | Tensor
_LONG = (1 << 64) - 1
_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit integer: SplitMix64's increment


def _mix64(x: Tensor) -> Tensor:
    """Scramble int64 values with SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable PRNGs", OOPSLA 2014)."""
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * -4658895280553007687
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * -7723592293110705685
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def _mix_long(rows: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """Do on the host what `bits` does with `_mix64` on a device: the 64-bit word of each row."""
    word = np.uint64(key)
    x = rows * np.uint64(_GOLDEN & _LONG)
    x += word
    for last in (False, True):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, None)):
            x ^= x >> np.uint64(shift)
            if factor is not None:
                x *= np.uint64(factor)
        if not last:
            x ^= word
    return x


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

    def words(self, rows: Tensor) -> tuple[Words, Words]:
        """Give what addresses each row's draws on the host, for kernels that draw on their own (`kernels.draws`)."""
        word = _mix_long(rows.to(torch.int64).numpy().view(np.uint64), self._word & _LONG)
        return word.astype(np.uint32), (word >> np.uint64(32)).astype(np.uint32)

    def bits(self, rows: Tensor, columns: Columns) -> Tensor:
        """Draw 32 random bits per cell.

        Parameters
        ----------
        rows : Tensor, shape (w,), int64
            Row ids; any integers, usually global worker numbers.
        columns : int, range or Tensor of int64, shape (c,) or (w, c)
            How many columns (0..columns-1), or which, below 2**32.

        Returns
        -------
        Tensor, shape (w, c), int32
            On the device of `rows`.
        """
        if rows.is_cuda:
            return self._on_device(rows, columns)
        return torch.from_numpy(self._on_host(rows, columns, np.dtype(np.uint32)).view(np.int32))

    def uniform(self, rows: Tensor, columns: Columns, dtype: torch.dtype = torch.float32) -> Tensor:
        """Draw uniforms in [0, 1), multiples of 2**-24, shape (w, c)."""
        if not rows.is_cuda and dtype in (torch.float32, torch.float64):
            kind = np.dtype(np.float32 if dtype == torch.float32 else np.float64)
            return torch.from_numpy(self._on_host(rows, columns, kind))
        bits = self.bits(rows, columns)
        bits >>= 8
        bits &= 0xFFFFFF
        return bits.to(dtype).mul_(2.0**-24)

    def _on_device(self, rows: Tensor, columns: Columns) -> Tensor:
        """Draw bits with torch's operations, whatever the device."""
        if not isinstance(columns, Tensor):
            wanted = range(columns) if isinstance(columns, int) else columns
            columns = torch.arange(wanted.start, wanted.stop, device=rows.device)
        word = _mix64(_mix64(rows.to(torch.int64) * _GOLDEN + self._word) ^ self._word)
        low, high = word.to(torch.int32)[:, None], (word >> 32).to(torch.int32)[:, None]
        x = columns.to(rows.device, torch.int32) * _signed(COLUMN, 32) + low
        x = _mix32_(x)
        x ^= high
        return _mix32_(x)

    def _on_host(self, rows: Tensor, columns: Columns, kind: np.dtype[Any]) -> NDArray[Any]:
        """Draw bits (uint32) or uniforms (a float type); the numbers are those of the torch path."""
        if isinstance(columns, Tensor):
            offsets = columns.numpy().astype(np.uint32)
        else:
            wanted = range(columns) if isinstance(columns, int) else columns
            offsets = np.arange(wanted.start, wanted.stop, dtype=np.uint32)
        offsets *= np.uint32(COLUMN)
        offsets = np.ascontiguousarray(np.atleast_2d(offsets))
        low, high = self.words(rows)
        out = np.empty((len(low), offsets.shape[1]), kind)
        (fill_bits if kind == np.uint32 else fill_uniform)(low, high, offsets, out)
        return out

    def integers(self, rows: Tensor, columns: Columns, high: int | Tensor) -> Tensor:
        """Draw integers in [0, high), shape (w, c), int64; `high` is one number or one per row, at most 2**31."""
        bits = self.bits(rows, columns).to(torch.int64) & 0xFFFFFFFF
        scale = high[:, None] if isinstance(high, Tensor) else high
        return (bits * scale) >> 32

    def normal(self, rows: Tensor, columns: Columns, dtype: torch.dtype = torch.float32) -> Tensor:
        """Draw standard normals, shape (w, c), by Box and Muller's transform on two sub-streams."""
        radius = torch.sqrt(-2.0 * torch.log1p(-self.at("radius").uniform(rows, columns, torch.float64)))
        angle = (2.0 * math.pi) * self.at("angle").uniform(rows, columns, torch.float64)
        return (radius * torch.cos(angle)).to(dtype)
