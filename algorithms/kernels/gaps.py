"""Increasing indices in one pass over each row: whether they are, and the bits of their gaps in two codes.

Legend: `w` rows, `m` indices in all; row r holds `indices[indptr[r]:indptr[r + 1]]`. Gaps are g_j = i_j - i_(j-1) with
i_(-1) = -1. The references are in `algorithms.codecs` and `algorithms.payloads`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import jit

Integers = NDArray[np.int64]


@jit
def falls(row: NDArray[Any]) -> bool:
    """Tell whether an entry is not above the one before."""
    here, following, found = row[:-1], row[1:], False
    for i in range(here.size):
        found |= following[i] <= here[i]
    return found


def rises(indptr: Integers, indices: NDArray[Any], size: int) -> bool:
    """Tell whether each row increases and lies within 0..size-1."""
    for r in range(indptr.size - 1):
        row = indices[indptr[r] : indptr[r + 1]]
        if row.size and (falls(row) or row[0] < 0 or row[-1] >= size):
            return False
    return True


@jit
def excess_of(row: NDArray[Any], out: Integers) -> None:
    """Write g - 1 of each gap of a row that is not empty, shape (k,)."""
    out[0] = row[0]
    here, following, gaps = row[:-1], row[1:], out[1:]
    for i in range(here.size):
        gaps[i] = following[i] - here[i] - 1


@jit
def exponent_sum(excess: Integers, floats: NDArray[np.float64]) -> int:
    """Add up floor(log2 g), read off the exponents of the gaps as float64; `floats`, shape (k,), is overwritten."""
    for i in range(excess.size):
        floats[i] = excess[i] + 1
    total = 0
    for word in floats.view(np.int64):
        total += word >> 52
    return total - 1023 * excess.size


@jit
def quotient_sum(excess: Integers, b: int) -> int:
    """Add up (g - 1) div 2^b."""
    total = 0
    for value in excess:
        total += value >> b
    return total


def gamma_bits(indptr: Integers, indices: NDArray[Any]) -> Integers:
    """Give the bits of each row's gaps in Elias gamma, shape (w,)."""
    bits = np.zeros(indptr.size - 1, np.int64)
    longest = np.diff(indptr).max() if bits.size else 0
    excess, floats = np.empty(longest, np.int64), np.empty(longest, np.float64)
    for r in range(bits.size):
        k = indptr[r + 1] - indptr[r]
        if k:
            excess_of(indices[indptr[r] : indptr[r + 1]], excess[:k])
            bits[r] = 2 * exponent_sum(excess[:k], floats[:k]) + k
    return bits


def rice_bits(indptr: Integers, indices: NDArray[Any]) -> tuple[Integers, Integers]:
    """Find each row's shortest Rice code: the smallest best parameter and the bits, both of shape (w,).

    The length is convex in the parameter, so that walking downhill from a guess finds its least.
    """
    parameters, bits = np.zeros(indptr.size - 1, np.int64), np.zeros(indptr.size - 1, np.int64)
    excess = np.empty(np.diff(indptr).max() if bits.size else 0, np.int64)
    for r in range(bits.size):
        k = indptr[r + 1] - indptr[r]
        if k:
            gaps = excess[:k]
            excess_of(indices[indptr[r] : indptr[r + 1]], gaps)
            mean = (indices[indptr[r + 1] - 1] + 1) / k
            b = int(math.log2(max(1.0, math.log(2.0) * mean)))
            least = k * (b + 1) + quotient_sum(gaps, b)
            trial = k * (b + 2) + quotient_sum(gaps, b + 1)
            while trial < least:
                b, least = b + 1, trial
                trial = k * (b + 2) + quotient_sum(gaps, b + 1)
            while b > 0:
                trial = k * b + quotient_sum(gaps, b - 1)
                if trial > least:
                    break
                b, least = b - 1, trial
            parameters[r], bits[r] = b, least
    return parameters, bits
