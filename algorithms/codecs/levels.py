"""Codes for signed integer levels in -s..s: fixed width, and Elias gamma.

fixed: a sign bit (1 is minus) and ceil(log2(s + 1)) bits of magnitude. elias: Elias gamma of |level| + 1, then a sign
bit unless the level is 0: the dense variant of QSGD's code, which codes every coordinate and so needs no gaps.

References
----------
Alistarh et al., "QSGD", NeurIPS 2017, section 3: Elias of the gap, sign, Elias of the level; for s = sqrt(d) the dense
variant, Elias of level + 1 of every coordinate. Here it is Elias's gamma code.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from algorithms.codecs.bitstream import Bitarray, Integers, pack_fixed, unpack_fixed
from algorithms.codecs.elias import decode_gamma, encode_gamma

LEVEL_CODES: tuple[str, ...] = ("fixed", "elias")
"""The codes by name; a code's place in this table is its number in a message header."""


def level_bits(counts: Integers, s: int, name: str, elias: Callable[[], Integers]) -> tuple[Integers, Integers]:
    """Choose each row's level code: the named one, or under "auto" the shorter (fixed among equals).

    Parameters
    ----------
    counts : ndarray of int64, shape (w,)
        Levels in each row.
    s : int
        Largest magnitude.
    name : {"auto", "fixed", "elias"}
    elias : callable
        Gives the Elias bits of each row (`LevelCounts.elias_bits`); not called under "fixed", which needs no look at
        the levels.

    Returns
    -------
    numbers, bits : ndarray of int64, shape (w,)
        Which code, and the bits of its levels.
    """
    fixed = counts * (1 + s.bit_length())
    if name == "fixed":
        return np.zeros_like(fixed), fixed
    if name == "elias":
        return np.ones_like(fixed), elias()
    other = elias()
    return (other < fixed).astype(np.int64), np.minimum(other, fixed)


def write_levels(levels: Integers, s: int, number: int) -> Bitarray:
    """Write one row's levels with the code of that number."""
    magnitude, negative = np.abs(levels), levels < 0
    if number == 0:
        width = s.bit_length()
        return pack_fixed((negative.astype(np.int64) << width) | magnitude, 1 + width)
    return encode_gamma(magnitude + 1, (magnitude > 0).astype(np.int64), negative.astype(np.int64))


def read_levels(bits: Bitarray, count: int, s: int, number: int) -> tuple[Integers, int]:
    """Read one row's levels with the code of that number: the levels and the bits used.

    Raises
    ------
    ValueError
        If the bits end early, a level is beyond s or the number is no code.
    """
    if number == 0:
        width = s.bit_length()
        fields = unpack_fixed(bits, count, 1 + width)
        magnitude, negative = fields & ((1 << width) - 1), fields >> width
        used = count * (1 + width)
    elif number == 1:
        magnitude, negative, used = decode_gamma(bits, count, sign_above_one=True)
        magnitude -= 1
    else:
        raise ValueError(f"message: expected a level code below {len(LEVEL_CODES)}, got {number}")
    if magnitude.max(initial=0) > s:
        raise ValueError(f"message: expected levels in -{s}..{s}, got one of magnitude {magnitude.max()}")
    return np.where(negative > 0, -magnitude, magnitude), used
