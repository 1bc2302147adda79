"""SignTop-k and SignRand-k: the signs of the kept coordinates and one scale (Basu et al. 2019).

w rows, d coordinates, k kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.cohort import Draw
from algorithms.compressors.kept import Kept
from algorithms.payloads import Bits, SignValues, Sparse


class SparseSigns:
    """Send (||c||_m / k) sign(c) for the k kept values c; sign(0) = +1.

    Parameters
    ----------
    norm : int
        m >= 1. On one support m = 1 is the optimal scale.
    index_code : str
        As in `TopK`.
    **kept
        As for `Kept`.

    Notes
    -----
    ||x - C(x)||^2 = ||x||^2 - ||c||_1^2 / k for m = 1. `paper` bits are k (index + 1) + 32. Values that are all zero
    have the scale 0.

    References
    ----------
    Basu, Data, Karakus, Diggavi, "Qsparse-local-SGD", NeurIPS 2019, Lemma 3.
    """

    def __init__(self, norm: int = 1, index_code: str = "auto", **kept: Any) -> None:
        self.kept, self.norm = Kept(**kept), whole("algorithm.compressor.norm", norm)
        self.index_code = index_code

    def require(self, d: int) -> int:
        """Give k for rows of d coordinates."""
        return self.kept.count(d)

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        w, d = rows.shape
        k = self.require(d)
        indices = self.kept(rows, draw)
        chosen = rows.gather(1, indices)
        scales = torch.linalg.vector_norm(chosen, ord=self.norm, dim=1) / k
        values = SignValues((chosen >= 0).view(-1), scales.float())
        paper = Bits.of(w, values=k, indices=k * self.kept.index_bits(d, draw), scales=32)
        message = Sparse.rows_of(d, indices, values, index_code=self.index_code, paper=paper)
        _ = message.wire  # counted now: chunks are compressed on several threads, the whole is counted on one
        return message

    def passes(self) -> float:
        """What choosing takes; the k values are few."""
        return self.kept.passes()
