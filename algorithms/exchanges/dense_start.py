"""A warm start: the first rounds are exchanged uncompressed, the others by the compressed exchange."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.checks import whole
from algorithms.cohort import Cohort
from algorithms.exchanges.base import Exchange, Sent
from algorithms.state import Stateful


class DenseStart(Stateful):
    """Use one exchange in the first `rounds` rounds, another afterwards.

    Parameters
    ----------
    dense : Exchange
        Of the first rounds; it keeps no state.
    inner : Exchange
        Of the others.
    rounds : int
        How many rounds are dense, at least 0.
    """

    state_names = ("inner",)

    def __init__(self, dense: Exchange, inner: Exchange, rounds: int) -> None:
        self.dense, self.rounds = dense, whole("algorithm.dense_steps", rounds, least=0)
        self.inner: Any = inner
        self.conserves, self.samples = inner.conserves, inner.samples and dense.samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        exchange = self.dense if t < self.rounds else self.inner
        answer: tuple[Tensor, Sent] = await exchange(cohort, update, t)
        return answer
