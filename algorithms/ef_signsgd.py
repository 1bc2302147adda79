"""EF-signSGD: scaled signs of the step, with error feedback in units of the step.

References
----------
Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback Fixes SignSGD and other Gradient Compression Schemes", ICML 2019,
Algorithm 1. With several workers the scaled signs are averaged at a server and the mean comes back dense.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import ScaledSign
from algorithms.descent import Descent
from algorithms.exchanges.compressed import compressed_mean
from algorithms.ops import Gradient
from algorithms.outer import OuterDescent
from algorithms.overlap import Overlap
from algorithms.state import Rows, Stateful
from algorithms.synchronous import Synchronous


class OneStep(Stateful):
    """The update is one whole step from the common model, learning rate and each worker's own momentum included."""

    state_names = ("velocity",)

    def __init__(self, descent: Descent) -> None:
        self.descent, self.velocity = descent, Rows("velocity") if descent.momentum else None

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        gradient, rate = await Gradient(model, step=t), self.descent.rate(t, rounds)

        def step(rows: slice, velocity: Tensor | None = None) -> None:
            direction = self.descent.direction(model, gradient[rows], velocity)
            torch.mul(direction, rate, out=gradient[rows])

        if self.velocity is None:
            cohort.pool(step, cohort.chunks)
        else:
            self.velocity.each(cohort, len(model), step)
        return gradient


def ef_signsgd(
    *, name: str = "ef_signsgd", via: str = "server", overlap: Overlap | None = None, **descent: Any
) -> Synchronous:
    """Build EF-signSGD; the scale is the mean magnitude of the whole vector, as in the paper's Algorithm 1.

    With buckets each has its own scale, as in the paper's layer-wise variant.
    """
    hidden, local = Overlap.of(overlap), OneStep(Descent(**descent))
    exchange = hidden.exchange(lambda: compressed_mean(hidden.encoder(ScaledSign()), via, error_feedback=True))
    outer = OuterDescent(Descent(lr=1.0))
    return Synchronous(name=name, local=local, exchange=exchange, outer=outer, delay=hidden.delay)
