"""A model at a server and workers that push gradients to it: what asynchronous methods share.

A worker computes at the model that came last, pushes, and waits for the next one; methods differ in when the server
applies a push and when it answers. Workers may crash, come back, join late and leave; one that comes without a model
waits for it before its first gradient.

Legend: n workers in all, d coordinates. Staleness of a push is the number of versions that the server made between
sending the model at which it was computed and applying it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, Identity, compress
from algorithms.descent import Descent
from algorithms.ops import SERVER, Gradient, Receive, Send, Work
from algorithms.outer import OuterDescent
from algorithms.payloads import Bits, Dense, Payload


class ParameterServer:
    """The worker's program, and the steps of which a server's program is made; the latter is the subclass's.

    Parameters
    ----------
    kind : str
        Width of the floats that a worker pushes, when nothing compresses them.
    compressor : Compressor or None
        What a worker applies to its gradient instead.
    error_feedback : bool
        Whether a worker adds what its pushes left out to the next one; a worker that comes back has forgotten it.
    **descent
        The server's rule, as for `Descent`.
    """

    participation = 1.0

    def __init__(
        self,
        *,
        name: str,
        kind: str = "fp32",
        compressor: Compressor | None = None,
        error_feedback: bool = False,
        **descent: Any,
    ) -> None:
        if compressor is not None and not callable(compressor):
            raise ValueError(f"algorithm.compressor: expected a compressor's _target_, or null, got {compressor!r}")
        self.name, self.compressor = name, compressor or Identity(kind)
        self.error_feedback = boolean("algorithm.error_feedback", error_feedback)
        self.outer = OuterDescent(Descent(**descent))
        self.version = 0
        self.read: Counter[int] = Counter()  # the version that each worker was sent last
        self.staleness: Counter[int] = Counter()
        self.start = self.model = torch.empty(0)

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied."""
        # workers read the first version from a copy of its own: the server moves its model in place
        self.start, self.model = model.clone(), model.clone()

    async def gradient(self, model: Tensor, step: int) -> Tensor | None:
        """Compute a worker's gradient, shape (1, d); None if it was given up."""
        return await Gradient(model, step=step)

    async def worker(self, cohort: Cohort, rounds: int, joins_at: int | None = None) -> None:
        """Compute at whatever model came last, until the run ends.

        Parameters
        ----------
        joins_at : int or None
            The first step of a worker that joins a run under way; None at the start of the run.
        """
        model, step = self.start, joins_at or 0
        if joins_at is not None:
            model = (await Receive(SERVER)).dense()[0]
        residual: Tensor | None = None
        while True:
            cohort.begin(step)
            update = await self.gradient(model, step)
            if update is None:
                await Send(SERVER, nothing())
            else:
                if self.error_feedback:
                    await Work("residual", 3 * update.numel() * update.element_size())
                    update = residual = update.clone() if residual is None else residual.add_(update)
                sent = await compress(cohort, self.compressor, update.clone())  # what travels must not change
                if residual is not None:
                    sent.subtract_from(residual)
                await Send(SERVER, sent)
            model = (await Receive(SERVER)).dense()[0]
            step += 1

    def late(self, read: int) -> int:
        """Count and give the staleness of a push that is applied now and was computed at version `read`."""
        late = self.version - read
        self.staleness[late] += 1
        return late

    async def apply(self, update: Tensor, count: int, t: int, rounds: int) -> None:
        """Make the next version of the model out of an update, shape (d,), that `count` pushes were combined to."""
        await Work("apply", (count + 2) * update.numel() * update.element_size())
        self.outer(self.model, update, t, rounds)
        self.version += 1

    async def answer(self, workers: Collection[int]) -> None:
        """Send the newest model to these workers."""
        if not workers:
            return
        payload = Dense(self.model.clone()[None], "fp64" if self.model.element_size() == 8 else "fp32")
        for worker in workers:
            self.read[worker] = self.version
            await Send(worker, payload)

    def notes(self) -> dict[str, Any]:
        """Give the staleness histogram: versions between reading and applying -> pushes."""
        return {"staleness": {str(late): count for late, count in sorted(self.staleness.items())}}


def nothing() -> Payload:
    """Make the message of a worker that has nothing to push: a header."""
    return Dense(torch.empty(1, 0), paper=Bits.of(1))


def fold(cohort: Cohort, pushes: Sequence[tuple[int, Payload]], factors: Sequence[float] | None = None) -> Tensor:
    """Average pushes in the order of their workers, in chunks, as a synchronous gather does.

    Parameters
    ----------
    pushes : sequence of (worker, payload)
        At least one. Each weighs its worker's share, and the weights sum to 1.
    factors : sequence of float, optional
        One for each push, multiplied to its weight afterwards.

    Returns
    -------
    Tensor, shape (d,)
        With a push of every worker and no factors, bit for bit what `Gathered.mean` gives.
    """
    order = sorted(range(len(pushes)), key=lambda i: pushes[i][0])
    payloads = [pushes[i][1] for i in order]
    shares = cohort.shares[torch.tensor([pushes[i][0] for i in order])]
    weights = shares / shares.sum()
    if factors is not None:
        weights = weights * torch.tensor([factors[i] for i in order], dtype=torch.float64)
    chunks = [slice(i, min(i + cohort.chunk, len(order))) for i in range(0, len(order), cohort.chunk)]
    return type(payloads[0]).join(payloads).mean(weights, chunks)
