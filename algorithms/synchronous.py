"""The synchronous method: local x exchange x outer, round after round.

Every worker holds the same model; in round t it computes alone, agrees with the others on a mean, and moves the model
by it. With a delay the mean is that of the round before, whose exchange went on while the worker computed.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.download import Download, WholeModel
from algorithms.exchanges import Exchange
from algorithms.local import Local
from algorithms.ops import Fork, Handle, Join, Mark
from algorithms.outer import Outer
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
    delay : int
        0, or 1: the exchange of round t runs while round t + 1 computes its update, and round t moves the model by the
        mean of round t - 1. The first round moves nothing, the last one twice: every update counts once.
    download : Download, optional
        How the workers of a round come to the model where only some take part; the whole model by default.

    References
    ----------
    Li et al., "Pipe-SGD: A Decentralized Pipelined SGD Framework for Distributed Deep Net Training", NeurIPS 2018,
    Algorithm 1 with a pipeline of width 2; differs in that the last mean is waited for and used.
    """

    state_names: ClassVar[tuple[str, ...]] = ("model", "round", "local", "exchange", "outer", "pending", "download")

    def __init__(
        self,
        *,
        name: str,
        local: Local,
        exchange: Exchange,
        outer: Outer,
        participation: float = 1.0,
        delay: int = 0,
        download: Download | None = None,
    ) -> None:
        if not (isinstance(participation, (int, float)) and 0 < participation <= 1):
            raise ValueError(f"algorithm.participation: expected a fraction in (0, 1], got {participation!r}")
        self.name, self.participation = name, participation
        self.local: Any = local
        self.exchange: Any = exchange
        self.outer: Any = outer
        self.download: Any = download or WholeModel()
        self.model = torch.empty(0)
        self.round, self.delay = 0, delay
        self.pending: Tensor | None = None

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied."""
        self.model = model.clone()

    def notes(self, active: int) -> dict[str, Any]:
        """Give what belongs into the run's summary.

        `staleness` is a histogram, rounds between computing an update and using it -> updates; `memory` counts the
        numbers kept from round to round, `worker` by each of them and `server` once, the model left out.
        The exchange's own notes stand beside them.

        Parameters
        ----------
        active : int
            Workers in each round.
        """
        late = max(self.round - 1, 0) if self.delay else 0  # the first update is used before any other
        counts = {"0": active * (self.round - late), "1": active * late}
        own, once = self.footprint()
        memory = {"worker": own, "server": once - self.model.numel()}
        found = {"staleness": {rounds: count for rounds, count in counts.items() if count}, "memory": memory}
        exchange = self.exchange
        while exchange is not None:  # from the outermost wrapper inwards
            found |= exchange.notes() if hasattr(exchange, "notes") else {}
            exchange = getattr(exchange, "inner", None)
        return found

    def output(self) -> Tensor:
        """Give the iterate that a round is judged by, shape (d,): the model, unless a method outputs another."""
        return self.model

    async def run(self, cohort: Cohort, rounds: int) -> None:
        """Drive the cohort from the current round up to `rounds`.

        Raises
        ------
        ValueError
            If only some workers take part and the exchange, or a delay, cannot leave workers out.
        """
        if not cohort.everyone and self.delay:
            raise ValueError(
                f"participation: expected 1.0 with algorithm.overlap.delay=1, whose exchanges outlive their round, got "
                f"{cohort.participation}"
            )
        if not cohort.everyone and not self.exchange.samples:
            raise ValueError(
                f"participation: expected 1.0 with {type(self.exchange).__name__}, whose collective needs every "
                f"worker, got {cohort.participation}"
            )
        for t in range(self.round, rounds):
            cohort.begin(t)
            if not cohort.everyone:
                self.model = await self.download(cohort, self.model, t)
            update = await self.local(cohort, self.model, t, rounds)
            if self.delay:
                await self._exchange_late(cohort, update, t, rounds)
            else:
                self.outer(self.model, (await self.exchange(cohort, update, t))[0], t, rounds)
            del update  # before the next one is made
            self.round = t + 1
            await Mark(self.round, self.output())

    async def _exchange_late(self, cohort: Cohort, update: Tensor, t: int, rounds: int) -> None:
        """Start this round's exchange and move by the mean of the one before; in the last round by this one's too."""
        started = await Fork(self.exchange(cohort, update, t), str(t))
        if self.pending is not None:
            self.outer(self.model, await Join(Handle(str(t - 1), self.pending)), t, rounds)
        self.pending = started.value[0]
        if t == rounds - 1:
            mean, _ = await Join(started)
            self.outer(self.model, mean, t, rounds)
            self.pending = None
