"""QTop-k and QRand-k: the kept coordinates, stochastically rounded to a few levels of their 2-norm (Basu et al. 2019).

w rows, d coordinates, k kept, s levels above zero; beta is the quantiser's variance on k coordinates.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Draw
from algorithms.compressors.kept import Kept
from algorithms.compressors.qsgd import QSGD
from algorithms.payloads import Bits, QuantisedValues, Sparse

_BETAS = ("min", "ratio")


class SparseLevels:
    """Sparsify, then quantise what is kept: Q_s(Comp_k(x)), divided by 1 + beta if `scaled`.

    Parameters
    ----------
    levels : int
        s >= 1, levels of QSGD above zero, of the 2-norm of the k kept values.
    scaled : bool
        Divide by 1 + beta_{k,s}: a contraction for every s. Unscaled it is one only where beta_{k,s} < 1.
    beta : {"min", "ratio"}
        min(k / s**2, sqrt(k) / s), or k / s**2 alone as in the authors' code.
    level_code : {"auto", "fixed", "elias"}
        How levels travel.
    index_code : str
        As in `TopK`.
    **kept
        As for `Kept`.

    Raises
    ------
    ValueError
        If an argument is out of range, or unscaled levels meet beta >= 1.

    Notes
    -----
    gamma = k / (d (1 + beta)) scaled, (1 - beta) k / d unscaled; beta counts k and not d, because the quantiser sees
    the k kept values. Values that are all zero stay zero. `paper` bits are k (index + 1 + ceil(log2(s + 1))) + 32.

    References
    ----------
    Basu, Data, Karakus, Diggavi, "Qsparse-local-SGD", NeurIPS 2019, Lemmas 1 and 2.
    """

    def __init__(
        self,
        levels: int = 256,
        scaled: bool = True,
        beta: str = "min",
        level_code: str = "auto",
        index_code: str = "auto",
        **kept: Any,
    ) -> None:
        self.kept, self.quantiser = Kept(**kept), QSGD(levels, bucket=None, norm="l2")
        self.levels, self.level_code, self.index_code = levels, level_code, index_code
        self.scaled = boolean("algorithm.compressor.scaled", scaled)
        if beta not in _BETAS:
            raise ValueError(f"algorithm.compressor.beta: expected one of {', '.join(_BETAS)}, got {beta!r}")
        self.rule = beta

    def beta(self, k: int) -> float:
        """Bound the quantiser's variance: E||Q(c)||^2 <= (1 + beta) ||c||^2 for k values c."""
        ratio = k / self.levels**2
        return min(ratio, math.sqrt(k) / self.levels) if self.rule == "min" else ratio

    def require(self, d: int) -> int:
        """Give k for rows of d coordinates, or refuse what the paper's lemma does not cover."""
        k = self.kept.count(d)
        if not self.scaled and self.beta(k) >= 1:
            raise ValueError(
                f"algorithm.compressor.levels: expected s with beta < 1 for k = {k} unscaled values (beta = min(k / "
                f"s**2, sqrt(k) / s); Basu et al. 2019, Lemma 1), or algorithm.compressor.scaled=true, got "
                f"{self.levels} with beta = {self.beta(k):.3g}"
            )
        return k

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        w, d = rows.shape
        k = self.require(d)
        indices = self.kept(rows, draw)
        rounded = self.quantiser(rows.gather(1, indices), draw)
        scales = rounded.scales.view(-1)
        if self.scaled:
            scales = scales / (1 + self.beta(k))
        values = QuantisedValues(rounded.levels.view(-1), scales, self.levels, level_code=self.level_code)
        width = 1 + math.ceil(math.log2(self.levels + 1))
        paper = Bits.of(w, values=k * width, indices=k * self.kept.index_bits(d, draw), scales=32)
        message = Sparse.rows_of(d, indices, values, index_code=self.index_code, paper=paper)
        _ = message.wire  # counted now: chunks are compressed on several threads, the whole is counted on one
        return message

    def passes(self) -> float:
        """What choosing takes; the k values are few."""
        return self.kept.passes()
