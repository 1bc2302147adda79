"""Elias gamma: a positive integer g as floor(log2 g) zeros and then g in binary, 2 floor(log2 g) + 1 bits.

References
----------
Elias, "Universal codeword sets and representations of the integers", IEEE Trans. Inf. Theory 21(2), 1975.
"""

from __future__ import annotations

import numpy as np

from algorithms.codecs.bitstream import Bitarray, Integers, chain, exponents, next_of, read_fields, write_fields


def encode_gamma(values: Integers, trailing: Integers | None = None, tails: Integers | None = None) -> Bitarray:
    """Write positive integers one after the other, each followed by an optional tail.

    Parameters
    ----------
    values : ndarray of int64, shape (k,)
        Integers >= 1.
    trailing, tails : ndarray of int64, shape (k,), optional
        Width of each tail in bits, and what it holds.

    Returns
    -------
    ndarray of uint8
        Zeros and ones.

    Examples
    --------
    >>> encode_gamma(np.array([1, 2, 5])).tolist()  # 1, 010, 00101
    [1, 0, 1, 0, 0, 0, 1, 0, 1]
    """
    exponent = exponents(values)
    after = np.zeros_like(values) if trailing is None else trailing
    ends = np.cumsum(2 * exponent + 1 + after)
    bits = np.zeros(int(ends[-1]) if ends.size else 0, np.uint8)
    write_fields(bits, ends - after, values, exponent + 1)
    if tails is not None:
        write_fields(bits, ends, tails, after)
    return bits


def decode_gamma(bits: Bitarray, count: int, sign_above_one: bool = False) -> tuple[Integers, Integers, int]:
    """Read `count` integers.

    Parameters
    ----------
    bits : ndarray of uint8
        Zeros and ones; more may follow.
    count : int
        Integers to read.
    sign_above_one : bool
        Whether one bit follows every integer above 1.

    Returns
    -------
    values, tails : ndarray of int64, shape (count,)
        The integers, and the bit after each (0 where there is none).
    used : int
        Bits read.

    Raises
    ------
    ValueError
        If the bits end early or an integer needs more than 62 bits.
    """
    here = np.arange(bits.size)
    zeros = next_of(bits, 1) - here
    tail = (zeros > 0) & sign_above_one
    starts, used = chain(here + 2 * zeros + 1 + tail, count)
    exponent, after = zeros[starts], tail[starts].astype(np.int64)
    if exponent.max(initial=0) > 61:
        raise ValueError(f"message: expected Elias-gamma codes below 2**62, got one of {exponent.max()} zeros")
    ends = starts + 2 * exponent + 1
    return read_fields(bits, ends, exponent + 1), read_fields(bits, ends + after, after), used
