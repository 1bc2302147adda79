"""The contract of an exchange."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from algorithms.cohort import Cohort


class Sent(Protocol):
    """What each worker put into a mean, w rows of d coordinates: a payload, or several side by side."""

    @property
    def rows(self) -> int:
        """The number of workers, w."""
        ...

    def dense(self) -> Tensor:
        """Give every row as the vector that it stands for, shape (w, d)."""
        ...

    def subtract_from(self, matrix: Tensor) -> None:
        """Subtract each row from the same row of `matrix`, shape (w, d), in place."""
        ...


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

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        """Average `update`, shape (w, d), over the active workers: the mean, shape (d,), and what was sent, w rows.

        `update` may be overwritten.
        """
        ...
