"""Ways on which rows that add up meet: at a server, which decides once, or in an all-reduce, where everybody decides.

w rows here, m active workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.gathered import Gathered
from algorithms.ops import AllReduce, AtServer, Broadcast, Gather, Work
from algorithms.payloads import Payload, Sketch

P = TypeVar("P", bound=Payload)
T = TypeVar("T")
Decide = Callable[[Tensor], tuple[P, T]]


class Route(Protocol):
    """How a mean of rows comes about, who decides on it and how all learn of the decision."""

    samples: bool

    def factors(self, cohort: Cohort) -> Tensor | None:
        """What hosted rows are multiplied by before they are sent, shape (w, 1); None where by nothing."""
        ...

    async def decide(
        self, payload: Payload, cohort: Cohort, decide: Decide[P, T], size_bytes: int, announce: bool = True
    ) -> tuple[P, T]:
        """Average a payload's rows (a sketch's tables), and give what `decide` makes of the mean to every worker.

        Parameters
        ----------
        decide : callable
            From the mean to a message of one row, and to something that the decider remembers. Deterministic.
        size_bytes : int
            Memory that deciding passes through, besides the messages.
        announce : bool
            Whether workers are told at all.
        """
        ...


class Server:
    """Gather, decide at the server, broadcast the decision."""

    samples = True

    def factors(self, cohort: Cohort) -> Tensor | None:
        """None: the server weights rows itself."""
        return None

    async def decide(
        self, payload: Payload, cohort: Cohort, decide: Decide[P, T], size_bytes: int, announce: bool = True
    ) -> tuple[P, T]:
        """See Route."""

        def at_server(gathered: Gathered) -> tuple[P, T]:
            messages = gathered.payload
            if isinstance(messages, Sketch):
                return decide(messages.combined(gathered.weights, gathered.chunks))
            return decide(gathered.mean())

        gathered = await Gather(payload)
        answer = await AtServer(at_server, gathered, size_bytes=int(gathered.payload.bytes.sum()) + size_bytes)
        if announce:
            await Broadcast(answer[0])
        return answer


class InNetwork:
    """All-reduce; every worker decides alike, so that nothing comes down but the sum."""

    samples = False

    def factors(self, cohort: Cohort) -> Tensor | None:
        """Unequal weights scale rows before they are summed, since the network can only add."""
        factors = cohort.weights[cohort.start : cohort.start + cohort.size] * len(cohort.active)
        return None if bool((factors == 1).all()) else factors.to(cohort.device, cohort.dtype)[:, None]

    async def decide(
        self, payload: Payload, cohort: Cohort, decide: Decide[P, T], size_bytes: int, announce: bool = True
    ) -> tuple[P, T]:
        """See Route."""
        total = await AllReduce(payload)
        await Work("decode", size_bytes)
        summed = total.table[0] if isinstance(total, Sketch) else total.dense()[0]
        return decide(summed / len(cohort.active))


_ROUTES: dict[str, Callable[[], Route]] = {"server": Server, "all_reduce": InNetwork}


def route(via: str) -> Route:
    """Find the route ``server`` or ``all_reduce``."""
    if via not in _ROUTES:
        raise ValueError(f"algorithm.via: expected one of {', '.join(_ROUTES)}, got {via!r}")
    return _ROUTES[via]()
