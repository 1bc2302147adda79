"""Exact selection of k entries a row: what passes a guess is listed, a histogram of it finds the k-th largest.

Legend: `b` rows of a block, `d` coordinates, `k` kept, `m` candidates. A side is 1 for the positive entries alone, -1
for the negative, 0 for all: an entry's score is its magnitude's bits, 0 on the other side, and infinity's for NaN.
"""

from __future__ import annotations

import numpy as np

from algorithms.kernels.candidates import RUN, Finds, Words, collect, split
from algorithms.kernels.compiled import jit, kernel
from algorithms.kernels.partition import Places, by_clamping, by_partition

_DIGIT = 11  # bits of a magnitude that one histogram tells apart


@jit
def score(word: int, side: int, sign: int, infinity: int) -> int:
    """Give what an entry is chosen by."""
    magnitude = word & sign
    if magnitude > infinity:
        return infinity
    return 0 if (side > 0 and word < 0) or (side < 0 and word > 0) else magnitude


@jit
def extent(keys: Words) -> tuple[int, int]:
    """Give the smallest and the largest key."""
    low, high = keys[0], keys[0]
    for key in keys:
        low, high = min(low, key), max(high, key)
    return low, high


@jit
def cut(keys: Words, k: int, spare: Words, histogram: Places) -> tuple[int, int]:
    """Find the k-th largest of m >= k keys, and how many of those equal to it are among the k largest.

    Digit after digit from the top: the keys that share the digits found so far are counted by the next. `spare`, of at
    least the shape of `keys`, and `histogram` are overwritten.
    """
    alive, room = keys, k
    low, high = extent(keys)
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
        low, high = extent(alive)
    return low, room


@jit
def choose(
    found: Finds,
    held: Words,
    side: int,
    sign: int,
    infinity: int,
    scratch: Words,
    counts: Places,
    out: Places,
    values: Words,
) -> None:
    """Write those k entries of a list whose scores are largest, the first among equals: places and words."""
    m, k, taken = found.size, out.size, np.uint64(0)
    keys = scratch[0, :m]
    for i in range(m):
        keys[i] = score(held[i], side, sign, infinity)
    limit, room = cut(keys, k, scratch[1], counts)
    for i in range(m):
        if taken == k:
            break
        out[taken], values[taken] = found[i], held[i]
        equal = keys[i] == limit
        taken += np.uint64((keys[i] > limit) | (equal & (room > 0)))
        room -= equal


@jit
def fill(row: Words, side: int, sign: int, infinity: int, zeros: int, out: Places, values: Words) -> None:
    """Write all entries with a score above 0, which are too few, and the first `zeros` of the others."""
    taken, room = np.uint64(0), zeros
    for i in range(row.size):
        if taken == out.size:
            break
        out[taken], values[taken] = i, row[i]
        zero = score(row[i], side, sign, infinity) == 0
        taken += np.uint64((not zero) | (room > 0))
        room -= zero


@jit
def constants(bits: Words) -> tuple[int, int, int]:
    """Give 1, the mask of a magnitude's bits and infinity's, in the dtype of the words."""
    kind, wide = bits.dtype.type, bits.itemsize == 8
    sign, infinity = (0x7FFFFFFFFFFFFFFF, 0x7FF0000000000000) if wide else (0x7FFFFFFF, 0x7F800000)
    return kind(1), kind(sign), kind(infinity)


@jit
def within(guess: int, one: int, sign: int, infinity: int) -> int:
    """Bring a guess between the least magnitude above 0 and infinity."""
    return max(one, min(guess & sign, infinity))


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
        1 <= k <= d.
    out : ndarray of int64, shape (b, k)
        Overwritten with the columns.
    values : ndarray of the dtype of `bits`, shape (b, k)
        Overwritten with what they hold.
    """
    b, d = bits.shape
    one, sign, infinity = constants(bits)
    flags, hits = np.empty(RUN, np.uint8), np.empty(RUN // 8 + 1, np.int32)
    found, held = np.empty(d + 8, np.int32), np.empty(d + 8, bits.dtype)
    scratch, counts = np.empty((2, d), bits.dtype), np.empty(1 << _DIGIT, np.int64)
    for r in range(b):
        limit = within(guess[r], one, sign, infinity) if guess.size else one
        m = collect(bits[r], limit, limit, sign, flags, hits, found, held)
        if m < k and limit != one:  # a bad guess, or that of a row of many zeros
            m = collect(bits[r], one, one, sign, flags, hits, found, held)
        if m < k:
            fill(bits[r], 0, sign, infinity, k - m, out[r], values[r])
        else:
            choose(found[:m], held[:m], 0, sign, infinity, scratch, counts, out[r], values[r])


@kernel(reference=by_clamping)
def by_sign(bits: Words, guess: Words, k: int, out: Places, values: Words) -> None:
    """Find the columns of the k largest and of the k smallest entries of each row, as `by_radix` of each sign alone.

    Parameters
    ----------
    bits : ndarray of int32 or int64, shape (b, d)
        Those of float32 or float64.
    guess : ndarray of the same dtype, shape (b, 2) or (0, 2)
        As for `by_radix`, for the positive and for the negative entries.
    k : int
        1 <= k <= d.
    out : ndarray of int64, shape (b, 2, k)
        Overwritten with the columns; entries of the other sign count as zeros.
    values : ndarray of the dtype of `bits`, shape (b, 2, k)
        Overwritten with the bits of their magnitudes, 0 for entries of the other sign.
    """
    b, d = bits.shape
    one, sign, infinity = constants(bits)
    flags, hits = np.empty(RUN, np.uint8), np.empty(RUN // 8 + 1, np.int32)
    found, held = np.empty(d + 8, np.int32), np.empty(d + 8, bits.dtype)
    places, words = np.empty((2, d + 1), np.int32), np.empty((2, d + 1), bits.dtype)
    scratch, counts = np.empty((2, d), bits.dtype), np.empty(1 << _DIGIT, np.int64)
    parts = (places[0], places[1]), (words[0], words[1])
    for r in range(b):
        row, guessed = bits[r], guess.size > 0
        above = within(guess[r, 0], one, sign, infinity) if guessed else one
        below = within(guess[r, 1], one, sign, infinity) if guessed else one
        listed = collect(row, above, below, sign, flags, hits, found, held)
        sizes = split(found[:listed], held[:listed], sign, infinity, *parts)
        if min(sizes) < k and guessed:
            listed = collect(row, one, one, sign, flags, hits, found, held)
            sizes = split(found[:listed], held[:listed], sign, infinity, *parts)
        for s in range(2):
            side, m, kept = 1 - 2 * s, sizes[s], values[r, s]
            if m < k:
                fill(row, side, sign, infinity, k - m, out[r, s], kept)
            else:
                choose(places[s, :m], words[s, :m], side, sign, infinity, scratch, counts, out[r, s], kept)
            for i in range(k):
                nan = (kept[i] & sign) > infinity
                kept[i] = kept[i] & sign if nan or (kept[i] < 0) == (side < 0) else 0
