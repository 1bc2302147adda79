"""Qsparse-local-SGD, synchronous: local steps, then quantised and sparsified progress with error compensation.

A worker descends alone until the next step of the sync set; then it sends C(m + x - x_r), keeps the rest as its memory
m, and continues from the common model x, which moved by the mean. The progress contains the learning rate, so memory
is in parameter space and no change of the rate rescales it.

References
----------
Basu, Data, Karakus, Diggavi, "Qsparse-local-SGD: Distributed SGD with Quantization, Sparsification, and Local
Computations", NeurIPS 2019, Algorithm 1.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from algorithms.averaging import QuadraticAverage
from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, PerTensor, SparseLevels
from algorithms.descent import Descent
from algorithms.exchanges.compressed import compressed_mean
from algorithms.layout import Layout
from algorithms.local import LocalSteps
from algorithms.outer import OuterDescent
from algorithms.schedules import Schedule, Step
from algorithms.state import Rows, Stateful
from algorithms.sync_sets import FixedGap, ListedSteps, SyncSet
from algorithms.synchronous import Synchronous


@runtime_checkable
class Requiring(Protocol):
    """A compressor that can say beforehand whether it fits rows of d coordinates."""

    def require(self, d: int) -> int:
        """Raise ValueError if it does not."""
        ...


class Operator:
    """The paper's C: a compressor of the whole vector, or one for each tensor of the model.

    Parameters
    ----------
    compressor : Compressor or None
        `SparseLevels`, `SparseSigns`, `SparseFloats`, `ScaledSign` (EF-Sign) or another; None: `SparseLevels` with one
        coordinate of a hundred.
    per_tensor : bool
        Whether each tensor has a selection and a scale of its own.
    """

    def __init__(self, compressor: Compressor | None, per_tensor: bool) -> None:
        if compressor is not None and not callable(compressor):
            raise ValueError(f"algorithm.compressor: expected a compressor's _target_, got {compressor!r}")
        self.inner: Compressor = compressor or SparseLevels(density=0.01)
        self.per_tensor = boolean("algorithm.per_tensor", per_tensor)
        self.compressor: Compressor = PerTensor(self.inner) if per_tensor else self.inner

    def check(self, layout: Layout) -> None:
        """Refuse, before anything is computed, an operator that does not fit the model's tensors."""
        sizes = [some.stop - some.start for some in layout.slices] if self.per_tensor else [layout.size]
        if isinstance(self.inner, Requiring):
            for size in sizes:
                self.inner.require(size)


class StepsToSync(Stateful):
    """Local steps up to the next member of the sync set, which all workers share."""

    state_names = ("steps",)

    def __init__(self, descent: Descent, sync_set: SyncSet, keep_momentum: bool) -> None:
        self.steps, self.sync_set = LocalSteps(descent, 1, keep_momentum=keep_momentum), sync_set

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        gap = self.sync_set.gap(cohort, 0, t)
        assert gap is not None, "the sync set was checked for `rounds` exchanges"
        self.steps.steps = gap
        return await self.steps(cohort, model, t, rounds)


def boundary(schedule: Schedule, t: int, rounds: int) -> bool:
    """Tell whether the rate drops at a milestone between rounds t and t + 1."""
    return isinstance(schedule, Step) and any(t < share * rounds <= t + 1 for share in schedule.milestones)


def check_wiping(wipe_memory: bool, error_feedback: bool, schedule: Schedule) -> bool:
    """Give `wipe_memory`, or refuse it where there is no memory to wipe or no moment to wipe it at."""
    if not boolean("algorithm.wipe_memory", wipe_memory):
        return False
    if not error_feedback:
        raise ValueError("algorithm.wipe_memory: expected algorithm.error_feedback=true with it, got false")
    if not isinstance(schedule, Step):
        raise ValueError(
            "algorithm.wipe_memory: expected schedule=step with it, whose milestones are the boundaries at which "
            f"memory is wiped, got {type(schedule).__name__}"
        )
    return True


class Wiping(Stateful):
    """Move the model by the mean and, in the last exchange before a milestone, forget what was left out of it."""

    state_names = ("outer",)

    def __init__(self, outer: OuterDescent, memory: Rows, schedule: Schedule) -> None:
        self.outer, self.memory, self.schedule = outer, memory, schedule

    def __call__(self, model: Tensor, mean: Tensor, t: int, rounds: int) -> None:
        self.outer(model, mean, t, rounds)
        if boundary(self.schedule, t, rounds) and self.memory.values is not None:
            self.memory.values.zero_()


class Qsparse(Synchronous):
    """Algorithm 1.

    Parameters
    ----------
    operator : Operator
    sync_set : SyncSet
    average : QuadraticAverage or None
        What rounds are judged by: the average of the common models, or None for the model itself.
    **slots
        As for `Synchronous`.
    """

    state_names = (*Synchronous.state_names, "average")

    def __init__(
        self, *, operator: Operator, sync_set: SyncSet, average: QuadraticAverage | None, **slots: Any
    ) -> None:
        super().__init__(**slots)
        self.operator, self.sync_set, self.average = operator, sync_set, average

    def begin(self, model: Tensor) -> None:
        """Start from `model`, shape (d,), which is copied."""
        super().begin(model)
        if self.average is not None:
            self.average.begin(model)

    async def run(self, cohort: Cohort, rounds: int) -> None:
        """Check the operator and the sync set against the model and the rounds, then drive the cohort."""
        self.operator.check(cohort.layout)
        if (exchanges := self.sync_set.exchanges(0)) < rounds:
            raise ValueError(
                f"algorithm.sync_set.steps: expected at least rounds = {rounds} exchanges, got {exchanges:.0f}"
            )
        await super().run(cohort, rounds)

    def output(self) -> Tensor:
        """Give the average, after taking in the new model, or the model."""
        if self.average is None:
            return self.model
        self.average.include(self.model, self.local.steps.done)
        return self.average.value


def qsparse(
    *,
    name: str = "qsparse",
    compressor: Compressor | None = None,
    per_tensor: bool = True,
    sync_set: SyncSet | None = None,
    error_feedback: bool = True,
    wipe_memory: bool = False,
    keep_momentum: bool = True,
    average_shift: float | None = None,
    via: str = "server",
    **descent: Any,
) -> Qsparse:
    """Build synchronous Qsparse-local-SGD; a round ends with an exchange."""
    rule, chosen, operator = Descent(**descent), sync_set or FixedGap(), Operator(compressor, per_tensor)
    if not isinstance(chosen, SyncSet) or (isinstance(chosen, ListedSteps) and chosen.each):
        raise ValueError(
            "algorithm.sync_set: expected one set that all workers share and that does not look at time (Algorithm 1; "
            f"qsparse_async has a set for each), got {chosen!r}"
        )
    exchange: Any = compressed_mean(operator.compressor, via, error_feedback)
    outer: Any = OuterDescent(Descent(lr=1.0))
    if check_wiping(wipe_memory, error_feedback, rule.schedule):
        outer = Wiping(outer, exchange.residual, rule.schedule)
    return Qsparse(
        name=name,
        local=StepsToSync(rule, chosen, keep_momentum),
        exchange=exchange,
        outer=outer,
        operator=operator,
        sync_set=chosen,
        average=None if average_shift is None else QuadraticAverage(average_shift),
    )
