"""Momentum correction: momentum is gathered before compression, and forgotten where it has been sent.

w rows here, d coordinates.

References
----------
Lin, Han, Mao, Wang, Dally, "Deep Gradient Compression", ICLR 2018, Section 3.2 (correction) and 3.3 (factor masking).
Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Algorithm 3.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.exchanges.base import Exchange, Sent
from algorithms.exchanges.exempt import Exempt
from algorithms.ops import Work
from algorithms.payloads import Sparse
from algorithms.payloads.support import flat_positions
from algorithms.state import Rows, Stateful


class MomentumCorrection(Stateful):
    """Wrap an exchange of sparse rows with one momentum per worker: u <- momentum u + g; exchange u; u <- 0 where sent.

    Parameters
    ----------
    inner : Exchange
        Usually `ErrorFeedback`, whose residual is then the sum of momenta not yet sent.
    momentum : float
        In [0, 1).
    masking : bool
        Whether u is cleared where something was sent (momentum factor masking). With all coordinates sent that leaves
        no momentum at all.
    exempt : Exempt
        Whose momentum is never cleared.

    Raises
    ------
    TypeError
        When it runs, if the exchange does not say which coordinates each worker sent.
    """

    state_names = ("velocity", "inner")

    def __init__(self, inner: Exchange, momentum: float, masking: bool, exempt: Exempt) -> None:
        if isinstance(momentum, bool) or not (isinstance(momentum, (int, float)) and 0 <= momentum < 1):
            raise ValueError(f"algorithm.momentum: expected a number in [0, 1), got {momentum!r}")
        self.masking = boolean("algorithm.momentum_masking", masking)
        self.inner: Any = inner
        self.momentum, self.exempt, self.velocity = momentum, exempt, Rows("velocity")
        self.conserves, self.samples = inner.conserves, inner.samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        await Work("momentum", 3 * update.shape[1] * update.element_size())
        velocity = self.velocity.add(cohort, update, decay=self.momentum)
        self.velocity.close(cohort, velocity)
        mean, sent = await self.inner(cohort, velocity, t)
        if self.masking:
            self._mask(cohort, sent)
        return mean, sent

    def _mask(self, cohort: Cohort, sent: Sent) -> None:
        """Clear by index, not by value: a coordinate whose mean is 0 has been sent too."""
        if not isinstance(sent, Sparse):
            raise TypeError(f"momentum_masking: expected an exchange of sparse rows, got {type(sent).__name__}")
        places = flat_positions(sent.ragged, sent.indices, sent.size)
        split = self.exempt.split(cohort.layout, places.device)
        if split.count:
            places = places[~split.exact[sent.indices]]
        velocity = self.velocity.open(cohort, sent.size)
        velocity.view(-1)[places.to(velocity.device)] = 0.0
        self.velocity.close(cohort, velocity)
