"""Bits of each message, split by what they pay for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Counts = NDArray[Any]
PARTS = ("values", "indices", "scales", "header")


@dataclass(frozen=True, eq=False, slots=True)
class Bits:
    """Bits of w messages: int64 where they are counted, float64 where they are a formula or a bound.

    Parameters
    ----------
    values, indices, scales, header : ndarray of int64 or float64, shape (w,)
        What each part takes. Padding to whole bytes counts as header. After `sum` the arrays have shape ().

    Examples
    --------
    >>> Bits.of(2, values=np.array([32, 64]), header=48).total.tolist()
    [80, 112]
    """

    values: Counts
    indices: Counts
    scales: Counts
    header: Counts

    def __post_init__(self) -> None:
        shapes = {part: np.shape(getattr(self, part)) for part in PARTS}
        if len(set(shapes.values())) != 1:
            raise ValueError(f"Bits: expected parts of one shape (w,), got {shapes}")

    @classmethod
    def of(
        cls,
        rows: int,
        *,
        values: Counts | float = 0,
        indices: Counts | float = 0,
        scales: Counts | float = 0,
        header: Counts | float = 0,
    ) -> Bits:
        """Build from arrays of shape (w,) or numbers that hold for every row; parts not named are 0."""
        given = (np.asarray(part) for part in (values, indices, scales, header))
        kept = (part.astype(np.int64 if part.dtype.kind in "iub" else np.float64, copy=False) for part in given)
        return cls(*(np.broadcast_to(part, (rows,)) for part in kept))

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return int(np.size(self.values))

    @property
    def total(self) -> Counts:
        """All parts together, shape (w,)."""
        return np.asarray(self.values + self.indices + self.scales + self.header)

    def __add__(self, other: Bits) -> Bits:
        return Bits(*(np.asarray(getattr(self, part) + getattr(other, part)) for part in PARTS))

    def sum(self) -> Bits:
        """Add up all messages: parts of shape ()."""
        return Bits(*(np.asarray(getattr(self, part).sum()) for part in PARTS))

    def select(self, rows: slice | Tensor) -> Bits:
        """Take some messages, by a range or by an int64 tensor of row numbers."""
        chosen = rows if isinstance(rows, slice) else rows.cpu().numpy()
        return Bits(*(getattr(self, part)[chosen] for part in PARTS))

    @classmethod
    def join(cls, parts: Sequence[Bits]) -> Bits:
        """Concatenate the messages of several."""
        return cls(*(np.concatenate([getattr(bits, part) for bits in parts]) for part in PARTS))


def select_paper(paper: Bits | None, rows: slice | Tensor) -> Bits | None:
    """Take some messages' paper bits, where there are any."""
    return None if paper is None else paper.select(rows)


def join_papers(papers: Sequence[Bits | None]) -> Bits | None:
    """Concatenate paper bits; raises ValueError where only some payloads have them, since half a count is no count."""
    known = [paper for paper in papers if paper is not None]
    if known and len(known) != len(papers):
        raise ValueError(f"join: expected paper bits on all payloads or on none, got {len(known)} of {len(papers)}")
    return Bits.join(known) if known else None
