"""Stochastic rounding of buckets to levels of their norm (QSGD), in one pass: norm, draw, round and count.

w rows, c coordinates in buckets, s levels above zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from algorithms.kernels.compiled import jit, kernel
from algorithms.kernels.draws import COLUMN, Words, drawn, fill_uniform
from algorithms.kernels.histogram import count_row

_BLOCK = 1 << 20  # coordinates that the reference rounds together: bounds its scratch memory


def round_block(
    given: torch.Tensor, noise: torch.Tensor, bucket: int, s: int, scales: torch.Tensor, known: bool
) -> Any:
    """Round whole buckets, shape (b, c), with torch, to levels (as floats); write their largest unless `known`."""
    ratio = given.abs()
    c = ratio.shape[1]
    whole = c // bucket * bucket
    parts = [ratio[:, :whole].view(len(ratio), -1, bucket)] if whole else []
    if whole < c:
        parts.append(ratio[:, None, whole:])
    at = 0
    for part in parts:  # the whole buckets, then the shorter last one
        norms = scales[:, at : at + part.shape[1]]
        if not known:
            norms.copy_(part.amax(dim=2))
        part.mul_((s / torch.where(norms > 0, norms, 1.0).to(given.dtype))[:, :, None])
        at += part.shape[1]
    return ratio.add_(noise).floor_().clamp_(max=s).copysign_(given)


def blocks(w: int, d: int, bucket: int, cells: int) -> Iterator[tuple[slice, int, int]]:
    """Cut a matrix into blocks of rows and whole buckets of about so many cells: rows, first bucket, last bucket."""
    count = -(-d // bucket)
    high = max(1, cells // max(1, d))
    wide = -(-count // -(-d // max(cells, bucket))) if high == 1 and d else max(1, count)
    for top in range(0, w, high):
        for first in range(0, count, wide):
            yield slice(top, min(top + high, w)), first, min(first + wide, count)


def _by_torch(
    rows: NDArray[Any],
    bits: NDArray[Any],
    low: Words,
    high: Words,
    bucket: int,
    s: int,
    known: bool,
    scales: NDArray[np.float32],
    levels: NDArray[Any],
    counts: NDArray[np.int64],
) -> None:
    w, d = rows.shape
    for some, first, last in blocks(w, d, bucket, _BLOCK):
        span = slice(first * bucket, min(last * bucket, d))
        noise = np.empty((some.stop - some.start, span.stop - span.start), rows.dtype)
        offsets = np.arange(span.start, span.stop, dtype=np.uint32) * np.uint32(COLUMN)
        fill_uniform.reference(low[some], high[some], offsets[None], noise)
        norms = torch.from_numpy(scales[some, first:last])
        rounded = round_block(torch.from_numpy(rows[some, span]), torch.from_numpy(noise), bucket, s, norms, known)
        torch.from_numpy(levels)[some, span] = rounded
    if counts.shape[1]:
        for row, found in zip(levels, counts, strict=True):
            found += np.bincount(row.astype(np.int64) + s, minlength=2 * s + 1)


@jit
def _largest(bits: NDArray[Any]) -> Any:
    """Find the largest magnitude of floats seen as integers, which order them alike, NaN above all."""
    ones = bits.dtype.type(np.iinfo(bits.dtype).max)
    most = bits.dtype.type(0)
    for j in range(len(bits)):
        magnitude = bits.dtype.type(bits[j] & ones)
        most = magnitude if magnitude > most else most
    return most


@jit
def _rounded(part: NDArray[Any], start: int, low: Any, high: Any, factor: Any, s: int, out: NDArray[Any]) -> None:
    kind = part.dtype.type
    unit, top, least = kind(2.0**-24), kind(s), np.int32(s)
    first = np.uint32(np.uint32(start) * np.uint32(COLUMN))
    for j in range(len(part)):
        offset = np.uint32(first + np.uint32(np.uint32(j) * np.uint32(COLUMN)))
        noise = np.int32(drawn(offset, low, high) >> np.uint32(8)) * unit
        value = abs(part[j]) * factor + noise
        level = np.int32(value) if value < top else least
        level = level if value == value else np.int32(0)  # what a NaN becomes as an integer elsewhere
        out[j] = -level if part[j] < 0 else level


@kernel(reference=_by_torch)
def round_rows(
    rows: NDArray[Any],
    bits: NDArray[Any],
    low: Words,
    high: Words,
    bucket: int,
    s: int,
    known: bool,
    scales: NDArray[np.float32],
    levels: NDArray[Any],
    counts: NDArray[np.int64],
) -> None:
    """Quantise rows: the level of x is floor(|x| / norm * s + u) with the sign of x, u uniform in [0, 1).

    Parameters
    ----------
    rows : ndarray of float32 or float64, shape (w, d)
    bits : ndarray of int32 or int64, shape (w, d)
        The same memory.
    low, high : ndarray of uint32, shape (w,)
        The words of each row's stream (`Stream.words`).
    bucket : int
        Coordinates to a norm.
    s : int
        Levels above zero, at most 32767.
    known : bool
        Whether `scales` holds the norms; otherwise the largest magnitude of each bucket is written there.
    scales : ndarray of float32, shape (w, ceil(d / bucket))
    levels : ndarray of int8 or int16, shape (w, d)
        Written.
    counts : ndarray of int64, shape (w, 2 s + 1) or (w, 0)
        How often each level occurs is added to it, unless it has no columns.
    """
    kind = rows.dtype.type
    one, top = kind(1.0), kind(s)
    norm_bits = np.zeros(1, bits.dtype)
    found = norm_bits.view(rows.dtype)
    for i in range(rows.shape[0]):
        row, out, norms = rows[i], levels[i], scales[i]
        for b in range(len(norms)):
            part = row[b * bucket : (b + 1) * bucket]
            if not known:
                norm_bits[0] = _largest(bits[i, b * bucket : (b + 1) * bucket])
                norms[b] = found[0]
            norm = norms[b]
            factor = kind((one / (kind(norm) if norm > 0 else one)) * top)
            _rounded(part, b * bucket, low[i], high[i], factor, s, out[b * bucket : (b + 1) * bucket])
        if counts.shape[1]:
            count_row(out, s, counts[i])
