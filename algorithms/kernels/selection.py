"""Exact selection of k entries a row: one pass collects what passes a guess, a histogram of it finds the k-th largest.

Magnitudes are compared as integers: the bits of a float without its sign are in the order of its magnitude. Legend: `b`
rows of a block, `d` coordinates, `k` kept, `m` candidates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import jit, kernel
from algorithms.kernels.partition import Places, by_partition

Words = NDArray[Any]
Finds = NDArray[np.int32]
_RUN = 1 << 12  # coordinates that are marked before they are looked through: both stay in the nearest cache
_DIGIT = 11  # bits of a magnitude that one histogram tells apart


@jit
def mark(run: Words, limit: int, sign: int, flags: NDArray[np.uint8]) -> None:
    """Write 1 for each magnitude that reaches a limit, else 0; a loop of its own, so that it is vectorised."""
    for i in range(run.size):
        flags[i] = (run[i] & sign) >= limit


@jit
def collect(row: Words, limit: int, sign: int, flags: NDArray[np.uint8], hits: Finds, found: Finds) -> int:
    """Write the places of all magnitudes that reach a limit, increasing, and give how many there are.

    Parameters
    ----------
    row : ndarray of int32 or int64, shape (d,)
        Bits of floats.
    limit : int
        Bits of a magnitude.
    sign : int
        All bits but the sign's, in the row's dtype.
    flags : ndarray of uint8, shape (_RUN,)
        Scratch.
    hits : ndarray of int32, shape (_RUN // 8 + 1,)
        Scratch.
    found : ndarray of int32, shape (d + 8,)
        Overwritten.

    Notes
    -----
    Where in a run the few lie cannot be foreseen, so nothing branches on it: eight marks are one word, a list is made
    of the words that are not zero, then one of the marks in these. Indices without a sign need no check.
    """
    words, one, count = flags.view(np.uint64), np.uint64(1), np.uint64(0)
    for start in range(0, row.size, _RUN):
        run = row[start : start + _RUN]
        eights = (run.size + 7) // 8
        flags[run.size : 8 * eights] = 0
        mark(run, limit, sign, flags)
        hit = np.uint64(0)
        for j in range(eights):
            hits[hit] = j
            hit += one if words[j] else np.uint64(0)
        for t in range(hit):
            first = 8 * hits[t]
            for i in range(first, first + 8):
                found[count] = start + i
                count += np.uint64(flags[i])
    return int(count)


@jit
def cut(keys: Words, k: int, spare: Words, histogram: Places) -> tuple[int, int]:
    """Find the k-th largest of m >= k keys, and how many of those equal to it are among the k largest.

    Digit after digit from the top: the keys that share the digits found so far are counted by the next. `spare`, of at
    least the shape of `keys`, and `histogram` are overwritten.
    """
    alive, low, high, room = keys, keys.min(), keys.max(), k
    while low < high:
        shift, width = 0, min(histogram.size, 2 * alive.size)  # no wider than it takes to tell most keys apart
        while (high - low) >> shift >= width:
            shift += 1
        counts = histogram[: ((high - low) >> shift) + 1]
        counts[:] = 0
        for key in alive:
            counts[np.uint64((key - low) >> shift)] += 1
        digit = counts.size - 1
        while counts[digit] < room:
            room -= counts[digit]
            digit -= 1
        low += digit << shift
        if shift == 0:
            break
        high, left = low + min(high - low, (1 << shift) - 1), np.uint64(0)  # the sum alone could overflow
        for key in alive:
            spare[left] = key
            left += np.uint64((key >= low) & (key <= high))
        alive = spare[:left]
        low, high = alive.min(), alive.max()
    return low, room


@jit
def choose(
    row: Words, found: Finds, k: int, sign: int, infinity: int, scratch: Words, counts: Places, out: Places
) -> None:
    """Write those k of the places found whose magnitudes are largest, the first among equals, shape (k,)."""
    m, taken = found.size, np.uint64(0)
    if m == k:
        for i in range(k):
            out[i] = found[i]
        return
    keys = scratch[0, :m]
    for i in range(m):
        keys[i] = min(row[np.uint64(found[i])] & sign, infinity)
    limit, room = cut(keys, k, scratch[1], counts)
    for i in range(m):
        if taken == k:
            break
        out[taken] = found[i]
        equal = keys[i] == limit
        taken += np.uint64((keys[i] > limit) | (equal & (room > 0)))
        room -= equal


@jit
def fill(row: Words, sign: int, zeros: int, out: Places) -> None:
    """Write the places of all entries but zeros, of which there are too few, and of the first zeros, shape (k,)."""
    taken, room = np.uint64(0), zeros
    for i in range(row.size):
        if taken == out.size:
            break
        out[taken] = i
        zero = (row[i] & sign) == 0
        taken += np.uint64((not zero) | (room > 0))
        room -= zero


@kernel(reference=by_partition)
def by_radix(bits: Words, guess: Words, k: int, out: Places, values: Words) -> None:
    """Find the columns of the k largest magnitudes of each row, increasing; ties to the lowest, NaN as if infinite.

    Parameters
    ----------
    bits : ndarray of int32 or int64, shape (b, d)
        Those of float32 or float64.
    guess : ndarray of the same dtype, shape (b,) or (0,)
        Bits of a magnitude of each row that at least k entries should reach; none looks at all of them.
    k : int
        1 <= k < d.
    out : ndarray of int64, shape (b, k)
        Overwritten with the columns.
    values : ndarray of the dtype of `bits`, shape (b, k)
        Overwritten with what they hold, which is still in the cache.
    """
    b, d = bits.shape
    wide = bits.itemsize == 8
    sign = bits.dtype.type(0x7FFFFFFFFFFFFFFF if wide else 0x7FFFFFFF)
    infinity = bits.dtype.type(0x7FF0000000000000 if wide else 0x7F800000)
    flags, hits, found = np.empty(_RUN, np.uint8), np.empty(_RUN // 8 + 1, np.int32), np.empty(d + 8, np.int32)
    scratch, counts = np.empty((2, d), bits.dtype), np.empty(1 << _DIGIT, np.int64)
    for r in range(b):
        limit = max(1, min(guess[r] & sign, infinity)) if guess.size else 1
        m = collect(bits[r], bits.dtype.type(limit), sign, flags, hits, found)
        if m < k and limit != 1:  # a bad guess, or that of a row of many zeros
            m = collect(bits[r], bits.dtype.type(1), sign, flags, hits, found)
        if m < k:
            fill(bits[r], sign, k - m, out[r])
        else:
            choose(bits[r], found[:m], k, sign, infinity, scratch, counts, out[r])
        for i in range(k):
            values[r, i] = bits[r, np.uint64(out[r, i])]
