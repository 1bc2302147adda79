"""Sparse binary compression: n local steps, then one number and a few positions of each tensor.

Each worker takes n steps from the common model with a momentum of its own, adds what it kept back before, and sends of
each tensor one signed mean and the positions where it stands (`SparseBinary`). The server averages what it receives and
sends the average to all, uncompressed.

References
----------
Sattler, Wiedemann, Müller, Samek, "Sparse Binary Compression: Towards Distributed Deep Learning with Minimal
Communication", 2018, Algorithm 1 and 2. Not read whole: what is from memory is named in conf/algorithm/sbc.yaml.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from algorithms.checks import boolean
from algorithms.codecs.golomb_counts import repo_bits
from algorithms.compressors import PerTensor, SparseBinary
from algorithms.descent import Descent
from algorithms.exchanges import ErrorFeedback, Exchange, MomentumMask, SecondCount, ServerMean
from algorithms.local import LocalSteps
from algorithms.outer import OuterDescent
from algorithms.shares import Shares
from algorithms.synchronous import Synchronous


def sbc(
    *,
    name: str = "sbc",
    steps: int = 10,
    density: float = 0.01,
    mask_momentum: bool = True,
    index_code: str = "rice",
    **descent: Any,
) -> Synchronous:
    """Build SBC with a communication delay of n = `steps` and a sparsity of p = `density`.

    The residual is in units of the model: it holds steps already taken at the old learning rate and is not rescaled
    when the rate falls. With ``steps=1`` this is distributed SGD whose updates contain the learning rate.
    """
    local = LocalSteps(Descent(**descent), steps)
    formula = partial(repo_bits, density=density)
    exchange: Exchange = SecondCount(ServerMean(PerTensor(SparseBinary(density, index_code))), formula)
    if boolean("algorithm.mask_momentum", mask_momentum) and local.velocity is not None:
        exchange = MomentumMask(exchange, local.velocity)
    outer = OuterDescent(Descent(lr=1.0))
    return Shares({"density": density}, name=name, local=local, exchange=ErrorFeedback(exchange), outer=outer)
