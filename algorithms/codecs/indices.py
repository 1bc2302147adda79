"""Codes for a sorted set of k indices out of d: fixed width, Elias gamma and Golomb-Rice of the gaps, bitmap, blocks.

Gaps are g_j = i_j - i_(j-1) >= 1 with i_(-1) = -1. Every code measures all rows at once in closed form, and writes and
reads one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.codecs.bitstream import Bitarray, Integers, exponents, pack_fixed, require, unpack_fixed
from algorithms.codecs.blocks import block_bits, block_parameters, decode_blocks, encode_blocks
from algorithms.codecs.elias import decode_gamma, encode_gamma
from algorithms.codecs.ragged import Ragged
from algorithms.codecs.rice import best_parameters, decode_rice, encode_rice
from algorithms.kernels import Kernel
from algorithms.kernels.gaps import gamma_bits, rice_bits


@dataclass(frozen=True, eq=False)
class Supports:
    """The index sets of `w` messages over `size` coordinates: bounds, and flat indices, increasing within each row."""

    size: int
    rows: Ragged
    indices: NDArray[Any]

    @property
    def flat(self) -> tuple[Integers, NDArray[Any]]:
        """What kernels are given: bounds and indices."""
        return self.rows.indptr, self.indices


def _excess(indptr: Integers, indices: NDArray[Any]) -> NDArray[Any]:
    """Give g - 1 of every gap, flat; int32 where a row's sum surely fits, which is faster."""
    dtype = np.int32 if indices.max(initial=0) < np.iinfo(np.int32).max else np.int64
    flat = indices.astype(dtype, copy=False)
    excess = np.empty_like(flat)
    np.subtract(flat[1:], flat[:-1], out=excess[1:])
    excess -= 1
    starts = indptr[:-1][np.diff(indptr) > 0]
    excess[starts] = flat[starts]
    return excess


def _gamma_by_numpy(indptr: Integers, indices: NDArray[Any]) -> Integers:
    return 2 * Ragged(indptr).sums(exponents(_excess(indptr, indices) + 1)) + np.diff(indptr)


def _rice_by_numpy(indptr: Integers, indices: NDArray[Any]) -> tuple[Integers, Integers]:
    return best_parameters(Ragged(indptr), _excess(indptr, indices))


_gamma_bits = Kernel(gamma_bits, _gamma_by_numpy)
_rice_bits = Kernel(rice_bits, _rice_by_numpy)


class IndexCode(Protocol):
    """How one row's indices become bits; `parameter` is the one number (0..255) that the header carries for it."""

    def measure(self, supports: Supports) -> tuple[Integers, Integers]:
        """Give the bits that each row takes, and its parameter, both of shape (w,)."""

    def write(self, indices: Integers, size: int, parameter: int) -> Bitarray:
        """Write one row."""

    def read(self, bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
        """Read one row of `count` indices: the indices and the number of bits used."""


class Fixed:
    """ceil(log2 d) bits an index; none at all when d = 1."""

    def measure(self, supports: Supports) -> tuple[Integers, Integers]:
        """See IndexCode."""
        counts = supports.rows.counts
        return counts * (supports.size - 1).bit_length(), np.zeros_like(counts)

    def write(self, indices: Integers, size: int, parameter: int) -> Bitarray:
        """See IndexCode."""
        return pack_fixed(indices, (size - 1).bit_length())

    def read(self, bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
        """See IndexCode."""
        width = (size - 1).bit_length()
        return unpack_fixed(bits, count, width), count * width


class Gamma:
    """Elias gamma of each gap."""

    def measure(self, supports: Supports) -> tuple[Integers, Integers]:
        """See IndexCode."""
        bits = _gamma_bits(*supports.flat)
        return bits, np.zeros_like(bits)

    def write(self, indices: Integers, size: int, parameter: int) -> Bitarray:
        """See IndexCode."""
        return encode_gamma(np.diff(indices, prepend=-1))

    def read(self, bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
        """See IndexCode."""
        gaps, _, used = decode_gamma(bits, count)
        return np.cumsum(gaps) - 1, used


class Rice:
    """Golomb-Rice of each gap, with the row's own best parameter."""

    def measure(self, supports: Supports) -> tuple[Integers, Integers]:
        """See IndexCode."""
        parameters, bits = _rice_bits(*supports.flat)
        return bits, parameters

    def write(self, indices: Integers, size: int, parameter: int) -> Bitarray:
        """See IndexCode."""
        return encode_rice(np.diff(indices, prepend=-1) - 1, parameter)

    def read(self, bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
        """See IndexCode."""
        excess, used = decode_rice(bits, count, parameter)
        return np.cumsum(excess + 1) - 1, used


class Bitmap:
    """One bit a coordinate."""

    def measure(self, supports: Supports) -> tuple[Integers, Integers]:
        """See IndexCode."""
        zeros = np.zeros_like(supports.rows.counts)
        return zeros + supports.size, zeros

    def write(self, indices: Integers, size: int, parameter: int) -> Bitarray:
        """See IndexCode."""
        bits = np.zeros(size, np.uint8)
        bits[indices] = 1
        return bits

    def read(self, bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
        """See IndexCode."""
        require(bits, size)
        return np.flatnonzero(bits[:size]), size


class Block:
    """A flag and a place within its block for each index, and a flag at the end of each block.

    Never shorter than Golomb-Rice with the same parameter, so "auto" does not choose it.
    """

    def measure(self, supports: Supports) -> tuple[Integers, Integers]:
        """See IndexCode; no index is looked at."""
        counts = supports.rows.counts
        parameters = block_parameters(supports.size, counts)
        return block_bits(supports.size, counts, parameters), parameters

    def write(self, indices: Integers, size: int, parameter: int) -> Bitarray:
        """See IndexCode."""
        return encode_blocks(indices, size, parameter)

    def read(self, bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
        """See IndexCode."""
        return decode_blocks(bits, count, size, parameter)


INDEX_CODES: dict[str, IndexCode] = {
    "fixed": Fixed(),
    "gamma": Gamma(),
    "rice": Rice(),
    "bitmap": Bitmap(),
    "block": Block(),
}
"""The codes by name; a code's place in this table is its number in a message header."""


def index_code(number: int) -> IndexCode:
    """Find a code by its number in a header; raises ValueError for a number that is none."""
    return INDEX_CODES[index_code_name(number)]


def index_code_name(number: int) -> str:
    """Name a code by its number in a header; raises ValueError for a number that is none."""
    if not 0 <= number < len(INDEX_CODES):
        raise ValueError(f"message: expected an index code below {len(INDEX_CODES)}, got {number}")
    return tuple(INDEX_CODES)[number]


def cheapest(supports: Supports, name: str) -> tuple[Integers, Integers, Integers]:
    """Choose each row's code: the named one, or under "auto" the shortest (the first in the table among equals).

    Returns
    -------
    numbers, parameters, bits : ndarray of int64, shape (w,)
    """
    names = tuple(INDEX_CODES)
    tried = range(len(names)) if name == "auto" else [names.index(name)]
    measured = [INDEX_CODES[names[number]].measure(supports) for number in tried]
    bits = np.stack([m[0] for m in measured])
    parameters = np.stack([m[1] for m in measured])
    choice, here = bits.argmin(axis=0), np.arange(bits.shape[1])
    return np.asarray(tried, np.int64)[choice], parameters[choice, here], bits[choice, here]
