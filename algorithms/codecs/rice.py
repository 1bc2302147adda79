"""Golomb-Rice code of gaps g >= 1 with parameter b: (g-1) div 2^b ones, a zero, then (g-1) mod 2^b in b bits.

A row of k gaps takes f(b) = k (b + 1) + sum floor((g-1) / 2^b) bits. f(b+1) - f(b) = k - sum ceil(floor((g-1)/2^b) / 2)
never falls with b, so f is convex and walking downhill finds its exact minimum.

References
----------
Golomb, "Run-length encodings", IEEE Trans. Inf. Theory 12(3), 1966. Rice, "Some practical universal noiseless coding
techniques", JPL 79-22, 1979. Sattler et al., "Sparse Binary Compression", 2018 (section on position encoding).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.codecs.bitstream import Bitarray, Integers, chain, next_of, read_fields, write_fields
from algorithms.codecs.ragged import Ragged


def rice_parameter(density: float) -> int:
    """Give the best parameter for gaps of independent coordinates: b* = 1 + floor(log2(ln(phi - 1) / ln(1 - p))).

    phi is the golden ratio. Sattler et al. print 8.38 bits per position at p = 0.01, which is the code with b* = 7; the
    formula gives b* = 6 and 8.108 bits, the true optimum. Where it would be negative (p > 0.62) the parameter is 0.

    Raises
    ------
    ValueError
        If `density` is outside (0, 1].

    Examples
    --------
    >>> rice_parameter(0.01), round(expected_rice_bits(0.01), 3)
    (6, 8.108)
    """
    if not 0.0 < density <= 1.0:
        raise ValueError(f"density: expected a share in (0, 1], got {density}")
    if density == 1.0:
        return 0
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    return max(0, 1 + math.floor(math.log2(math.log(golden - 1.0) / math.log1p(-density))))


def expected_rice_bits(density: float, parameter: int | None = None) -> float:
    """Give the expected bits per position, b + 1 / (1 - (1-p)^(2^b)), at the best parameter unless one is given."""
    b = rice_parameter(density) if parameter is None else parameter
    return b + 1.0 / -math.expm1(2.0**b * math.log1p(-density)) if density < 1.0 else b + 1.0


def best_parameters(rows: Ragged, excess: NDArray[Any]) -> tuple[Integers, Integers]:
    """Find each row's shortest Rice code.

    Parameters
    ----------
    rows : Ragged
        Bounds of w rows.
    excess : ndarray of int32 or int64, shape (m,)
        g - 1 of every gap; a row's sum must fit the dtype.

    Returns
    -------
    parameters, bits : ndarray of int64, shape (w,)
        The smallest b that minimises the row's length, and that length. An empty row has b = 0 and 0 bits.
    """
    counts = rows.counts
    mean = rows.sums(excess) / np.maximum(counts, 1)
    guess = np.floor(np.log2(np.maximum(1.0, math.log(2.0) * (mean + 1.0)))).astype(np.int64)

    def length(of: Ragged, gaps: NDArray[Any], b: Integers) -> Integers:
        if of.length is not None:
            quotients = (gaps.reshape(of.rows, of.length) >> b.astype(gaps.dtype)[:, None]).reshape(-1)
        else:
            quotients = gaps >> np.repeat(b.astype(gaps.dtype), of.counts)
        return of.counts * (b + 1) + of.sums(quotients)

    best, bits = guess, length(rows, excess, guess)
    for step in (1, -1):
        active = np.arange(rows.rows) if step == 1 else np.flatnonzero(best > 0)
        part, gaps = rows, excess
        while active.size:
            if active.size < part.rows:  # only rows that may still get shorter are looked at again
                part = Ragged.of_counts(counts[active])
                shift = np.repeat(rows.indptr[:-1][active] - part.indptr[:-1], part.counts)
                gaps = excess[shift + np.arange(part.entries)]
            trial = best[active] + step
            new = length(part, gaps, trial)
            better = new < bits[active] if step == 1 else new <= bits[active]
            active, trial, new = active[better], trial[better], new[better]
            best[active], bits[active] = trial, new
            if step == -1:
                active = active[trial > 0]
    return best, bits


def encode_rice(excess: Integers, parameter: int) -> Bitarray:
    """Write g - 1 of each gap, one code after the other."""
    quotients = excess >> parameter
    ends = np.cumsum(quotients + 1 + parameter)
    bits = np.ones(int(ends[-1]) if ends.size else 0, np.uint8)
    bits[ends - parameter - 1] = 0
    write_fields(bits, ends, excess, np.full(excess.size, parameter))
    return bits


def decode_rice(bits: Bitarray, count: int, parameter: int) -> tuple[Integers, int]:
    """Read `count` codes: g - 1 of each gap, and the bits used. Raises ValueError if the bits end early."""
    if parameter > 61:
        raise ValueError(f"message: expected a Rice parameter of at most 61, got {parameter}")
    stops = next_of(bits, 0)
    starts, used = chain(stops + 1 + parameter, count)
    ends = stops[starts] + 1 + parameter
    low = read_fields(bits, ends, np.full(count, parameter))
    return ((stops[starts] - starts) << parameter) | low, used
