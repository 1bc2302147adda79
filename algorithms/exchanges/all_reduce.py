"""Averaging by an all-reduce: only what can be summed on the way fits."""

from __future__ import annotations

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, Identity, Piecewise, compress
from algorithms.ops import AllReduce
from algorithms.payloads import Dense, Payload
from algorithms.state import Stateful


class AllReduceMean(Stateful):
    """Sum rows over all workers and divide by their number.

    Parameters
    ----------
    kind : str
        Width of the floats that travel: fp32, fp16 or bf16.
    pieces : int
        Pieces in which a message is rounded, each sent while the next is rounded.

    Notes
    -----
    Unequal weights scale the rows before they are summed, as real systems do, since the network can only add.
    """

    conserves = "workers"
    samples = False

    def __init__(self, kind: str = "fp32", pieces: int = 1) -> None:
        self.compressor: Compressor = Identity(kind) if pieces == 1 else Piecewise(Identity(kind), pieces)

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        count = len(cohort.active)
        factors = (cohort.weights[cohort.start : cohort.start + cohort.size] * count).to(update)[:, None]
        if bool((factors == 1).all()):
            sent = travels = await compress(cohort, self.compressor, update)
        else:
            # `update` may be a residual, which stays as it is; what was sent is told in its units
            travels = await compress(cohort, self.compressor, update * factors)
            sent = Dense(travels.dense() / factors)
        total = await AllReduce(travels)
        return total.dense()[0] / count, sent
