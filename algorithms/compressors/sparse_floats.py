"""Top-k and rand-k tensor by tensor, with the paper's widths of an index (the baselines of Basu et al. 2019)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.cohort import Draw
from algorithms.compressors.kept import Kept
from algorithms.payloads import Bits, Sparse


class SparseFloats:
    """Send the k kept values as they are; unlike `TopK` and `RandomK` a row shorter than K may be kept whole.

    Parameters
    ----------
    index_code : str
        As in `TopK`.
    **kept
        As for `Kept`.

    Notes
    -----
    gamma = k / d. `paper` bits are k (index + 32).
    """

    def __init__(self, index_code: str = "auto", **kept: Any) -> None:
        self.kept, self.index_code = Kept(**kept), index_code

    def require(self, d: int) -> int:
        """Give k for rows of d coordinates."""
        return self.kept.count(d)

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        w, d = rows.shape
        indices = self.kept(rows, draw)
        k = indices.shape[1]
        paper = Bits.of(w, values=32 * k, indices=k * self.kept.index_bits(d, draw))
        message = Sparse.rows_of(d, indices, rows.gather(1, indices), index_code=self.index_code, paper=paper)
        _ = message.wire  # counted now: chunks are compressed on several threads, the whole is counted on one
        return message

    def passes(self) -> float:
        """What choosing takes."""
        return self.kept.passes()
