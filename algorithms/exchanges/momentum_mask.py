"""Momentum masking: where a coordinate has just been sent, the momentum that led there starts again from zero."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.exchanges.base import Exchange, Sent
from algorithms.ops import Work
from algorithms.state import Rows, Stateful


class MomentumMask(Stateful):
    """Wrap an exchange; after it, each worker's momentum is zero on the coordinates that this worker sent.

    Parameters
    ----------
    inner : Exchange
        Its `sent` must be a payload.
    velocity : Rows
        The momentum of the local steps, which keep it in their own state.

    References
    ----------
    Lin, Han, Mao, Wang, Dally, "Deep Gradient Compression", ICLR 2018, section 3.3 (momentum factor masking).
    """

    state_names = ("inner",)

    def __init__(self, inner: Exchange, velocity: Rows) -> None:
        self.inner: Any = inner
        self.velocity = velocity
        self.conserves, self.samples = inner.conserves, inner.samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        mean, sent = await self.inner(cohort, update, t)
        await Work("mask", 2 * update.shape[1] * update.element_size())
        velocity = self.velocity.open(cohort, update.shape[1])

        def mask(rows: slice) -> None:
            gone = sent.select(rows).dense() != 0
            velocity[rows].masked_fill_(gone.to(velocity.device), 0.0)

        cohort.pool(mask, cohort.chunks)
        self.velocity.close(cohort, velocity)
        return mean, sent
