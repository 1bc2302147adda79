"""Bits as uint8 arrays of zeros and ones, most significant first: fields of fixed and of varying width.

Reading codes of varying length is a chain: where a code ends decides where the next one starts. Each code says, for
*every* bit position, where a code that started there would end; following that map from 0 by doubling finds all k
starts in log2(k) array operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bitarray = NDArray[np.uint8]
Integers = NDArray[np.int64]


def exponents(values: NDArray[Any]) -> Integers:
    """Give floor(log2(v)) of integers 1 <= v < 2**53, read off the exponent field of a float64."""
    bits = values.astype(np.float64).view(np.int64)
    bits >>= 52
    bits -= 1023
    return bits


def pack_fixed(values: NDArray[Any], width: int) -> Bitarray:
    """Write each value in `width` bits: shape (k,) -> (k * width,)."""
    bits = np.empty((values.size, width), np.uint8)
    for column in range(width):
        bits[:, column] = (values >> (width - 1 - column)) & 1
    return bits.reshape(-1)


def unpack_fixed(bits: Bitarray, count: int, width: int) -> Integers:
    """Read `count` values of `width` bits.

    Raises
    ------
    ValueError
        If there are fewer than `count * width` bits.
    """
    require(bits, count * width)
    columns = bits[: count * width].reshape(count, width)
    values = np.zeros(count, np.int64)
    for column in range(width):
        values <<= 1
        values |= columns[:, column]
    return values


def write_fields(bits: Bitarray, ends: Integers, values: Integers, widths: Integers) -> None:
    """Write the low `widths[i]` bits of `values[i]` so that they end just before position `ends[i]`, in place."""
    for j in range(int(widths.max(initial=0))):
        wide = widths > j
        bits[ends[wide] - 1 - j] = (values[wide] >> j) & 1


def read_fields(bits: Bitarray, ends: Integers, widths: Integers) -> Integers:
    """Read the `widths[i]` bits that end just before position `ends[i]`."""
    values = np.zeros(ends.size, np.int64)
    for j in range(int(widths.max(initial=0))):
        wide = widths > j
        values[wide] |= bits[ends[wide] - 1 - j].astype(np.int64) << j
    return values


def next_of(bits: Bitarray, symbol: int) -> Integers:
    """Find, for each position, the first position at or after it holding `symbol` (n where none does), shape (n,)."""
    where = np.where(bits == symbol, np.arange(bits.size), bits.size)
    return np.minimum.accumulate(where[::-1])[::-1]


def chain(following: Integers, count: int) -> tuple[Integers, int]:
    """Follow a chain of `count` codes from position 0.

    Parameters
    ----------
    following : ndarray of int64, shape (n,)
        For each bit position, where the code that starts there ends; more than n means past the end.
    count : int
        Codes to follow.

    Returns
    -------
    starts : ndarray of int64, shape (count,)
    end : int
        Where the last code ends.

    Raises
    ------
    ValueError
        If the bits end before the last code does.
    """
    if count == 0:
        return np.zeros(0, np.int64), 0
    size = following.size
    if count > size:  # every code has a bit; a damaged count must not cost memory
        raise ValueError(f"message: expected {count} codes, got {size} bits")
    jump = np.append(np.minimum(following, size + 1), [size + 1, size + 1])  # size: all read; size + 1: past the end
    starts, first = np.zeros(1, np.int64), jump
    while starts.size < count:
        starts = np.append(starts, jump[starts[: count - starts.size]])
        jump = jump[jump]
    end = int(first[starts[-1]])
    if end > size:
        raise ValueError(f"message: expected {count} codes, got bits that end early ({size} bits)")
    return starts, end


def require(bits: Bitarray, count: int) -> None:
    """Raise ValueError unless at least `count` bits are there."""
    if bits.size < count:
        raise ValueError(f"message: expected {count} more bits, got {bits.size}")
