"""Averaging by an all-gather: every worker receives every message and averages by itself."""

from __future__ import annotations

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, compress
from algorithms.ops import AllGather, Work
from algorithms.payloads import Payload
from algorithms.state import Stateful


class AllGatherMean(Stateful):
    """Send compressed updates to all workers, who decode and average them in worker order.

    Parameters
    ----------
    compressor : Compressor
        What each worker applies to its update.
    """

    conserves = "workers"
    samples = False

    def __init__(self, compressor: Compressor) -> None:
        self.compressor = compressor

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        sent = await compress(cohort, self.compressor, update)
        gathered = await AllGather(sent)
        await Work("decode", int(gathered.payload.bytes.sum()))
        return gathered.mean(), sent
