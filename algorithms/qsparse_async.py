"""Qsparse-local-SGD, asynchronous: a worker exchanges after steps of its own, with the model that the server has then.

A worker sends C(m_r + x_r - y_r), where y_r is where it arrived and x_r the model that it was sent last. The server
moves its model by what the workers S of an instant sent, divided by the number of all workers and not by |S|, and
answers S alone. With a sync set that does not look at time, instants are steps, and no answer depends on time; driven
by computing, an instant is an arrival, with one worker in S.

Legend: n workers, T = rounds; n T messages are taken in at least, a mark at every n of them.

References
----------
Basu, Data, Karakus, Diggavi, "Qsparse-local-SGD: Distributed SGD with Quantization, Sparsification, and Local
Computations", NeurIPS 2019, Algorithm 2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, compress
from algorithms.descent import Descent
from algorithms.instants import instants
from algorithms.ops import SERVER, Gradient, Joined, Left, Mark, Now, Receive, ReceiveAny, Send, Work
from algorithms.parameter_server import ParameterServer
from algorithms.payloads import Payload
from algorithms.qsparse import Operator, boundary, check_wiping
from algorithms.sync_sets import ComputeDriven, SyncSet


class QsparseAsync(ParameterServer):
    """Algorithm 2: one program for each worker and one for the server.

    Parameters
    ----------
    operator : Operator
    sync_set : SyncSet or ComputeDriven
    error_feedback, wipe_memory, keep_momentum : bool
        See `qsparse_async`.
    descent : Descent
        The rule of the local steps; its rate follows a worker's own count of exchanges.

    Attributes
    ----------
    memory : dict of int to Tensor, shape (1, d)
        m_r of each worker.
    """

    def __init__(
        self,
        *,
        name: str,
        operator: Operator,
        sync_set: SyncSet | ComputeDriven,
        error_feedback: bool,
        wipe_memory: bool,
        keep_momentum: bool,
        descent: Descent,
    ) -> None:
        super().__init__(name=name, compressor=operator.compressor, error_feedback=error_feedback, lr=1.0)
        if not isinstance(sync_set, (SyncSet, ComputeDriven)):
            raise ValueError(f"algorithm.sync_set: expected one of algorithms.sync_sets, got {sync_set!r}")
        self.operator, self.sync_set, self.descent = operator, sync_set, descent
        self.wipe_memory = check_wiping(wipe_memory, error_feedback, descent.schedule)
        self.keep_momentum = boolean("algorithm.keep_momentum", keep_momentum)
        self.memory: dict[int, Tensor] = {}
        self.taken = 0

    def notes(self) -> dict[str, Any]:
        """Give the staleness histogram, and the numbers that a worker and the server keep beside the model."""
        own = self.model.numel() * (self.error_feedback + (self.descent.momentum > 0))
        return super().notes() | {"memory": {"worker": own, "server": 0}}

    async def worker(self, cohort: Cohort, rounds: int, joins_at: int | None = None) -> None:
        """Descend up to the next exchange, send what the operator lets through, go on from the answer.

        Raises
        ------
        ValueError
            If the worker comes late, or back, and the sync set says beforehand who exchanges when.
        """
        if joins_at is not None and not isinstance(self.sync_set, ComputeDriven):
            raise ValueError(
                "algorithm.sync_set: expected algorithms.sync_sets.ComputeDriven with workers that come and go, got "
                f"{self.sync_set!r}, whose instants count on every worker"
            )
        me = int(cohort.workers[0])
        model = self.start if joins_at is None else (await Receive(SERVER)).dense()[0]
        memory = self.memory[me] = torch.zeros(1, len(model), dtype=model.dtype, device=model.device)
        velocity = torch.zeros_like(memory) if self.descent.momentum else None
        count, step = 0 if joins_at is None else joins_at, joins_at or 0  # a count that no earlier life has used
        while (gap := self._longest(cohort, me, count)) is not None:
            cohort.begin(count)
            t = min(count, rounds - 1)
            if velocity is not None and not self.keep_momentum:
                velocity.zero_()
            arrived, taken = await self._descend(model, velocity, step, gap, self.descent.rate(t, rounds))
            step += taken
            progress = model - arrived
            if self.error_feedback:
                await Work("residual", 3 * progress.numel() * progress.element_size())
                progress = memory.add_(progress)
            sent = await compress(cohort, self.compressor, progress.clone())  # what travels must not change
            if self.error_feedback:
                sent.subtract_from(memory)
            if self.wipe_memory and boundary(self.descent.schedule, count, rounds):
                memory.zero_()
            await Send(SERVER, sent)
            model = (await Receive(SERVER)).dense()[0]
            count += 1

    def _longest(self, cohort: Cohort, worker: int, count: int) -> int | None:
        """Give the local steps before an exchange, or how many they are at most; None after the last."""
        if isinstance(self.sync_set, ComputeDriven):
            return self.sync_set.longest
        return self.sync_set.gap(cohort, worker, count)

    async def _descend(
        self, model: Tensor, velocity: Tensor | None, step: int, gap: int, rate: float
    ) -> tuple[Tensor, int]:
        """Take local steps, shape (1, d), and count them."""
        period_s = self.sync_set.period_s if isinstance(self.sync_set, ComputeDriven) else None
        until_s = None if period_s is None else await Now() + period_s
        local = model.clone()[None]
        for h in range(gap):
            gradient = await Gradient(local, step=step + h)
            self.descent.step(local, gradient, velocity, rate)
            if until_s is not None and await Now() >= until_s:
                return local, h + 1
        return local, gap

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Check the operator and the sync set against the model and the rounds, then take in and answer."""
        self.operator.check(cohort.layout)
        if isinstance(self.sync_set, ComputeDriven):
            await self._server_by_arrival(cohort, rounds)
        else:
            await self._server_by_step(cohort, self.sync_set, rounds)

    async def _server_by_arrival(self, cohort: Cohort, rounds: int) -> None:
        """Take messages as they come."""
        while self.taken < cohort.n * rounds:
            match await ReceiveAny():
                case Joined(worker):
                    await self.answer([worker])
                case Left() | None:
                    pass
                case (source, message):
                    await self._instant(cohort, [source], message, rounds)

    async def _server_by_step(self, cohort: Cohort, sync_set: SyncSet, rounds: int) -> None:
        """Wait, step after step, for those whose exchange is due then, in the order of their numbers."""
        n = cohort.n
        if (exchanges := sum(sync_set.exchanges(worker) for worker in range(n))) < n * rounds:
            raise ValueError(
                f"algorithm.sync_set.steps: expected at least workers x rounds = {n * rounds} exchanges in all, got "
                f"{exchanges:.0f}"
            )
        for due in instants(cohort, sync_set):
            messages = [await Receive(worker) for worker in due]
            await self._instant(cohort, due, type(messages[0]).join(messages), rounds)
            if self.taken >= n * rounds:
                return

    async def _instant(self, cohort: Cohort, senders: list[int], messages: Payload, rounds: int) -> None:
        """Move the model by one instant's messages, one row each, and answer their senders."""
        for worker in senders:
            self.late(self.read[worker])
        weights = cohort.weights[torch.tensor(senders)]  # shares of all n workers: 1 / n each, whoever sent
        chunks = [slice(i, min(i + cohort.chunk, len(senders))) for i in range(0, len(senders), cohort.chunk)]
        before = self.taken // cohort.n
        self.taken += len(senders)
        await self.apply(messages.mean(weights, chunks), len(senders), min(before, rounds - 1), rounds)
        if (label := self.taken // cohort.n) > before:
            await Mark(label, self.model)
        await self.answer(senders)


def qsparse_async(
    *,
    name: str = "qsparse_async",
    compressor: Compressor | None = None,
    per_tensor: bool = True,
    sync_set: SyncSet | ComputeDriven | None = None,
    error_feedback: bool = True,
    wipe_memory: bool = False,
    keep_momentum: bool = True,
    **descent: Any,
) -> QsparseAsync:
    """Build asynchronous Qsparse-local-SGD.

    Parameters
    ----------
    compressor, per_tensor
        As for `Operator`.
    sync_set : SyncSet, ComputeDriven or None
        After which steps a worker exchanges; `ComputeDriven` when None.
    error_feedback : bool
        Whether a worker keeps a memory.
    wipe_memory : bool
        Whether it forgets it with its last exchange before a milestone of the schedule (the authors' code).
    keep_momentum : bool
        Whether its momentum, which is never averaged, survives an exchange.
    **descent
        As for `Descent`.
    """
    return QsparseAsync(
        name=name,
        operator=Operator(compressor, per_tensor),
        sync_set=sync_set or ComputeDriven(),
        error_feedback=error_feedback,
        wipe_memory=wipe_memory,
        keep_momentum=keep_momentum,
        descent=Descent(**descent),
    )
