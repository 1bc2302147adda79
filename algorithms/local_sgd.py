"""Local SGD: H steps alone, then the models are averaged by an all-reduce; post-local SGD starts with plain SGD.

References
----------
Stich, "Local SGD Converges Fast and Communicates Little", ICLR 2019, Algorithm 1.
Lin, Stich, Patel, Jaggi, "Don't Use Large Mini-Batches, Use Local SGD", ICLR 2020.
"""

from __future__ import annotations

from typing import Any

from algorithms.descent import Descent
from algorithms.exchanges import AllReduceMean
from algorithms.local import LocalSteps
from algorithms.outer import OuterDescent
from algorithms.synchronous import Synchronous


def local_sgd(
    *, name: str = "local_sgd", steps: int = 8, kind: str = "fp32", keep_momentum: bool = True, **descent: Any
) -> Synchronous:
    """Build local SGD with `steps` = H local steps per round."""
    return post_local_sgd(name=name, steps=steps, start=0.0, kind=kind, keep_momentum=keep_momentum, **descent)


def post_local_sgd(
    *,
    name: str = "post_local_sgd",
    steps: int = 8,
    start: float = 0.5,
    kind: str = "fp32",
    keep_momentum: bool = True,
    **descent: Any,
) -> Synchronous:
    """Build post-local SGD: one step per round before the `start` share of the rounds, then H = `steps`."""
    local = LocalSteps(Descent(**descent), steps, start, keep_momentum)
    return Synchronous(name=name, local=local, exchange=AllReduceMean(kind), outer=OuterDescent(Descent(lr=1.0)))
