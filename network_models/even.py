"""Vectors whose entries are all the same, kept as one number: alike workers cost as much as one.

An *even* vector is a NumPy array of stride 0 (what `numpy.broadcast_to` makes of a scalar): it has its length, can be
indexed and listed like any other, and cannot be written to. Arithmetic of NumPy would write it out; `lifted` does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from network_models.fabric import Floats, Integers


def even(value: float, count: int) -> Floats:
    """Make a vector of `count` entries that are all `value`, shape (count,), read-only."""
    return np.broadcast_to(np.float64(value), (count,))


def is_even(values: npt.NDArray[np.generic]) -> bool:
    """Whether a vector is kept as one number; that its entries happen to be equal is not enough."""
    return values.strides == (0,) and len(values) > 0


def lifted(function: Callable[..., Floats], *operands: Floats | float) -> Floats:
    """Apply an elementwise function of NumPy, to one entry only where all vectors are even.

    Parameters
    ----------
    function : callable
        Such as `numpy.add`.
    *operands : ndarray, shape (w,), or float
        At least one vector.

    Returns
    -------
    ndarray, shape (w,)
        Even where all vectors are; to the bit what `function(*operands)` gives, for arithmetic.
    """
    vectors = [operand for operand in operands if isinstance(operand, np.ndarray) and operand.ndim]
    if all(is_even(vector) for vector in vectors):
        singles = (operand[0] if isinstance(operand, np.ndarray) and operand.ndim else operand for operand in operands)
        return even(float(function(*singles)), len(vectors[0]))
    return function(*operands)


def most(values: npt.NDArray[np.generic]) -> float:
    """The largest entry."""
    return float(values[0] if is_even(values) else values.max())


def copied(values: Floats) -> Floats:
    """A vector that nobody else can change; an even one is safe as it is."""
    return values if is_even(values) else values.copy()


def taken(values: Floats, rows: Integers) -> Floats:
    """The entries of these rows, shape (len(rows),)."""
    return even(float(values[0]), len(rows)) if is_even(values) else values[rows]


def put(values: Floats, rows: Integers, new: Floats) -> Floats:
    """Set the entries of these rows: in place where `values` can be written to, else in a copy."""
    if not values.flags.writeable:
        values = values.copy()
    values[rows] = new
    return values
