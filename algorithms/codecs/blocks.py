"""Block code of positions: d coordinates in blocks of 2^b; in each block a one and b bits a position, then a zero.

A row of k positions takes k (b + 1) + ceil(d / 2^b) bits: a function of d and k alone. With blocks of length 1 / p that
is log2(1 / p) + 2 bits a position, of which one is its share of the end flags.

References
----------
Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, and "Time-Correlated Sparsification for
Communication-Efficient Federated Learning", 2021 (position encoding).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.codecs.bitstream import Bitarray, Integers, chain, read_fields, write_fields


def block_bits(size: int, counts: NDArray[Any], parameter: NDArray[Any] | int) -> Integers:
    """Give the bits of rows of `counts` positions among `size` coordinates in blocks of 2^parameter."""
    length = np.int64(1) << np.asarray(parameter, np.int64)
    return np.asarray(counts * (np.asarray(parameter) + 1) + -(-size // length), np.int64)


def block_parameters(size: int, counts: Integers) -> Integers:
    """Find each row's best b, the smallest among equals, shape (w,).

    Another bit of b costs k and saves at most half of the end flags, so the cost is convex up to rounding; all b up to
    the one block that holds everything are tried, which is at most 33.
    """
    tried = np.arange((size - 1).bit_length() + 1)
    return np.asarray(block_bits(size, counts[:, None], tried).argmin(axis=1), np.int64)


def expected_block_bits(density: float, parameter: int) -> float:
    """Give the bits per position, b + 1 + 1 / (p 2^b), of many coordinates of which a share p is marked.

    Examples
    --------
    >>> expected_block_bits(0.01, 6)
    8.5625
    """
    if not 0.0 < density <= 1.0:
        raise ValueError(f"density: expected a share in (0, 1], got {density}")
    return parameter + 1 + 1.0 / math.ldexp(density, parameter)


def encode_blocks(indices: Integers, size: int, parameter: int) -> Bitarray:
    """Write increasing positions among `size` coordinates."""
    block = indices >> parameter
    ends = np.arange(1, indices.size + 1) * (parameter + 1) + block  # end flags of all blocks before this one
    bits = np.zeros(int(block_bits(size, np.array(indices.size), parameter)), np.uint8)
    marked = (indices & ((1 << parameter) - 1)) | (1 << parameter)
    write_fields(bits, ends, marked, np.full(indices.size, parameter + 1))
    return bits


def decode_blocks(bits: Bitarray, count: int, size: int, parameter: int) -> tuple[Integers, int]:
    """Read `count` positions among `size` coordinates: the positions and the bits used.

    Raises
    ------
    ValueError
        If the bits end early, or there are not `count` increasing positions below `size`.
    """
    if parameter > (size - 1).bit_length():
        raise ValueError(f"message: expected blocks of at most {size} coordinates, got 2**{parameter}")
    blocks = -(-size // (1 << parameter))
    following = np.arange(bits.size) + np.where(bits == 1, parameter + 1, 1)
    starts, used = chain(following, count + blocks)
    marked = bits[starts] == 1
    if int(marked.sum()) != count or bool(marked[-1]):
        raise ValueError(f"message: expected {count} positions in {blocks} blocks, got {int(marked.sum())}")
    ends = starts[marked] + parameter + 1
    block = np.cumsum(~marked)[marked]
    found = (block << parameter) | read_fields(bits, ends, np.full(count, parameter))
    if count and (found[-1] >= size or bool((np.diff(found) <= 0).any())):
        raise ValueError(f"message: expected increasing positions below {size}, got others")
    return found, used
