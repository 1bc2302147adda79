"""Where a sketch hashes coordinates to, on the host: computed once for all that use the same hashes, where it fits.

r rows, m coordinates; a place is twice the bucket, plus 1 where the sign is -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.sketching import Places, hash_places
from algorithms.sketches.hashes import coefficients

Shape = tuple[int, int, int, int]
"""d, r, c and the seed of a sketch."""
_KEPT = 1 << 28  # bytes of places that are kept for the next round; larger ones are computed anew, block by block
_BLOCK = 1 << 15  # coordinates hashed together: their numbers stay in a core's own cache
_WIDE = 1 << 22  # coordinates whose places are there at a time where not all are kept
_one_at_a_time = Lock()


def places_at(shape: Shape, points: NDArray[np.int64]) -> Places:
    """Hash points, shape (m,), each in 0..d-1, to places, shape (r, m)."""
    _, rows, columns, seed = shape
    linear, cubic = (np.array(coefficients(seed, *form)) for form in (("bucket", rows, 2), ("sign", rows, 4)))
    places = np.empty((rows, len(points)), np.uint32)
    for start in range(0, len(points), _BLOCK):
        some = points[start : start + _BLOCK]
        block = np.empty((rows, len(some)), np.uint32)
        hash_places(some, linear, cubic, columns, block)
        places[:, start : start + _BLOCK] = block
    return places


def places_of_all(shape: Shape) -> Iterator[tuple[slice, Places]]:
    """Give the places of all coordinates, in blocks that follow each other; one block where they are kept."""
    size, rows = shape[:2]
    if 4 * rows * size <= _KEPT:
        with _one_at_a_time:  # threads that start together shall not all compute them
            kept = _kept(shape)
        yield slice(0, size), kept
        return
    for start in range(0, size, _WIDE):
        stop = min(size, start + _WIDE)
        yield slice(start, stop), places_at(shape, np.arange(start, stop))


@lru_cache(maxsize=2)
def _kept(shape: Shape) -> Places:
    return places_at(shape, np.arange(shape[0]))
