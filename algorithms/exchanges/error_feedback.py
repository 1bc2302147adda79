"""Error feedback: what an exchange left out joins the next update (Seide et al. 2014; Karimireddy et al. 2019)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.exchanges.base import Exchange, Sent
from algorithms.ops import Work
from algorithms.payloads import Dense
from algorithms.state import Rows, Stateful


class ErrorFeedback(Stateful):
    """Wrap an exchange with one residual per worker: corrected = residual + update; residual = corrected - sent.

    Parameters
    ----------
    inner : Exchange
        The lossy exchange.

    Notes
    -----
    The residual is the one (n, d) state; it is corrected in place, or in the update's memory where it is kept in a
    narrower type or elsewhere (see `Rows`): then residual + sent is the corrected update but for its rounding, less
    than 2**-7 of each number. It is in the update's units: a gradient's when the learning rate is applied afterwards, a
    step's when the update contains it.

    References
    ----------
    Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback Fixes SignSGD", ICML 2019, Algorithm 2.
    """

    state_names = ("residual", "inner")

    def __init__(self, inner: Exchange) -> None:
        self.inner: Any = inner
        self.residual = Rows("residual")
        self.conserves, self.samples = inner.conserves, inner.samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        await Work("residual", 3 * update.shape[1] * update.element_size())
        corrected = self.residual.add(cohort, update)
        mean, sent = await self.inner(cohort, corrected, t)
        sent = sent.apart(corrected) if isinstance(sent, Dense) else sent
        sent.subtract_from(corrected)
        self.residual.close(cohort, corrected)
        return mean, sent
