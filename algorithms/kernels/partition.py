"""Exact selection of k entries a row by NumPy: partition what passes a guessed threshold. The reference of `selection`.

Legend: `b` rows of a block, `d` coordinates, `k` kept, `m` candidates (entries that pass the guess).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Places = NDArray[np.int64]
_BLOCK = 1 << 20  # coordinates looked at together: what lies between two passes over them stays in the cache
SAMPLE = 4096  # coordinates of a row that its threshold is guessed from, at most an eighth of them


def by_partition(bits: NDArray[Any], guess: NDArray[Any], k: int, out: Places, values: NDArray[Any]) -> None:
    """Do what `selection.by_radix` does: two comparisons, then numpy's quickselect, which uses vector instructions.

    Rows in which too few pass the guess are partitioned whole.
    """
    block = bits.view(np.float32 if bits.itemsize == 4 else np.float64)
    short = _select(block, guess.view(block.dtype) if len(guess) else kth(block, k), k, out)
    if len(short):
        again = np.empty((len(short), k), np.int64)
        _select(block[short], kth(block[short], k), k, again)
        out[short] = again
    values[:] = np.take_along_axis(bits, out, axis=1)


def by_clamping(bits: NDArray[Any], guess: NDArray[Any], k: int, out: Places, values: NDArray[Any]) -> None:
    """Do what `selection.by_sign` does, by a partition of each sign alone."""
    block: Floats = bits.view(np.float32 if bits.itemsize == 4 else np.float64)
    for side, clamped in enumerate((np.maximum(block, 0), np.maximum(np.negative(block), 0))):
        one_sign = np.abs(clamped).view(bits.dtype)  # without -0
        by_partition(one_sign, guess[:, side], k, out[:, side], values[:, side])


def exceeding_by_masks(bits: NDArray[Any], starts: Places, limits: NDArray[Any]) -> Places:
    """Do what `candidates.exceeding` does, by two comparisons of each part in blocks that the cache holds."""
    matrix: Floats = bits.view(np.float32 if bits.itemsize == 4 else np.float64)
    bounds, d = limits.view(matrix.dtype), matrix.shape[1]
    parts = [slice(first, last) for first, last in pairwise(starts.tolist())]
    found, high = [np.zeros(0, np.int64)], max(1, _BLOCK // d)
    for top in range(0, len(matrix), high):
        block = matrix[top : top + high]
        memory = np.zeros(-(-block.size // 8) * 8, np.bool_)  # whole words
        above = memory[: block.size].reshape(block.shape)
        for number, part in enumerate(parts):
            limit = bounds[top : top + high, number, None]
            below: NDArray[np.bool_] = block[:, part] <= limit
            np.logical_and(below, block[:, part] >= -limit, out=below)
            np.logical_not(below, out=above[:, part])
        found.append(places(memory) + top * d)
    return np.concatenate(found)


def kth(block: Floats, k: int) -> Floats:
    """Give the k-th largest magnitude of each row, shape (b,)."""
    magnitudes = np.abs(block)
    magnitudes.partition(block.shape[1] - k, axis=1)
    return magnitudes[:, -k].copy()


def guessed(block: Floats, k: int) -> Floats:
    """Guess a magnitude of each row that at least k entries reach, but not many more, shape (b,)."""
    sample = np.abs(_sampled(block))
    return kth(sample, _rank(block.shape[1], sample.shape[1], k))


def _sampled(block: Floats) -> Floats:
    d = block.shape[1]
    return block[:, :: max(8, d // SAMPLE) | 1]  # an odd stride: widths of layers are often even


def _rank(d: int, sample: int, k: int) -> int:
    expected = k * sample / d
    rank = math.ceil(expected + 3.0 * math.sqrt(expected)) + 3  # too few pass in fewer than one row of a thousand
    return min(rank, sample)


def _select(block: Floats, threshold: Floats, k: int, out: Places) -> Places:
    """Write the columns of the k largest magnitudes that reach the threshold; name the rows in which too few do."""
    b, d = block.shape
    limit = threshold[:, None]
    memory = np.empty(-(-b * d // 8) * 8, np.bool_)  # whole words
    memory[b * d :] = False
    reach = memory[: b * d].reshape(b, d)
    np.less(block, limit, out=reach)
    np.logical_and(reach, np.greater(block, -limit), out=reach)
    np.logical_not(reach, out=reach)  # so that NaN, which no comparison lets through, is in
    flat = places(memory)
    scores = np.abs(block.reshape(-1)[flat])
    scores[np.isnan(scores)] = np.inf
    return choose(flat, scores, d, k, out)


def places(mask: NDArray[np.bool_]) -> Places:
    """Do what `np.flatnonzero` does, for a sparse mask whose length is a multiple of 8, in half of the time.

    Words of eight entries are looked at first, then only the entries of those that are not zero.
    """
    words = mask.view(np.uint64)
    hit: Places = np.flatnonzero(words != 0)
    inner = np.flatnonzero(words[hit].view(np.bool_))
    flat: Places = hit[inner >> 3]
    flat <<= 3
    inner &= 7
    flat |= inner
    return flat


def choose(flat: Places, scores: NDArray[Any], d: int, k: int, out: Places) -> Places:
    """Choose the k candidates of highest score in each row; ties go to the lowest column.

    Parameters
    ----------
    flat : ndarray of int64, shape (m,)
        Places of the candidates in a (b, d) matrix laid out row after row, increasing.
    scores : ndarray, shape (m,)
        Any ordered numbers without NaN.
    out : ndarray of int64, shape (b, k)
        Overwritten with column numbers, increasing within a row; rows with too few candidates hold nothing useful.

    Returns
    -------
    ndarray of int64
        The rows with fewer than k candidates.
    """
    b = len(out)
    bounds = np.searchsorted(flat, np.arange(b + 1) * d)
    counts = np.diff(bounds)
    short = np.flatnonzero(counts < k)
    if len(short):
        whole = np.repeat(counts >= k, counts)
        full = np.flatnonzero(counts >= k)
        found = np.empty((len(full), k), np.int64)
        shift = np.repeat((full - np.arange(len(full))) * d, counts[full])
        choose(flat[whole] - shift, scores[whole], d, k, found)
        out[full] = found
        return short
    if len(flat) > b * k:
        keep = _keep(scores, bounds, counts, k)
        flat = flat[keep]
    np.subtract(flat.reshape(b, k), (np.arange(b) * d)[:, None], out=out)
    return short


def _keep(scores: NDArray[Any], bounds: Places, counts: Places, k: int) -> NDArray[np.bool_]:
    """Mark the k highest scores of each ragged row, the first among equals, shape (m,)."""
    b, width = len(counts), int(counts.max())
    if b == 1:
        limit, owner = np.partition(scores, width - k)[width - k], np.zeros(width, np.int64)
    else:
        owner = np.repeat(np.arange(b), counts)
        table = np.full((b, width), scores.min())  # the padding is never above a score, and k scores are there
        table[np.arange(width) < counts[:, None]] = scores
        table.partition(width - k, axis=1)
        limit = table[:, width - k][owner]
    keep = scores >= limit
    if np.count_nonzero(keep) > b * k:
        equal = scores == limit
        above = keep & ~equal
        room = k - np.add.reduceat(above, bounds[:-1], dtype=np.int64)
        place = np.cumsum(equal)
        before = place[bounds[:-1]] - equal[bounds[:-1]]
        keep = above | (equal & (place - before[owner] <= room[owner]))
    return np.asarray(keep)


def guessed_of_signs(block: Floats, k: int) -> Floats:
    """Guess magnitudes that at least k positive, and k negative entries of each row reach, shape (b, 2)."""
    sample = _sampled(block)
    rank = _rank(block.shape[1], sample.shape[1], k)
    return np.stack([kth(np.maximum(sample, 0), rank), kth(np.minimum(sample, 0), rank)], axis=1)
