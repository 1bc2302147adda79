"""Averaging at a server that compresses its answer, too, and remembers what the answer left out.

w rows here, d coordinates.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, compress
from algorithms.gathered import Gathered
from algorithms.ops import AtServer, Broadcast, Gather
from algorithms.payloads import Payload
from algorithms.state import Stateful


class TwoSidedMean(Stateful):
    """Gather compressed updates; the server sends its residual and their mean, compressed, and keeps the rest.

    Parameters
    ----------
    compressor : Compressor
        What each worker applies to its update.
    downward : Compressor or None
        What the server applies to its answer; None: the same.
    remember : callable, optional
        Told the answer of each round in which only some workers take part, and the bytes of a model. Nothing is
        broadcast at the end of such a round: the next one begins with a download.

    Notes
    -----
    With a worker's residual outside (`ErrorFeedback`) the feedback has two sides. The mean of what was sent is the
    answer plus what the server's residual has gained: ``conserves = workers+server``.

    References
    ----------
    Sattler, Wiedemann, Müller, Samek, "Robust and Communication-Efficient Federated Learning from Non-IID Data", 2019,
    Algorithm 2. Tang, Yu, Lian, Zhang, Liu, "DoubleSqueeze", ICML 2019.
    """

    conserves = "workers+server"
    samples = True
    state_names = ("residual",)

    def __init__(
        self,
        compressor: Compressor,
        downward: Compressor | None = None,
        remember: Callable[[Payload, int], None] | None = None,
    ) -> None:
        self.compressor, self.downward, self.remember = compressor, downward, remember
        self.residual: Tensor | None = None

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        sent = await compress(cohort, self.compressor, update)
        gathered = await Gather(sent)
        compressor, d = self.downward or self.compressor, update.shape[1]
        work = int(gathered.payload.bytes.sum() + compressor.passes() * d * update.element_size())
        residual = torch.zeros(d, dtype=update.dtype, device=update.device) if self.residual is None else self.residual

        def answer(gathered: Gathered) -> tuple[Payload, Tensor]:
            corrected = (residual + gathered.mean())[None]
            kept = corrected.clone()  # an answer that is not compressed shares the memory of what it was made from
            message = compressor(corrected, cohort.draw(slice(0, 0)))
            message.subtract_from(kept)
            return message, kept[0]

        down: Payload
        down, self.residual = await AtServer(answer, gathered, size_bytes=work)
        if cohort.everyone:
            down = await Broadcast(down)
        elif self.remember is not None:
            self.remember(down, d * update.element_size())
        return down.dense()[0].to(update.dtype), sent
