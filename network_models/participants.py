"""Check the arguments of a collective once, where they enter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from network_models.links import Floats, Integers


def participants(total: int, workers: npt.ArrayLike, start: npt.ArrayLike) -> tuple[Integers, Floats]:
    """Read who takes part and when each is ready.

    Parameters
    ----------
    total : int
        Workers in the network, n.
    workers : array of int, shape (w,)
        Different numbers in 0..n-1, at least one, in the order in which ring and butterfly are formed.
    start : array of float, shape (w,)
        Absolute seconds at which each is ready.

    Returns
    -------
    workers, start : ndarray of int64, ndarray of float64

    Raises
    ------
    ValueError
        If a number is out of range or named twice, or the shapes differ, or a time is not finite.
    """
    chosen = np.asarray(workers)
    if chosen.ndim != 1 or not len(chosen) or chosen.dtype.kind not in "iu":
        raise ValueError(f"workers: expected a vector of at least one worker number, got {workers!r}")
    chosen = chosen.astype(np.int64, copy=False)
    rising = len(chosen) == 1 or bool((chosen[1:] > chosen[:-1]).all())
    low, high = (chosen[0], chosen[-1]) if rising else (chosen.min(), chosen.max())
    if low < 0 or high >= total:
        raise ValueError(f"workers: expected numbers in 0..{total - 1}, got {low if low < 0 else high}")
    if not rising and len(np.unique(chosen)) != len(chosen):
        raise ValueError("workers: expected different numbers, got some twice")
    return chosen, vector("start", start, len(chosen), low=-np.inf)


def vector(key: str, values: npt.ArrayLike, length: int, low: float = 0.0) -> Floats:
    """Read one finite number of at least `low` for each participant."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (length,):
        raise ValueError(f"{key}: expected shape ({length},), one value for each participant, got {numbers.shape}")
    least, most = numbers.min(), numbers.max()
    if not (least >= low and -np.inf < least and most < np.inf):
        wanted = "finite values" if low == -np.inf else f"finite values of at least {low:g}"
        raise ValueError(f"{key}: expected {wanted}, got {least if not least >= low else most}")
    return numbers


def number(key: str, value: float, low: float = 0.0) -> float:
    """Read one finite number of at least `low`."""
    read = float(value)
    if not (read >= low and abs(read) < np.inf):
        raise ValueError(f"{key}: expected a finite number of at least {low:g}, got {value!r}")
    return read
