"""Exact selection of k entries a row in about one pass over memory: guess a threshold, choose among what passes it.

Legend: `w` rows, `d` coordinates, `k` kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.kernels.partition import Floats, guessed, guessed_of_signs
from algorithms.kernels.selection import by_radix, by_sign

_BLOCK = 1 << 21  # coordinates looked at together: enough for threads, which exchange the interpreter at each step
_DENSE = 0.1  # where a larger share is kept guessing saves nothing
_NARROW = 256  # nor in shorter rows


def largest(rows: Tensor, k: int) -> Tensor:
    """Find the k entries of largest magnitude in each row; ties go to the lowest index, NaN counts as infinite.

    Parameters
    ----------
    rows : Tensor, shape (w, d), float32 or float64
    k : int
        1 <= k <= d.

    Returns
    -------
    Tensor, shape (w, k), int64
        Column numbers, increasing.

    Notes
    -----
    Exact, and the same on every device: a guess decides only how much work is left. On a host every so many-th
    coordinate tells which magnitude somewhat more than k entries should reach, and the choice is among those that do.
    """
    return largest_entries(rows, k)[0]


def largest_entries(rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the k entries of largest magnitude in each row, as `largest`: their columns and what they hold, (w, k)."""
    w, d = rows.shape
    if k == d:
        return torch.arange(d, device=rows.device).repeat(w, 1), rows.clone()
    if rows.is_cuda:
        indices = _on_device(rows, k)
        return indices, rows.gather(1, indices)
    matrix, bits = _words(rows)
    out, values = np.empty((w, k), np.int64), np.empty((w, k), bits.dtype)
    for block in _blocks(w, d):
        limits = guessed(matrix[block], k) if _sparse(k, d) else np.empty(0, matrix.dtype)
        by_radix(bits[block], limits.view(bits.dtype), k, out[block], values[block])
    return torch.from_numpy(out), torch.from_numpy(values.view(matrix.dtype))


def largest_of_signs(rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the k largest and the k smallest entries of each row: `largest` of the positive and of the negative alone.

    Returns
    -------
    indices : Tensor, shape (w, 2, k), int64
        Columns, increasing. Entries of the other sign count as zeros, which are taken where others are too few.
    magnitudes : Tensor, shape (w, 2, k)
        0 for entries of the other sign, NaN for NaN, which counts as infinite on both sides.
    """
    w, d = rows.shape
    if rows.is_cuda:
        groups = [largest_entries(rows.clamp(min=0), k), largest_entries(rows.clamp(max=0), k)]
        return torch.stack([indices for indices, _ in groups], 1), torch.stack(
            [values.abs() for _, values in groups], 1
        )
    matrix, bits = _words(rows)
    out, values = np.empty((w, 2, k), np.int64), np.empty((w, 2, k), bits.dtype)
    for block in _blocks(w, d):
        limits = guessed_of_signs(matrix[block], k) if _sparse(k, d) else np.empty((0, 2), matrix.dtype)
        by_sign(bits[block], limits.view(bits.dtype), k, out[block], values[block])
    return torch.from_numpy(out), torch.from_numpy(values.view(matrix.dtype))


def _words(rows: Tensor) -> tuple[Floats, NDArray[Any]]:
    """Give a matrix on the host as floats and as their bits."""
    matrix: Floats = rows.contiguous().numpy()
    return matrix, matrix.view(f"i{matrix.itemsize}")


def _blocks(w: int, d: int) -> Iterator[slice]:
    high = max(1, _BLOCK // d)
    return (slice(top, min(top + high, w)) for top in range(0, w, high))


def _sparse(k: int, d: int) -> bool:
    return k <= _DENSE * d and d >= _NARROW


def _on_device(rows: Tensor, k: int) -> Tensor:
    w, d = rows.shape
    magnitude = rows.abs().nan_to_num_(nan=math.inf, posinf=math.inf)
    threshold = torch.topk(magnitude, k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
    mask = magnitude >= threshold
    flat = torch.nonzero(mask.view(-1)).view(-1)
    if len(flat) != w * k:
        tied = mask.sum(dim=1) > k
        equal = magnitude[tied] == threshold[tied]
        above = mask[tied] & ~equal
        room = k - above.sum(dim=1, keepdim=True)
        mask[tied] = above | (equal & (equal.cumsum(dim=1) <= room))
        flat = torch.nonzero(mask.view(-1)).view(-1)
    return flat.view(w, k) - torch.arange(w, device=rows.device)[:, None] * d
