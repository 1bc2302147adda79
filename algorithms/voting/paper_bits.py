"""What the majority-voting papers count: bits of positions and values, and the compression ratio.

phi the share of coordinates kept (1/100), phi_c the share that a worker's vote may change in a round (1/1000), q bits a
value, L local steps. Dense warm-up, downlink, headers and the quantiser's codebook are not counted.

References
----------
Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, arXiv:2011.06495. The text was not
at hand: the position code is from memory of this group's papers, and fits the headline x4000, on which add-drop with
quantisation at L = 8 lands.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def position_bits(density: float) -> float:
    """Give the bits of one position, log2(1 / phi) in its block, one flag, and its share of one end flag per block.

    Examples
    --------
    >>> round(position_bits(0.01), 3), round(position_bits(0.001), 3)
    (8.644, 11.966)
    """
    if not 0.0 < density <= 1.0:
        raise ValueError(f"density: expected a share in (0, 1], got {density}")
    return math.log2(1.0 / density) + 2.0


def positions(counts: NDArray[np.int64], d: int) -> NDArray[np.float64]:
    """Give the bits of `counts` positions among d coordinates, in blocks of length d / count; none cost nothing."""
    shares = np.maximum(counts, 1) / d
    return np.asarray(counts * (2.0 - np.log2(shares)), np.float64)


def value_bits(groups: int | None) -> float:
    """Give the bits q of one value: 32, or log2 P + 1 with P groups."""
    return 32.0 if groups is None else math.log2(groups) + 1.0


def compression_ratio(
    steps: int,
    *,
    values: float,
    groups: int | None = None,
    vote: float | None = None,
    changes: float | None = None,
    exclusive: float | None = None,
) -> float:
    """Divide what dense SGD sends up in L steps, 32 L bits a coordinate, by what one round sends.

    Parameters
    ----------
    steps : int
        L, local steps per round.
    values : float
        The share of coordinates whose values travel.
    groups : int or None
        P, groups of the quantiser; None: 32-bit values.
    vote : float or None
        The share of coordinates that a whole vote marks: phi (log2(1 / phi) + 2) bits a coordinate.
    changes : float or None
        The share of coordinates that an add-drop vote adds, and drops: twice as much.
    exclusive : float or None
        The share of coordinates that travel with their positions (TCS).

    Examples
    --------
    >>> round(compression_ratio(8, values=0.01, groups=8, changes=0.001))
    4004
    """
    sent = values * value_bits(groups)
    for share, times in ((vote, 1), (changes, 2), (exclusive, 1)):
        if share is not None:
            sent += times * share * position_bits(share)
    return 32.0 * steps / sent
