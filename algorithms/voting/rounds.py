"""What the voting methods do around their exchange: dense rounds first, and the units in which residuals are kept.

w rows here, d coordinates, L local steps.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.checks import whole
from algorithms.cohort import Cohort
from algorithms.compressors import Identity
from algorithms.descent import Descent
from algorithms.exchanges import ErrorFeedback, Exchange, Sent, ServerMean
from algorithms.local import LocalSteps
from algorithms.outer import OuterDescent
from algorithms.state import Stateful
from algorithms.synchronous import Synchronous
from algorithms.voting.counts import Seats

_UNITS = ("gradient", "step")


class DenseFirst(Stateful):
    """Average uncompressed in the first rounds, then as `inner` does.

    Parameters
    ----------
    inner : Exchange
    rounds : int
        Dense rounds, at least 0.
    """

    state_names = ("inner",)
    samples = False

    def __init__(self, inner: Exchange, rounds: int) -> None:
        self.inner: Any = inner
        self.rounds = whole("algorithm.dense_rounds", rounds, least=0)
        self.dense = ServerMean(Identity())
        self.conserves = inner.conserves

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        if t < self.rounds:
            return await self.dense(cohort, update.clone(), t)  # a residual is changed in place after it was sent
        answer: tuple[Tensor, Sent] = await self.inner(cohort, update, t)
        return answer


class ScaledSteps(Stateful):
    """Local steps whose update is divided by the round's learning rate, so that a residual scales when the rate drops.

    Parameters
    ----------
    steps : LocalSteps
        L steps a round; one step in each of the dense rounds.
    dense_rounds : int
    units : {"gradient", "step"}
        ``step``: what remained of steps with an old rate is sent as it is.
    seats : Seats
        Checked against the model before anything is computed.
    """

    state_names = ("steps",)

    def __init__(self, steps: LocalSteps, dense_rounds: int, units: str, seats: Seats) -> None:
        if units not in _UNITS:
            raise ValueError(f"algorithm.residual_units: expected one of {', '.join(_UNITS)}, got {units!r}")
        self.steps, self.dense_rounds, self.units, self.seats = steps, dense_rounds, units, seats
        self.count = steps.steps

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        self.seats.of(len(model))
        self.steps.steps = 1 if t < self.dense_rounds else self.count
        update = await self.steps(cohort, model, t, rounds)
        rate = self.steps.descent.rate(t, rounds)
        return update.div_(rate) if self.units == "gradient" and rate else update


def with_residual(
    name: str,
    inner: Exchange,
    seats: Seats,
    *,
    local_steps: int,
    dense_rounds: int,
    residual_units: str,
    **descent: Any,
) -> Synchronous:
    """Compose local steps, error feedback around `inner`, and the step of the common model by the mean.

    In gradient units the residual of a worker is that of its steps divided by the learning rate, and the mean is
    multiplied by the rate of the round in which it is applied: a residual of old steps so counts eta_new / eta_old, as
    in the authors' code, which multiplies it by 0.1 where the rate is.
    """
    steps = LocalSteps(Descent(**descent), whole("algorithm.local_steps", local_steps))
    local = ScaledSteps(steps, dense_rounds, residual_units, seats)
    scaled = residual_units == "gradient"
    outer = Descent(lr=steps.descent.lr, schedule=steps.descent.schedule) if scaled else Descent(lr=1.0)
    exchange = ErrorFeedback(DenseFirst(inner, dense_rounds))
    return Synchronous(name=name, local=local, exchange=exchange, outer=OuterDescent(outer))
