"""Asynchronous SGD on a parameter server: the server applies each gradient as it comes and answers its sender alone.

Legend: n workers, T = rounds; n T gradients are applied in all, one mark every n of them. Staleness of a gradient is
the number of versions that the server made between sending the model and receiving the gradient.

References
----------
Dean et al., "Large Scale Distributed Deep Networks", NeurIPS 2012, section 4.1 (Downpour SGD with one step per fetch).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, Identity, compress
from algorithms.descent import Descent
from algorithms.ops import SERVER, Gradient, Mark, Receive, ReceiveAny, Send, Work
from algorithms.outer import OuterDescent
from algorithms.payloads import Dense
from algorithms.state import Stateful


class Asynchronous(Stateful):
    """One program for each worker and one for the server.

    Parameters
    ----------
    compressor : Compressor
        What a worker applies to its gradient.
    descent : Descent
        The server's rule.
    staleness_aware : bool
        Divide each gradient by 1 + staleness: without momentum and weight decay, the same as dividing the rate.
    """

    participation = 1.0

    def __init__(self, *, name: str, compressor: Compressor, descent: Descent, staleness_aware: bool = False) -> None:
        self.name, self.compressor, self.descent = name, compressor, descent
        self.staleness_aware = boolean("algorithm.staleness_aware", staleness_aware)
        self.outer = OuterDescent(descent)
        self.staleness: Counter[int] = Counter()
        self.start = self.model = torch.empty(0)

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied."""
        # workers read the first version from a copy of its own: the server moves its model in place
        self.start, self.model = model.clone(), model.clone()

    async def worker(self, cohort: Cohort, rounds: int) -> None:
        """Compute at whatever model came last, until the run ends."""
        model, step = self.start, 0
        while True:
            cohort.begin(step)
            gradient = await Gradient(model, step=step)
            await Send(SERVER, await compress(cohort, self.compressor, gradient.clone()))
            model = (await Receive(SERVER)).dense()[0]
            step += 1

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Apply n gradients per round and answer each sender with the newest model."""
        n, kind = cohort.n, "fp64" if self.model.element_size() == 8 else "fp32"
        read = [0] * n
        for version in range(n * rounds):
            source, message = await ReceiveAny()
            late = version - read[source]
            self.staleness[late] += 1
            update = message.dense()[0]
            if self.staleness_aware:
                update = update / (1 + late)
            await Work("apply", 3 * update.numel() * update.element_size())
            self.outer(self.model, update, version // n, rounds)
            read[source] = version + 1
            if (version + 1) % n == 0:
                await Mark((version + 1) // n, self.model)
            await Send(source, Dense(self.model.clone()[None], kind))

    def notes(self) -> dict[str, Any]:
        """Give the staleness histogram: versions between reading and applying -> gradients."""
        return {"staleness": {str(late): count for late, count in sorted(self.staleness.items())}}


def async_sgd(
    *, name: str = "async_sgd", kind: str = "fp32", staleness_aware: bool = False, **descent: Any
) -> Asynchronous:
    """Build asynchronous SGD with dense messages of floats of `kind`."""
    return Asynchronous(
        name=name, compressor=Identity(kind), descent=Descent(**descent), staleness_aware=staleness_aware
    )
