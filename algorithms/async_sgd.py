"""Asynchronous SGD on a parameter server: the server applies each gradient as it comes and answers its sender alone.

Legend: n workers, T = rounds; n T gradients are applied in all, one mark every n of them. Who is gone is not missed.

References
----------
Dean et al., "Large Scale Distributed Deep Networks", NeurIPS 2012, section 4.1 (Downpour SGD with one step per fetch).
"""

from __future__ import annotations

from typing import Any

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.ops import Joined, Left, Mark, ReceiveAny
from algorithms.parameter_server import ParameterServer


class Asynchronous(ParameterServer):
    """One program for each worker and one for the server.

    Parameters
    ----------
    staleness_aware : bool
        Divide each gradient by 1 + staleness: without momentum and weight decay, the same as dividing the rate.
    **options
        As for `ParameterServer`.
    """

    def __init__(self, *, staleness_aware: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.staleness_aware = boolean("algorithm.staleness_aware", staleness_aware)

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Apply n gradients per round and answer each sender with the newest model."""
        n = cohort.n
        while self.version < n * rounds:
            match await ReceiveAny():
                case Joined(worker):
                    await self.answer([worker])
                case Left() | None:
                    pass
                case (source, message):
                    late = self.late(self.read[source])
                    update = message.dense()[0]
                    if self.staleness_aware:
                        update = update / (1 + late)
                    await self.apply(update, 1, self.version // n, rounds)
                    if self.version % n == 0:
                        await Mark(self.version // n, self.model)
                    await self.answer([source])


def async_sgd(*, name: str = "async_sgd", **options: Any) -> Asynchronous:
    """Build asynchronous SGD; `options` go to `Asynchronous`, `ParameterServer` and `Descent`."""
    return Asynchronous(name=name, **options)
