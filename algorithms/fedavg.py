"""Federated averaging: a sample of the clients downloads the model, trains locally, and uploads what it changed.

References
----------
McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized
Data", AISTATS 2017, Algorithm 1: C = `participation`, weights n_k / n over the sampled clients.
"""

from __future__ import annotations

from typing import Any

from algorithms.compressors import Identity
from algorithms.descent import Descent
from algorithms.exchanges import ServerMean
from algorithms.local import LocalSteps
from algorithms.outer import OuterDescent
from algorithms.synchronous import Synchronous


def fedavg(
    *,
    name: str = "fedavg",
    steps: int = 8,
    participation: float = 0.25,
    server_lr: float = 1.0,
    server_momentum: float = 0.0,
    **descent: Any,
) -> Synchronous:
    """Build FedAvg with `steps` local steps per round; a momentum at the server makes it FedAvgM.

    Clients keep nothing between rounds, so their momentum starts each round from zero.
    """
    return Synchronous(
        name=name,
        local=LocalSteps(Descent(**descent), steps, keep_momentum=False),
        exchange=ServerMean(Identity()),
        outer=OuterDescent(Descent(lr=server_lr, momentum=server_momentum)),
        participation=participation,
    )
