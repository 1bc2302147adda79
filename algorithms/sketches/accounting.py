"""How the paper counts: floats up and down per worker and step, no indices.

References
----------
Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Section 5.
"""

from __future__ import annotations


def compression_factor(d: int, sketch_floats: int, fetched: int, k: int) -> float:
    """Give the paper's factor, 2 d / (|S| + P k + k): dense gradients up and a dense model down, over what travels.

    Parameters
    ----------
    d : int
        Coordinates.
    sketch_floats : int
        |S| = r c.
    fetched : int
        P k.
    k : int
        Kept.

    Examples
    --------
    >>> round(compression_factor(6_573_120, 5 * 500_000, 4 * 50_000, 50_000), 2)
    4.78
    """
    return 2 * d / (sketch_floats + fetched + k)


def float_budget(d: int, factor: float) -> int:
    """Give the floats that a worker may send and receive in a step under a compression factor of the paper."""
    return int(2 * d / factor)
