"""Averaging at a parameter server: compressed updates go up, their exact mean comes down.

w rows here, d coordinates.
"""

from __future__ import annotations

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, compress
from algorithms.gathered import Gathered
from algorithms.ops import AtServer, Broadcast, Gather
from algorithms.payloads import Dense, Payload, Sparse
from algorithms.state import Stateful


def lossless(mean: Tensor) -> Payload:
    """Wrap a mean for the way down: sparse when that takes fewer bytes, else dense; nothing is lost either way."""
    dense = Dense(mean[None], "fp64" if mean.element_size() == 8 else "fp32")
    nonzero = int((mean != 0).sum())
    if nonzero * 2 > len(mean):
        return dense
    sparse = Sparse.nonzeros(mean[None])
    return sparse if sparse.bytes[0] < dense.bytes[0] else dense


class ServerMean(Stateful):
    """Gather at the server, average there, broadcast the mean.

    Parameters
    ----------
    compressor : Compressor
        What each worker applies to its update.

    Notes
    -----
    When only some workers take part in a round nothing is broadcast at its end: the next round begins with a download
    of the model instead, because a worker that sat out cannot use a difference.
    """

    conserves = "workers"
    samples = True

    def __init__(self, compressor: Compressor) -> None:
        self.compressor = compressor

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        sent = await compress(cohort, self.compressor, update)
        gathered = await Gather(sent)
        mean = await AtServer(Gathered.mean, gathered, size_bytes=int(gathered.payload.bytes.sum()))
        if cohort.everyone:
            await Broadcast(lossless(mean))
        return mean, sent
