"""The synchronous method: local x exchange x outer, round after round.

Every worker holds the same model; in round t it computes alone, agrees with the others on a mean, and moves the model
by it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.exchanges import Exchange
from algorithms.local import Local
from algorithms.ops import Broadcast, Mark
from algorithms.outer import Outer
from algorithms.payloads import Dense
from algorithms.state import Stateful


class Synchronous(Stateful):
    """A program made of three slots.

    Parameters
    ----------
    name : str
        What tables and figures call it.
    local : Local
        What a worker computes between two exchanges.
    exchange : Exchange
        How workers agree on a mean.
    outer : Outer
        What they do with it.
    participation : float
        The fraction of workers that take part in a round, in (0, 1].
    """

    state_names = ("model", "round", "local", "exchange", "outer")

    def __init__(
        self, *, name: str, local: Local, exchange: Exchange, outer: Outer, participation: float = 1.0
    ) -> None:
        if not (isinstance(participation, (int, float)) and 0 < participation <= 1):
            raise ValueError(f"algorithm.participation: expected a fraction in (0, 1], got {participation!r}")
        self.name, self.participation = name, participation
        self.local: Any = local
        self.exchange: Any = exchange
        self.outer: Any = outer
        self.model = torch.empty(0)
        self.round = 0

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied."""
        self.model = model.clone()

    async def run(self, cohort: Cohort, rounds: int) -> None:
        """Drive the cohort from the current round up to `rounds`.

        Raises
        ------
        ValueError
            If only some workers take part and the exchange cannot leave workers out.
        """
        if not cohort.everyone and not self.exchange.samples:
            raise ValueError(
                f"participation: expected 1.0 with {type(self.exchange).__name__}, whose collective needs every "
                f"worker, got {cohort.participation}"
            )
        for t in range(self.round, rounds):
            cohort.begin(t)
            if not cohort.everyone:
                self.model = (await Broadcast(Dense(self.model[None].clone()))).dense()[0].clone()
            update = await self.local(cohort, self.model, t, rounds)
            mean, _ = await self.exchange(cohort, update, t)
            self.outer(self.model, mean, t, rounds)
            self.round = t + 1
            await Mark(self.round, self.model)
