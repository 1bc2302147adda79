"""Listing the few entries of a row that reach a limit, in about the time it takes to read the row.

Magnitudes are compared as integers: the bits of a float without its sign are in the order of its magnitude. Legend: `d`
coordinates, `m` candidates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import jit, kernel
from algorithms.kernels.partition import Places, exceeding_by_masks

Words = NDArray[Any]
Finds = NDArray[np.int32]
RUN = 1 << 12  # coordinates that are marked before they are looked through: both stay in the nearest cache


@jit
def mark(run: Words, above: int, below: int, sign: int, flags: NDArray[np.uint8]) -> None:
    """Write 1 for each entry that reaches the limit of its sign, else 0; a loop of its own, to be vectorised."""
    for i in range(run.size):
        flags[i] = (run[i] & sign) >= (below if run[i] < 0 else above)


@jit
def collect(
    row: Words, above: int, below: int, sign: int, flags: NDArray[np.uint8], hits: Finds, found: Finds, held: Words
) -> int:
    """List all entries that reach the limit of their sign, in order, and give how many there are.

    Parameters
    ----------
    row : ndarray of int32 or int64, shape (d,)
        Bits of floats.
    above, below : int
        Bits of the magnitudes that positive and that negative entries should reach, in the row's dtype.
    sign : int
        All bits but the sign's, likewise.
    flags : ndarray of uint8, shape (RUN,)
        Scratch.
    hits : ndarray of int32, shape (RUN // 8 + 1,)
        Scratch.
    found, held : ndarray of int32 and of the row's dtype, shape (d + 8,)
        Overwritten with places, and with what is there: the start of a row may have left the cache at its end.

    Notes
    -----
    Where in a run the few lie cannot be foreseen, so nothing branches on it: eight marks are one word, a list is made
    of the words that are not zero, then one of the marks in these. Indices without a sign need no check.
    """
    words, one, none, count = flags.view(np.uint64), np.uint64(1), np.uint64(0), np.uint64(0)
    for start in range(0, row.size, RUN):
        run = row[start : start + RUN]
        eights = (run.size + 7) // 8
        flags[run.size : 8 * eights] = 0
        mark(run, above, below, sign, flags)
        hit, before = none, count
        for j in range(eights):
            hits[hit] = j
            hit += one if words[j] else none
        for t in range(hit):
            first = 8 * hits[t]
            for i in range(first, first + 8):
                found[count] = start + i
                count += np.uint64(flags[i])
        for i in range(before, count):
            held[i] = row[np.uint64(found[i])]
    return int(count)


@jit
def split(
    found: Finds, held: Words, sign: int, infinity: int, places: tuple[Finds, Finds], words: tuple[Words, Words]
) -> tuple[int, int]:
    """Part a list into its positive and its negative entries, NaN in both, and give how many each has."""
    first, second, positive, negative = *places, np.uint64(0), np.uint64(0)
    above, below = words
    for i in range(found.size):
        word = held[i]
        nan = (word & sign) > infinity
        first[positive], second[negative] = found[i], found[i]
        above[positive], below[negative] = word, word
        positive += np.uint64((word >= 0) | nan)
        negative += np.uint64((word < 0) | nan)
    return int(positive), int(negative)


@kernel(reference=exceeding_by_masks)
def exceeding(bits: Words, starts: Places, limits: Words) -> Places:
    """Find the entries that exceed the limit of their part in magnitude, or are NaN.

    Parameters
    ----------
    bits : ndarray of int32 or int64, shape (b, d)
        Those of float32 or float64.
    starts : ndarray of int64, shape (P + 1,)
        Where the parts begin that follow each other, and d.
    limits : ndarray of the dtype of `bits`, shape (b, P)
        Bits of numbers of at least 0; NaN lets all pass.

    Returns
    -------
    ndarray of int64, shape (m,)
        Places in the matrix laid out row after row, increasing.
    """
    b, d = bits.shape
    wide = bits.itemsize == 8
    sign = bits.dtype.type(0x7FFFFFFFFFFFFFFF if wide else 0x7FFFFFFF)
    infinity = bits.dtype.type(0x7FF0000000000000 if wide else 0x7F800000)
    flags, hits = np.empty(RUN, np.uint8), np.empty(RUN // 8 + 1, np.int32)
    found, held = np.empty(d + 8, np.int32), np.empty(d + 8, bits.dtype)
    places, count = np.empty(d, np.int64), 0
    for r in range(b):
        for part in range(starts.size - 1):
            first, limit = starts[part], limits[r, part] & sign
            least = bits.dtype.type(0 if limit > infinity else limit + 1)
            m = collect(bits[r, first : starts[part + 1]], least, least, sign, flags, hits, found, held)
            if count + m > places.size:
                longer = np.empty(2 * (count + m), np.int64)
                longer[:count] = places[:count]
                places = longer
            for i in range(m):
                places[count + i] = r * d + first + found[i]
            count += m
    return places[:count].copy()
