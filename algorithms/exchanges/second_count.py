"""A second count of an exchange's uplink: what the authors' own code would report, beside wire and paper bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.exchanges.base import Exchange, Sent
from algorithms.state import Stateful


class SecondCount(Stateful):
    """Wrap an exchange and add up what a formula gives for each message that goes up.

    Parameters
    ----------
    inner : Exchange
    formula : callable
        (entries of each tensor) -> bits of one worker's message.

    Notes
    -----
    The sum over all workers and rounds is in the run's summary as ``repo_bits``.
    """

    state_names = ("inner", "bits")

    def __init__(self, inner: Exchange, formula: Callable[[Sequence[int]], float]) -> None:
        self.inner: Any = inner
        self.formula, self.bits = formula, 0.0
        self.conserves, self.samples = inner.conserves, inner.samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        sizes = [where.stop - where.start for where in cohort.layout.slices]
        self.bits += len(cohort.active) * self.formula(sizes)
        answer: tuple[Tensor, Sent] = await self.inner(cohort, update, t)
        return answer

    def notes(self) -> dict[str, Any]:
        """Give what belongs into the run's summary."""
        return {"repo_bits": self.bits}
