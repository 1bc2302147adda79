"""Check the arguments of a collective once, where they enter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from network_models.fabric import Floats, Integers
from network_models.timing import spread, uniform
from network_models.units import real


@lru_cache(maxsize=16)
def everybody(total: int) -> Integers:
    """The numbers 0..total-1, always the same read-only array, so that they are made and checked once."""
    numbers = np.arange(total)
    numbers.flags.writeable = False
    return numbers


@lru_cache(maxsize=64)
def _interned(numbers: bytes) -> Integers:
    """The same read-only array for the same numbers, so that engines can tell them by identity."""
    return np.frombuffer(numbers, dtype=np.int64)


def participants(
    total: int, workers: npt.ArrayLike | range | None, start: npt.ArrayLike | float
) -> tuple[Integers, Floats]:
    """Read who takes part and when each is ready.

    Parameters
    ----------
    total : int
        Workers in the network, n.
    workers : array of int, shape (w,), or None
        Different numbers in 0..n-1, at least one, in the order in which ring and butterfly are formed; None for all n.
    start : array of float, shape (w,), or float
        Absolute seconds at which each is ready; one number when all are at once.

    Returns
    -------
    workers, start : ndarray of int64, ndarray of float64
        The first is read-only, and the same array whenever it says the same.

    Raises
    ------
    ValueError
        If a number is out of range or named twice, or the shapes differ, or a time is not finite.
    """
    if workers is None or workers is everybody(total) or isinstance(workers, range) and workers == range(total):
        return everybody(total), _ready(start, total)
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
    chosen = everybody(total) if rising and len(chosen) == total else _interned(chosen.tobytes())
    return chosen, _ready(start, len(chosen))


def _ready(start: npt.ArrayLike | float, length: int) -> Floats:
    return vector("start", spread(start, length) if isinstance(start, (int, float)) else start, length, low=-np.inf)


def vector(key: str, values: npt.ArrayLike, length: int, low: float = 0.0) -> Floats:
    """Read one finite number of at least `low` for each participant, into a new array; a spread stays one."""
    given = np.asarray(values)
    if given.dtype.kind not in "iuf":
        raise ValueError(f"{key}: expected numbers, one for each participant, got {values!r}")
    if given.shape == (length,) and length > 1 and given.strides == (0,):
        numbers = spread(float(given[0]), length)
    else:
        numbers = given.astype(np.float64)
    if numbers.shape != (length,):
        raise ValueError(f"{key}: expected shape ({length},), one value for each participant, got {numbers.shape}")
    least, most = (numbers[0], numbers[0]) if uniform(numbers) else (numbers.min(), numbers.max())
    if not (least >= low and -np.inf < least and most < np.inf):
        wanted = "finite values" if low == -np.inf else f"finite values of at least {low:g}"
        raise ValueError(f"{key}: expected {wanted}, got {least if not least >= low else most}")
    return numbers


def edge_list(edges: tuple[npt.ArrayLike, npt.ArrayLike], ranks: int) -> tuple[Integers, Integers]:
    """Read the edges of a neighbour exchange: the ranks that they leave and those that they reach."""
    given = [np.array(ends) for ends in edges]
    if any(ends.size and ends.dtype.kind not in "iu" for ends in given):
        raise ValueError(f"edges: expected numbers of ranks, got {' and '.join(str(ends.dtype) for ends in given)}")
    source, destination = (ends.astype(np.int64) for ends in given)
    if source.shape != destination.shape or source.ndim != 1:
        raise ValueError(f"edges: expected two vectors of one length, got {source.shape} and {destination.shape}")
    both = np.concatenate((source, destination))
    if len(both) and not (0 <= both.min() and both.max() < ranks):
        raise ValueError(f"edges: expected ranks in 0..{ranks - 1}, got {both.min()} to {both.max()}")
    if (source == destination).any():
        raise ValueError("edges: expected two different ranks at the ends of each, got one that is both")
    return source, destination


def number(key: str, value: float, low: float = 0.0) -> float:
    """Read one finite number of at least `low`."""
    read = real(value)
    if not (read >= low and abs(read) < np.inf):
        raise ValueError(f"{key}: expected a finite number of at least {low:g}, got {value!r}")
    return read
