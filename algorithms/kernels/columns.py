"""Weighted sums over rows of what is stored in a few bits, and subtraction of it, without the rows as floats.

Columns are summed in the order of ``torch.sum(0)``: 16 rows from the first on, their sums 16 at a time, and so on. Only
the last columns, which do not fill its vectors, PyTorch adds up otherwise, and it is left to do so.

n rows, d columns, b buckets of consecutive columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.kernels.compiled import jit, kernel

Floats = NDArray[np.float32]
_MOST_ROWS = 1 << 16  # beyond this PyTorch adds other numbers of rows together
_VECTORS = 128  # columns; a multiple of what PyTorch sums together on any processor
_PIECE = 2048  # columns summed together: their sums stay in the first cache


def dense_levels(levels: Tensor, scales: Tensor, bucket: int, s: int) -> Tensor:
    """Give scale * level / s in float32, from left to right, shape (n, d), with torch."""
    n, d = levels.shape
    full = d // bucket
    whole = full * bucket
    out = levels.to(torch.float32)  # a copy of its own: levels are integers
    if whole:
        out[:, :whole].view(n, full, bucket).mul_(scales[:, :full, None])
    if whole < d:
        out[:, whole:].mul_(scales[:, full : full + 1])
    return out.div_(s)


def dense_signs(bits: Tensor, scales: Tensor | None) -> Tensor:
    """Turn booleans into +-1 or +-scale in memory of their own; by arithmetic, a ninth of the time of torch.where."""
    signs = bits.view(torch.int8).to(torch.float32).mul_(2.0).sub_(1.0)
    return signs if scales is None else signs.mul_(scales[:, None])


def whole_vectors(rows: int, d: int) -> int:
    """Give how many columns, from the first on, are summed here; the others have to be left to PyTorch."""
    return max(0, d // _VECTORS - 1) * _VECTORS if rows < _MOST_ROWS else 0


def _add(part: Tensor, weights: Floats, total: Tensor) -> None:
    total.add_(part.mul_(torch.from_numpy(weights)[:, None]).sum(0))


def _levels_by_torch(
    levels: NDArray[Any], scales: Floats, bucket: int, s: int, weights: Floats, stop: int, total: Floats
) -> None:
    part = dense_levels(torch.from_numpy(levels)[:, :stop], torch.from_numpy(scales), bucket, s)
    _add(part, weights, torch.from_numpy(total)[:stop])


def _signs_by_torch(bits: NDArray[np.uint8], scales: Floats, weights: Floats, stop: int, total: Floats) -> None:
    part = dense_signs(torch.from_numpy(bits)[:, :stop], torch.from_numpy(scales))
    _add(part, weights, torch.from_numpy(total)[:stop])


def _take_levels_by_torch(levels: NDArray[Any], scales: Floats, bucket: int, s: int, matrix: NDArray[Any]) -> None:
    for i, row in enumerate(matrix):
        one = slice(i, i + 1)
        part = dense_levels(torch.from_numpy(levels[one]), torch.from_numpy(scales[one]), bucket, s)
        torch.from_numpy(row).sub_(part[0])


def _take_signs_by_torch(bits: NDArray[np.uint8], scales: Floats, matrix: NDArray[Any]) -> None:
    for i, row in enumerate(matrix):
        one = slice(i, i + 1)
        torch.from_numpy(row).sub_(dense_signs(torch.from_numpy(bits[one]), torch.from_numpy(scales[one]))[0])


@jit
def _carry(sums: Floats, rows: int) -> None:
    """Move full sums up: `rows` have been added to the first of the four."""
    step = 16
    for level in range(3):
        if rows % step:
            return
        upper, lower = sums[level + 1], sums[level]
        for j in range(len(lower)):
            upper[j] += lower[j]
            lower[j] = 0
        step *= 16


@jit
def _finish(sums: Floats, total: Floats) -> None:
    first, second, third, fourth = sums[0], sums[1], sums[2], sums[3]
    for j in range(len(total)):
        total[j] += ((first[j] + second[j]) + third[j]) + fourth[j]


@kernel(reference=_levels_by_torch)
def add_levels(
    levels: NDArray[Any], scales: Floats, bucket: int, s: int, weights: Floats, stop: int, total: Floats
) -> None:
    """Add weights_r * (scale * level / s) over the rows to `total`.

    Parameters
    ----------
    levels : ndarray of int8, int16 or int32, shape (n, d)
    scales : ndarray of float32, shape (n, b)
    bucket : int
        Columns to a scale.
    s : int
        Largest level.
    weights : ndarray of float32, shape (n,)
    stop : int
        Columns to sum, `whole_vectors`.
    total : ndarray of float32, shape (d,)
        Changed in place, once: the sum over the rows is made first.
    """
    n = levels.shape[0]
    memory, most = np.zeros((4, _PIECE), np.float32), np.float32(s)
    for b in range(scales.shape[1]):
        for start in range(b * bucket, min(stop, (b + 1) * bucket), _PIECE):
            end = min(stop, (b + 1) * bucket, start + _PIECE)
            sums, out = memory[:, : end - start], total[start:end]
            sums[:] = 0
            first = sums[0]
            for i in range(n):
                part, scale, weight = levels[i, start:end], scales[i, b], weights[i]
                for j in range(len(first)):
                    first[j] += np.float32(part[j]) * scale / most * weight
                _carry(sums, i + 1)
            _finish(sums, out)


@kernel(reference=_signs_by_torch)
def add_signs(bits: NDArray[np.uint8], scales: Floats, weights: Floats, stop: int, total: Floats) -> None:
    """Add weights_r * (scale_r or -scale_r) over the rows to `total`.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n, d)
        1 for +, 0 for -.
    scales, weights : ndarray of float32, shape (n,)
    stop : int
        As in `add_levels`.
    total : ndarray of float32, shape (d,)
    """
    n = bits.shape[0]
    memory = np.zeros((4, _PIECE), np.float32)
    for start in range(0, stop, _PIECE):
        end = min(stop, start + _PIECE)
        sums, out = memory[:, : end - start], total[start:end]
        sums[:] = 0
        first = sums[0]
        for i in range(n):
            part, scale, weight = bits[i, start:end], scales[i], weights[i]
            plus, minus = scale * weight, -scale * weight
            for j in range(len(first)):
                first[j] += plus if part[j] else minus
            _carry(sums, i + 1)
        _finish(sums, out)


@kernel(reference=_take_levels_by_torch)
def take_levels(levels: NDArray[Any], scales: Floats, bucket: int, s: int, matrix: NDArray[Any]) -> None:
    """Subtract scale * level / s from each entry of `matrix`, float32 or float64, shape (n, d), in place."""
    d, most = matrix.shape[1], np.float32(s)
    for i in range(matrix.shape[0]):
        for b in range(scales.shape[1]):
            end, scale = min(d, (b + 1) * bucket), scales[i, b]
            out, part = matrix[i, b * bucket : end], levels[i, b * bucket : end]
            for j in range(len(out)):
                out[j] -= np.float32(part[j]) * scale / most


@kernel(reference=_take_signs_by_torch)
def take_signs(bits: NDArray[np.uint8], scales: Floats, matrix: NDArray[Any]) -> None:
    """Subtract each row's scale where its bit is 1, add it elsewhere: float32 or float64, shape (n, d), in place."""
    for i in range(matrix.shape[0]):
        out, part, plus, minus = matrix[i], bits[i], scales[i], -scales[i]
        for j in range(len(out)):
            out[j] -= plus if part[j] else minus


def sum_levels(levels: Tensor, scales: Tensor, bucket: int, s: int, weights: Tensor | None, total: Tensor) -> None:
    """Add all rows of levels to a float32 vector on the host, by `add_levels` and, for the last columns, by torch."""
    n, d = levels.shape
    stop, factors = whole_vectors(n, d), _factors(n, weights)
    if stop:
        given = levels.contiguous().numpy(), scales.contiguous().numpy()
        add_levels(*given, bucket, s, factors, stop, total.numpy())
    part = levels[:, stop:] * scales[:, torch.arange(stop, d) // bucket]
    _add(part.div_(s), factors, total[stop:])


def sum_signs(bits: Tensor, scales: Tensor | None, weights: Tensor | None, total: Tensor) -> None:
    """Add all rows of signs to a float32 vector on the host, as `sum_levels` does."""
    n, d = bits.shape
    stop, factors = whole_vectors(n, d), _factors(n, weights)
    if stop:
        add_signs(bits.contiguous().numpy().view(np.uint8), _factors(n, scales), factors, stop, total.numpy())
    _add(dense_signs(bits[:, stop:], scales), factors, total[stop:])


def _factors(n: int, given: Tensor | None) -> Floats:
    return np.ones(n, np.float32) if given is None else given.to("cpu", torch.float32).contiguous().numpy()
