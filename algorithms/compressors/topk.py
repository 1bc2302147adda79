"""Top-k sparsification: the k coordinates of largest magnitude, with their indices.

Stich et al. 2018; Alistarh et al. 2018. w rows, d coordinates, k kept.
"""

from __future__ import annotations

import math

from torch import Tensor

from algorithms.cohort import Draw
from algorithms.compressors.base import check_sparsity, kept
from algorithms.compressors.selection import largest_entries
from algorithms.payloads import Bits, Sparse


class TopK:
    """Keep the k entries of largest magnitude of each row.

    Parameters
    ----------
    density : float or None
        Fraction of the coordinates kept; k = max(1, round(density * d)).
    k : int or None
        Coordinates kept, instead of `density`.
    index_code : str
        ``auto`` (the cheapest for each message), ``fixed``, ``gamma``, ``rice`` or ``bitmap``.

    Raises
    ------
    ValueError
        If not exactly one of `density` and `k` is given, or k is outside 1..d.

    Notes
    -----
    A delta-contraction with delta = k / d. `paper` bits are k (32 + ceil(log2 d)).

    References
    ----------
    Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, Definition 2.1.
    """

    def __init__(self, density: float | None = None, k: int | None = None, index_code: str = "auto") -> None:
        check_sparsity(density, k)
        self.density, self.k, self.index_code = density, k, index_code

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        w, d = rows.shape
        k = kept(self.density, self.k, d)
        indices, values = largest_entries(rows, k)
        paper = Bits.of(w, values=32 * k, indices=k * math.ceil(math.log2(d)))
        message = Sparse.rows_of(d, indices, values, index_code=self.index_code, paper=paper)
        _ = message.wire  # counted now: chunks are compressed on several threads, the whole is counted on one
        return message

    def passes(self) -> float:
        """A magnitude pass, two passes of selection, one of gathering: an ordinary encoder's, not this simulator's."""
        return 4.0
