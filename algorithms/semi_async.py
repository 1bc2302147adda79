"""Semi-asynchronous SGD: the server collects pushes and applies the mean of the first k, or of a time window's.

Legend: n workers, k pushes in a step, T = rounds = steps of the server.

References
----------
Dutta, Joshi, Ghosh, Dube, Nagpurkar, "Slow and Stale Gradients Can Win the Race", AISTATS 2018: K-async SGD (`hold`)
and K-batch-async SGD.
Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", AISTATS 2022, Algorithm 1 (FedBuff: without
`hold`, with one local step).
"""

from __future__ import annotations

import math
from typing import Any

from algorithms.checks import boolean, whole
from algorithms.cohort import Cohort
from algorithms.ops import Joined, Left, Mark, ReceiveAny
from algorithms.parameter_server import ParameterServer, fold
from algorithms.payloads import Payload


class SemiAsynchronous(ParameterServer):
    """One program for each worker and one for the server.

    Parameters
    ----------
    k : int or None
        Pushes that are applied together; None: half of the workers, or, with a window, as many as come in it.
    window_s : float or None
        Seconds after which what has come is applied though it be fewer than k, counted from the start of the run; None:
        never.
    hold : bool
        Whether a worker whose push was taken waits for the step that applies it (K-async) or is answered at once with
        the newest model (K-batch-async, FedBuff). When all that are there wait, the step is made without the rest of
        the k.
    staleness_aware : bool
        Divide each push by 1 + its staleness.
    **options
        As for `ParameterServer`.
    """

    def __init__(
        self,
        *,
        k: int | None = None,
        window_s: float | None = None,
        hold: bool = True,
        staleness_aware: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if window_s is not None and (
            isinstance(window_s, bool) or not isinstance(window_s, (int, float)) or not 0 < window_s < math.inf
        ):
            raise ValueError(f"algorithm.window_s: expected a positive number of seconds, or null, got {window_s!r}")
        self.k = None if k is None else whole("algorithm.k", k)
        self.window_s = math.inf if window_s is None else window_s
        self.hold = boolean("algorithm.hold", hold)
        self.staleness_aware = boolean("algorithm.staleness_aware", staleness_aware)

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Collect, apply, answer."""
        enough = self.k or (max(1, cohort.n // 2) if self.window_s == math.inf else math.inf)
        present, waiting = set(range(cohort.n)), set[int]()
        buffer: list[tuple[int, Payload, int]] = []  # with the version that was read
        window = 1
        while self.version < rounds:
            heard = await ReceiveAny(until_s=window * self.window_s)
            match heard:
                case None:
                    window += 1
                case Joined(worker):
                    present.add(worker)
                    await self.answer([worker])
                case Left(worker):
                    present.discard(worker)
                    waiting.discard(worker)
                case (source, message):
                    buffer.append((source, message, self.read[source]))
                    waiting.add(source)
            idle = self.hold and enough < math.inf and len(waiting) == len(present)
            step = bool(buffer) and (heard is None or len(buffer) >= enough or idle)
            if step:
                await self._step(cohort, buffer, rounds)
                buffer.clear()
            if step or not self.hold:
                await self.answer(sorted(waiting))
                waiting.clear()

    async def _step(self, cohort: Cohort, buffer: list[tuple[int, Payload, int]], rounds: int) -> None:
        """Apply the mean of the pushes in the buffer."""
        late = [self.late(read) for _, _, read in buffer]
        factors = [1 / (1 + versions) for versions in late] if self.staleness_aware else None
        mean = fold(cohort, [(source, message) for source, message, _ in buffer], factors)
        await self.apply(mean, len(buffer), self.version, rounds)
        await Mark(self.version, self.model)


def semi_async(*, name: str = "semi_async", **options: Any) -> SemiAsynchronous:
    """Build semi-asynchronous SGD; `options` go to `SemiAsynchronous`, `ParameterServer` and `Descent`."""
    return SemiAsynchronous(name=name, **options)
