"""Exact selection of k entries a row in about one pass over memory: guess a threshold, choose among what passes it.

Legend: `w` rows, `d` coordinates, `k` kept.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from algorithms.kernels.partition import guessed
from algorithms.kernels.selection import by_radix

_BLOCK = 1 << 21  # coordinates looked at together: enough for threads, which exchange the interpreter at each step
_DENSE = 0.1  # where a larger share is kept guessing saves nothing


def largest(rows: Tensor, k: int) -> Tensor:
    """Find the k entries of largest magnitude in each row; ties go to the lowest index, NaN counts as infinite.

    Parameters
    ----------
    rows : Tensor, shape (w, d), float
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
    matrix = rows.contiguous().numpy()
    if matrix.itemsize < 4:
        matrix = matrix.astype(np.float32)  # exact
    bits, high = matrix.view(f"i{matrix.itemsize}"), max(1, _BLOCK // d)
    out, values = np.empty((w, k), np.int64), np.empty((w, k), matrix.dtype)
    guess = k <= _DENSE * d and d >= 256
    for top in range(0, w, high):
        block = slice(top, top + high)
        limits = guessed(matrix[block], k) if guess else np.empty(0, matrix.dtype)
        by_radix(bits[block], limits.view(bits.dtype), k, out[block], values[block].view(bits.dtype))
    return torch.from_numpy(out), torch.from_numpy(values).to(rows.dtype)


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
