"""The contract of an exchange."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.payloads import Payload


class Exchange(Protocol):
    """A protocol by which workers average their updates.

    Attributes
    ----------
    conserves : str
        ``workers``: the weighted sum of what was sent is the mean. ``none``: no such law (a vote).
    samples : bool
        Whether a part of the workers may take part in a round.
    """

    conserves: str
    samples: bool

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        """Average `update`, shape (w, d), over the active workers: the mean, shape (d,), and what was sent, w rows."""
        ...
