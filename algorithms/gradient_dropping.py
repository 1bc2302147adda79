"""Gradient Dropping: asynchronous SGD on a sharded parameter server, with the smallest gradients dropped both ways.

A worker adds its gradient to what it has not sent yet, sends the largest entries of the sum in slices to the shards,
and keeps the rest. Each shard takes one optimizer step for each slice by itself and answers with what has changed in it
since it answered that worker last, dropped in the same way, with a residual for each (worker, shard).

Legend: n workers, d coordinates, S shards, R the share dropped, H versions kept, T = rounds; every shard takes n T
pushes, with a mark every n that all have taken.

References
----------
Aji, Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017, sections 3 and 4; what the paper
leaves open follows the first author's code (Marian, 2017).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from algorithms.adaptive import AdaGrad, Adam
from algorithms.checks import whole as whole_number
from algorithms.cohort import Cohort
from algorithms.compressors import Dropping, Identity, compress
from algorithms.descent import Descent
from algorithms.ops import SERVER, Gradient, Joined, Left, Mark, Receive, ReceiveAny, Send, Work
from algorithms.outer import Outer, OuterDescent
from algorithms.payloads import Dense, Payload
from algorithms.shards import Exact, Recent, Shard, cut, ranges, within

OPTIMIZERS: dict[str, Callable[[Descent], Outer]] = {"sgd": OuterDescent, "adagrad": AdaGrad, "adam": Adam}
PULLS = ("sparse_delta", "dense")


class GradientDropping:
    """One program for each worker, and one for the server that holds all shards.

    Parameters
    ----------
    drop, scope, sample, bits, centre, index_code
        As for `Dropping`. Pulls drop the same share under the same scope, and send floats.
    shards : int or None
        S; None: one for each worker.
    pull : {"sparse_delta", "dense"}
        Whether a shard answers with what has changed, dropped, or with all of itself. A dense push is answered densely.
    history : int, "exact" or None
        H: a worker that lags by H versions or more gets less than the whole difference. None: ceil(1.5 n). "exact": no
        difference is ever cut.
    dense_steps : int
        How many of a worker's first steps are sent undropped.
    optimizer : {"adagrad", "sgd", "adam"}
        Of each shard.
    **descent
        As for `Descent`; momentum is sgd's.

    Notes
    -----
    The drivers know one server node, which so holds all shards. What S processors do side by side it does one after
    the other, at an S-th of the price each; a network whose server has S times a worker's link stands for theirs.
    Messages of one worker keep their order, by which server and worker know what shard each is about.
    """

    participation = 1.0

    def __init__(
        self,
        *,
        name: str = "gradient_dropping",
        drop: float = 0.99,
        scope: str = "global",
        sample: int = 100_000,
        bits: int | None = None,
        centre: str = "min",
        index_code: str = "auto",
        shards: int | None = None,
        pull: str = "sparse_delta",
        history: int | str | None = None,
        dense_steps: int = 0,
        optimizer: str = "adagrad",
        **descent: Any,
    ) -> None:
        self.name = name
        self.push = Dropping(drop, scope, sample, bits, centre, index_code)
        self.back = Dropping(drop, scope, sample, index_code=index_code)
        self.count = None if shards is None else whole_number("algorithm.shards", shards)
        if pull not in PULLS:
            raise ValueError(f"algorithm.pull: expected one of {', '.join(PULLS)}, got {pull!r}")
        if history not in (None, "exact") and (
            isinstance(history, (bool, str)) or history != int(history) or history < 2
        ):
            raise ValueError(  # of a single version the difference is always 0
                f"algorithm.history: expected a whole number of versions, at least 2, exact or null, got {history!r}"
            )
        if optimizer not in OPTIMIZERS:
            raise ValueError(f"algorithm.optimizer: expected one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
        self.pull, self.history = pull, history
        self.dense_steps = whole_number("algorithm.dense_steps", dense_steps, least=0)
        self.rule, self.descent = OPTIMIZERS[optimizer], Descent(**descent)
        self.rule(self.descent)  # refuses what does not fit
        self.staleness: Counter[int] = Counter()
        self.shards: list[Shard] = []
        self.start = self.model = torch.empty(0)

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied."""
        self.start, self.model = model.clone(), model.clone()

    def _parts(self, cohort: Cohort) -> list[slice]:
        return ranges(len(self.start), self.count or cohort.n)

    def _shard(self, cohort: Cohort, part: slice) -> Shard:
        model = self.model[part]
        length = -(-3 * cohort.n // 2) if self.history is None else self.history
        history = Recent(model, length) if isinstance(length, int) else Exact(model)
        return Shard(model, within(cohort.layout, part), self.rule(self.descent), self.back, history)

    async def worker(self, cohort: Cohort, rounds: int, joins_at: int | None = None) -> None:
        """Pull, compute, drop and push, until the run ends; the first model is known to all, or sent to who joins."""
        parts, model, step = self._parts(cohort), self.start.clone(), joins_at or 0
        residual: Tensor | None = None  # what a worker had not sent is lost with it
        if joins_at is not None:
            await self._pulls(model, parts)
        while True:
            cohort.begin(step)
            update = await Gradient(model, step=step)
            dropping = self.push if step >= self.dense_steps else Identity()
            if self.push.drop:
                await Work("residual", 3 * update.numel() * update.element_size())
                update = residual = update.clone() if residual is None else residual.add_(update)
            sent = await compress(cohort, dropping, update)
            pieces = cut(sent, parts)  # copies: what travels must not change
            if residual is not None:
                sent.subtract_from(residual)
            for piece in pieces:
                await Send(SERVER, piece)
            await self._pulls(model, parts)
            step += 1

    async def _pulls(self, model: Tensor, parts: list[slice]) -> None:
        """Receive every shard's answer, in the order of the shards, into the worker's model."""
        for part in parts:
            answer = await Receive(SERVER)
            if isinstance(answer, Dense):
                model[part] = answer.dense()[0]
            else:
                answer.add_to(model[part])

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Let each shard step along each push, and answer its sender."""
        n, marks = cohort.n, 0
        self.shards = [self._shard(cohort, part) for part in self._parts(cohort)]
        turn: Counter[int] = Counter()  # by worker: what shard its next message is for
        while marks < rounds:
            match await ReceiveAny():
                case Joined(worker):
                    for shard in self.shards:
                        await Send(worker, shard.everything(worker))
                case Left(worker):
                    turn.pop(worker, None)
                case (source, push):
                    shard = self.shards[turn[source]]
                    turn[source] = (turn[source] + 1) % len(self.shards)
                    await self._apply(shard, source, push, min(shard.version // n, rounds - 1), rounds)
                    if min(one.version for one in self.shards) == n * (marks + 1):
                        marks += 1
                        await Mark(marks, self.model)
                    if self.pull == "dense" or isinstance(push, Dense):
                        await Send(source, shard.everything(source))
                    else:
                        passes = 4 + self.back.passes()  # 4: two versions and what was kept make the difference
                        await Work("pull", self._price(passes, shard))
                        await Send(source, shard.difference(source, cohort))
                case None:
                    pass

    async def _apply(self, shard: Shard, source: int, push: Payload, t: int, rounds: int) -> None:
        self.staleness[shard.version - shard.seen[source]] += 1
        await Work("apply", self._price(3, shard))
        shard.apply(push, t, rounds)

    def _price(self, passes: float, shard: Shard) -> int:
        """Give the bytes to bill for passes over a shard; see the class's notes."""
        return int(passes * len(shard.model) * shard.model.element_size() / len(self.shards))

    def notes(self) -> dict[str, Any]:
        """Give the staleness histogram: a shard's versions between a worker's reading and its push -> slices pushed."""
        return {"staleness": {str(late): count for late, count in sorted(self.staleness.items())}}


def gradient_dropping(**options: Any) -> GradientDropping:
    """Build asynchronous Gradient Dropping; `options` go to `GradientDropping` and `Descent`."""
    return GradientDropping(**options)
