"""Count Sketches: where coordinates are hashed to, sums into buckets, and medians of what is found there.

w vectors, m coordinates, r rows and c columns of a table; a place is 2 * bucket + 1 where the sign is -1, else 2 *
bucket.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.kernels.compiled import jit, kernel
from algorithms.kernels.lanes import LANES, add_lanes, turn_square

Places = NDArray[np.uint32]
Integers = NDArray[np.int64]
PRIME = (1 << 31) - 1
_PIECE = 2048  # coordinates whose values are turned around together: they stay in the nearest caches
_GUESSED = 512  # coordinates whose medians are taken together
_FEW = 3  # vectors up to which they are summed one after the other


def _hash_by_numpy(points: Integers, linear: Integers, cubic: Integers, columns: int, places: Places) -> None:
    for row, out in enumerate(places):
        parity = _polynomial_by_numpy(points, cubic[row]) & 1
        out[:] = (((_polynomial_by_numpy(points, linear[row]) * columns) >> 31) << 1) | parity


def _polynomial_by_numpy(points: Integers, terms: Integers) -> Integers:
    x: Integers = points * terms[0] + terms[1]
    for term in terms[2:]:
        x = ((x & PRIME) + (x >> 31)) * points + term
    x = (x & PRIME) + (x >> 31)
    x -= (x >= PRIME) * PRIME
    return x


def _unpacked(places: Places) -> tuple[Tensor, Tensor]:
    return torch.from_numpy((places >> 1).astype(np.int64)), torch.from_numpy(1 - 2 * (places & 1).astype(np.int8))


def _insert_by_torch(values: NDArray[Any], places: Places, table: NDArray[Any]) -> None:
    given, sums = torch.from_numpy(values), torch.from_numpy(table)
    for start in range(0, values.shape[1], 1 << 15):
        block = given[:, start : start + (1 << 15)]
        for row in range(len(places)):
            buckets, signs = _unpacked(places[row, start : start + (1 << 15)])
            sums[:, row].scatter_add_(1, buckets.expand(len(given), -1), block * signs)


def _query_by_torch(table: NDArray[Any], places: Places, out: NDArray[Any]) -> None:
    sums = torch.from_numpy(table)
    for start in range(0, out.shape[1], 1 << 15):
        guesses = []
        for row in range(len(places)):
            buckets, signs = _unpacked(places[row, start : start + (1 << 15)])
            guesses.append(sums[:, row].index_select(1, buckets).mul_(signs))
        torch.from_numpy(out)[:, start : start + (1 << 15)] = median(guesses)


def median(guesses: list[Tensor]) -> Tensor:
    """Take the middle of an odd number of tensors, entry by entry, by exchanging neighbours; NaN stays NaN.

    The largest of all sinks to the end, then the largest of the rest, until the middle is reached. A zero is +0.
    """
    held = list(guesses)
    for last in range(len(held) - 1, len(held) // 2 - 1, -1):
        for i in range(last):
            held[i], held[i + 1] = torch.minimum(held[i], held[i + 1]), torch.maximum(held[i], held[i + 1])
    return held[len(held) // 2] + 0.0  # which of two zeros is the lesser differs along a vector


@jit
def _folded(x: int) -> int:
    return (x & PRIME) + (x >> 31)


@kernel(reference=_hash_by_numpy)
def hash_places(points: Integers, linear: Integers, cubic: Integers, columns: int, places: Places) -> None:
    """Hash points to places, by the polynomials of `sketches.hashes`.

    Parameters
    ----------
    points : ndarray of int64, shape (m,)
        In 0..2**30 - 1.
    linear, cubic : ndarray of int64, shapes (r, 2) and (r, 4)
        Coefficients, highest power first.
    columns : int
        c, below 2**30.
    places : ndarray of uint32, shape (r, m)
        Written.
    """
    for row in range(places.shape[0]):
        out, slope, shift = places[row], linear[row, 0], linear[row, 1]
        a, b, c, d = cubic[row, 0], cubic[row, 1], cubic[row, 2], cubic[row, 3]
        for j in range(len(points)):
            x = points[j]
            bucket = _folded(x * slope + shift)
            bucket = bucket - PRIME if bucket >= PRIME else bucket
            parity = _folded(_folded(_folded(x * a + b) * x + c) * x + d)
            parity = parity - PRIME if parity >= PRIME else parity
            out[j] = np.uint32((((bucket * columns) >> 31) << 1) | (parity & 1))


@jit
def _move(table: NDArray[Any], lane: NDArray[Any], back: bool) -> None:
    """Copy a table to every eighth number of a lane, or back."""
    for row in range(table.shape[0]):
        sums, first = table[row], row * table.shape[1]
        for column in range(len(sums)):
            at = np.uint64((first + column) * LANES)
            if back:
                sums[column] = lane[at]
            else:
                lane[at] = sums[column]


@jit
def _turn(values: NDArray[Any], start: int, turned: NDArray[Any]) -> None:
    """Lay a piece of each vector out so that those of one coordinate lie side by side."""
    w, m = values.shape
    count = min(_PIECE, m - start)
    squares = count // LANES * LANES if w == LANES else 0
    flat = values.reshape(-1)
    for j in range(0, squares, LANES):
        turn_square(flat, np.uint64(start + j), np.uint64(m), turned, np.uint64(j * LANES))
    for i in range(w):
        part, lane = values[i, start + squares : start + count], turned[squares * LANES + i :]
        for j in range(len(part)):
            lane[np.uint64(j * LANES)] = part[j]


@jit
def _insert_side_by_side(values: NDArray[Any], places: Places, table: NDArray[Any]) -> None:
    """Insert up to eight vectors at once: their sums in a bucket lie side by side, and are moved in the end."""
    w, m = values.shape
    rows, columns = table.shape[1], table.shape[2]
    one = values.dtype.type(1)
    sums = np.zeros(rows * columns * LANES, values.dtype)
    turned = np.zeros(_PIECE * LANES, values.dtype)
    for i in range(w):
        _move(table[i], sums[i:], False)
    for start in range(0, m, _PIECE):
        _turn(values, start, turned)
        for row in range(rows):
            which = places[row, start : start + _PIECE]
            first = np.uint64(row * columns)
            for j in range(len(which)):
                place = which[j]
                sign = -one if place & np.uint32(1) else one
                bucket = first + np.uint64(place >> np.uint32(1))
                add_lanes(sums, bucket * np.uint64(LANES), turned, np.uint64(j * LANES), sign)
    for i in range(w):
        _move(table[i], sums[i:], True)


@jit
def _insert_alone(vector: NDArray[Any], places: Places, table: NDArray[Any], signed: NDArray[Any]) -> None:
    for start in range(0, len(vector), len(signed)):
        part = vector[start : start + len(signed)]
        for row in range(len(places)):
            which, sums = places[row, start : start + len(signed)], table[row]
            for j in range(len(part)):
                signed[j] = part[j] * part.dtype.type(1 - 2 * np.int32(which[j] & np.uint32(1)))
            for j in range(len(part)):
                sums[which[j] >> np.uint32(1)] += signed[j]


@kernel(reference=_insert_by_torch)
def insert_rows(values: NDArray[Any], places: Places, table: NDArray[Any]) -> None:
    """Add vectors to their tables, coordinate after coordinate.

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (w, m)
    places : ndarray of uint32, shape (r, m)
    table : ndarray of the dtype of `values`, shape (w, r, c)
        Changed in place: S[j, h_j(i)] += s_j(i) v_i.
    """
    w = values.shape[0]
    if w <= _FEW:
        signed = np.empty(_PIECE, values.dtype)
        for i in range(w):
            _insert_alone(values[i], places, table[i], signed)
    else:
        for i in range(0, w, LANES):
            _insert_side_by_side(values[i : i + LANES], places, table[i : i + LANES])


@jit
def _exchange(guesses: NDArray[Any], i: int, count: int) -> None:
    left, right = guesses[i, :count], guesses[i + 1, :count]
    for j in range(count):
        a, b = left[j], right[j]
        less, more = (a, b) if a < b else (b, a)
        left[j] = less if a == a else a  # a NaN stays in both
        right[j] = more if b == b else b


@kernel(reference=_query_by_torch)
def query_rows(table: NDArray[Any], places: Places, out: NDArray[Any]) -> None:
    """Write each coordinate's estimate, the median over the rows of a table: (w, r, c) -> (w, m), r odd."""
    rows = len(places)
    zero, guesses = table.dtype.type(0), np.empty((rows, _GUESSED), table.dtype)
    for i in range(out.shape[0]):
        for start in range(0, out.shape[1], _GUESSED):
            found = out[i, start : start + _GUESSED]
            count = len(found)
            for row in range(rows):
                guess, sums, which = guesses[row], table[i, row], places[row, start : start + _GUESSED]
                for j in range(count):
                    value = sums[which[j] >> np.uint32(1)]
                    guess[j] = -value if which[j] & np.uint32(1) else value
            for last in range(rows - 1, rows // 2 - 1, -1):
                for row in range(last):
                    _exchange(guesses, row, count)
            middle = guesses[rows // 2]
            for j in range(count):
                found[j] = middle[j] + zero
