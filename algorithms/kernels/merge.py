"""Two increasing sequences walked side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.kernels.compiled import kernel

Integers = NDArray[np.int64]


def absent_by_search(these: Integers, those: Integers) -> NDArray[np.bool_]:
    """Do what `absent` does, by binary search."""
    if not len(those):
        return np.ones(len(these), np.bool_)
    near = np.minimum(np.searchsorted(those, these), len(those) - 1)
    missing: NDArray[Any] = those[near] != these
    return missing


@kernel(reference=absent_by_search)
def absent(these: Integers, those: Integers) -> NDArray[np.bool_]:
    """Mark the entries of one increasing sequence that are not in another, in the shape of the first."""
    missing, at = np.ones(these.size, np.bool_), 0
    for i in range(these.size):
        while at < those.size and those[at] < these[i]:
            at += 1
        missing[i] = at == those.size or those[at] != these[i]
    return missing
