"""Random-k sparsification: k coordinates drawn uniformly without replacement (Stich et al. 2018)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Draw
from algorithms.compressors.base import check_sparsity, kept
from algorithms.kernels.partition import choose
from algorithms.payloads import Bits, Sparse
from algorithms.streams import Stream


def support(stream: Stream, rows: Tensor, k: int, d: int) -> Tensor:
    """Draw k of d coordinates without replacement for each row id.

    Returns
    -------
    Tensor, shape (w, k), int64
        Column numbers, increasing.

    Notes
    -----
    The k coordinates whose random keys are smallest, the lowest index among equals. On a host only keys below a bound
    that k of d uniform keys hardly ever miss are sorted out; the outcome is that of the full sort.
    """
    keys = stream.bits(rows, d)
    bound = -(1 << 31) + math.ceil((k + 6.0 * math.sqrt(k) + 6.0) / d * (1 << 32))
    if rows.is_cuda or bound >= 1 << 31:
        return _by_sorting(keys, k)
    passing = keys.numpy() <= bound
    flat = np.flatnonzero(passing)
    out = np.empty((len(keys), k), np.int64)
    short = choose(flat, -keys.numpy().reshape(-1)[flat].astype(np.int64), d, k, out)
    if len(short):
        out[short] = _by_sorting(keys[torch.from_numpy(short)], k).numpy()
    return torch.from_numpy(out)


def _by_sorting(keys: Tensor, k: int) -> Tensor:
    chosen = torch.sort(keys, dim=1, stable=True).indices[:, :k]
    return torch.sort(chosen, dim=1).values


class RandomK:
    """Keep k random entries of each row, each worker its own.

    Parameters
    ----------
    density, k
        As in `TopK`: exactly one of the two.
    scaled : bool
        Multiply what is kept by d / k, which makes it unbiased with variance d / k - 1. Leave it off under error
        feedback.
    index_code : str
        As in `TopK`.

    Notes
    -----
    `paper` bits are k (32 + ceil(log2 d)); with a support that all workers share no index travels (`SharedSupport`).

    References
    ----------
    Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, Definition 2.1.
    """

    def __init__(
        self, density: float | None = None, k: int | None = None, scaled: bool = False, index_code: str = "auto"
    ) -> None:
        check_sparsity(density, k)
        self.density, self.k, self.index_code = density, k, index_code
        self.scaled = boolean("algorithm.scaled", scaled)

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse:
        w, d = rows.shape
        k = kept(self.density, self.k, d)
        indices = support(draw.private.at("support"), draw.workers, k, d)
        values = rows.gather(1, indices)
        if self.scaled:
            values = values * (d / k)
        paper = Bits.of(w, values=32 * k, indices=k * math.ceil(math.log2(d)))
        return Sparse.rows_of(d, indices, values, index_code=self.index_code, paper=paper)

    def passes(self) -> float:
        """One gather of few entries; drawing the support costs a fraction of a pass."""
        return 1.0
