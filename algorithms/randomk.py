"""Random-k SGD with error feedback; with a support that all workers draw alike, no index travels and values add up.

References
----------
Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, Definition 2.1 and Algorithm 1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.compressors import RandomK
from algorithms.compressors.base import check_sparsity, kept
from algorithms.compressors.randomk import support
from algorithms.descent import Descent
from algorithms.exchanges import ErrorFeedback, Exchange
from algorithms.exchanges.compressed import compressed_mean
from algorithms.local import OneGradient
from algorithms.ops import AllReduce, Work
from algorithms.outer import OuterDescent
from algorithms.overlap import Overlap
from algorithms.payloads import Bits, Dense, Payload, Sparse
from algorithms.state import Stateful
from algorithms.synchronous import Synchronous


class SharedSupport(Stateful):
    """All-reduce the same k random coordinates of every worker; `paper` bits are 32 k.

    Parameters
    ----------
    density, k
        As in `TopK`: exactly one of the two.
    scaled : bool
        Multiply by d / k, which makes the mean unbiased.
    pieces : int
        Pieces in which the values are picked, each sent while the next is picked.
    """

    conserves = "workers"
    samples = False

    def __init__(self, density: float | None, k: int | None, scaled: bool, pieces: int = 1) -> None:
        check_sparsity(density, k)
        self.density, self.k, self.scaled, self.pieces = density, k, boolean("algorithm.scaled", scaled), pieces

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        w, d = update.shape
        k = kept(self.density, self.k, d)
        chosen = support(cohort.shared(t).at("support"), torch.tensor([0], device=update.device), k, d)
        await Work("encode", 2 * k * update.element_size(), self.pieces)
        weights = cohort.weights[cohort.start : cohort.start + w].to(update)
        values = update[:, chosen[0]] * (d / k if self.scaled else 1.0)
        shares = values * (weights * len(cohort.active))[:, None]
        kind = "fp64" if update.element_size() == 8 else "fp32"
        total = await AllReduce(Dense(shares, kind, paper=Bits.of(w, values=32 * k)))
        mean = torch.zeros(d, dtype=update.dtype, device=update.device)
        mean[chosen[0]] = total.dense()[0] / len(cohort.active)
        return mean, Sparse.rows_of(d, chosen.expand(w, -1), values)


def randomk(
    *,
    name: str = "randomk",
    density: float | None = 0.01,
    k: int | None = None,
    scaled: bool = False,
    error_feedback: bool = True,
    via: str = "shared_support",
    overlap: Overlap | None = None,
    **descent: Any,
) -> Synchronous:
    """Build random-k SGD via ``shared_support`` (all-reduce), or with private ones via ``server``, ``all_gather``."""
    hidden, outer = Overlap.of(overlap), OuterDescent(Descent(**descent))
    hidden.require_share(k)

    def make() -> Exchange:
        if via != "shared_support":
            return compressed_mean(hidden.encoder(RandomK(density, k, scaled)), via, error_feedback)
        shared = SharedSupport(density, k, scaled, hidden.pieces)
        return ErrorFeedback(shared) if boolean("algorithm.error_feedback", error_feedback) else shared

    exchange = hidden.exchange(make)
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=outer, delay=hidden.delay)
