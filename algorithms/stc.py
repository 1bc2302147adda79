"""Sparse ternary compression: both ways of a federated round are sparse, ternary and fed back what they left out.

A sample of the clients trains from the common model and sends of each tensor the k largest entries as +-mu; the server
adds their mean to what it kept back before, compresses the sum likewise, and keeps the rest. A client that was away
downloads the updates that it missed.

References
----------
Sattler, Wiedemann, Müller, Samek, "Robust and Communication-Efficient Federated Learning from Non-IID Data", 2019,
Algorithms 1 and 2. Not read whole: what is from memory is named in conf/algorithm/stc.yaml.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from algorithms.checks import boolean
from algorithms.codecs.golomb_counts import repo_bits, share
from algorithms.compressors import PerTensor, SparseTernary
from algorithms.descent import Descent
from algorithms.download import MissedUpdates
from algorithms.exchanges import ErrorFeedback, Exchange, MomentumMask, SecondCount, TwoSidedMean
from algorithms.local import LocalSteps
from algorithms.outer import OuterDescent
from algorithms.shares import Shares
from algorithms.synchronous import Synchronous


def stc(
    *,
    name: str = "stc",
    steps: int = 1,
    density: float = 0.01,
    density_down: float | None = None,
    participation: float = 0.25,
    mask_momentum: bool = False,
    index_code: str = "rice",
    **descent: Any,
) -> Synchronous:
    """Build STC with a sparsity of p = `density` upwards and `density_down` downwards (None: the same)."""
    local, missed = LocalSteps(Descent(**descent), steps), MissedUpdates()
    downward = None
    if density_down is not None:
        downward = PerTensor(SparseTernary(share(density_down, "algorithm.density_down"), index_code))
    ternary = TwoSidedMean(PerTensor(SparseTernary(density, index_code)), downward, missed.add)
    exchange: Exchange = SecondCount(ternary, partial(repo_bits, density=density))
    if boolean("algorithm.mask_momentum", mask_momentum) and local.velocity is not None:
        exchange = MomentumMask(exchange, local.velocity)
    shares = {"density": density} | ({} if density_down is None else {"density_down": density_down})
    return Shares(
        shares,
        name=name,
        local=local,
        exchange=ErrorFeedback(exchange),
        outer=OuterDescent(Descent(lr=1.0)),
        participation=participation,
        download=missed,
    )
