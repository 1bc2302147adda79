"""Families of hash functions: random polynomials over the integers modulo the prime p = 2**31 - 1.

A polynomial with k random coefficients maps any k different points to independent, uniform values.

References
----------
Wegman, Carter, "New hash functions and their use in authentication and set equality", JCSS 22(3), 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.streams import Stream

PRIME = (1 << 31) - 1
LARGEST = 1 << 30
"""Points lie below this, so that no product leaves 64 bits."""

Array = TypeVar("Array", Tensor, NDArray[np.int64])


@lru_cache(maxsize=64)
def coefficients(seed: int, name: str, functions: int, count: int) -> tuple[tuple[int, ...], ...]:
    """Draw the coefficients of some polynomials, highest power first; a highest one of 0 is no polynomial.

    Returns
    -------
    tuple of tuple of int
        `count` numbers in 0..p-1 for each of the `functions`, the first of them at least 1.
    """
    stream = Stream(seed, "hash", name)
    drawn = stream.integers(torch.arange(functions), count, PRIME - 1)
    drawn[:, 0] += 1
    return tuple(tuple(int(value) for value in row) for row in drawn.tolist())


def polynomial(points: Array, terms: Sequence[int]) -> Array:
    """Evaluate a polynomial modulo p.

    Parameters
    ----------
    points : Tensor or ndarray of int64, shape (m,)
        Each in 0..2**30 - 1.
    terms : sequence of int
        Coefficients in 0..p-1, highest power first, at least two.

    Returns
    -------
    Tensor or ndarray of int64, shape (m,)
        Values in 0..p-1.

    Notes
    -----
    Horner's rule. Because 2**31 = 1 modulo p, x and (x mod 2**31) + floor(x / 2**31) have one remainder. Below 2**62 -
    2**31 the latter is at most 2 p - 1, and that times a point plus a coefficient is below 2**62 - 2**31 again; in the
    end one subtraction of p is enough.

    Examples
    --------
    >>> polynomial(torch.tensor([0, 1, 2]), [3, 5]).tolist()  # 3 x + 5
    [5, 8, 11]
    >>> polynomial(torch.tensor([2]), [PRIME - 1, 1]).tolist()  # -x + 1
    [2147483646]
    """
    x = points * terms[0]
    x += terms[1]
    for term in terms[2:]:
        _fold_(x)
        x *= points
        x += term
    _fold_(x)
    x -= (x >= PRIME) * PRIME
    return x


def _fold_(x: Array) -> None:
    """Bring x closer to 0..p in place, leaving its remainder as it is."""
    high = x >> 31
    x &= PRIME
    x += high
