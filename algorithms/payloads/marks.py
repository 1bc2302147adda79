"""Sparse values that say nothing: a coordinate is marked (1) or not (0), as in a vote or a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch

from algorithms.codecs import Ragged
from algorithms.payloads.bits import Bits
from algorithms.payloads.message import Message, Reader
from algorithms.payloads.values import Values


@dataclass(frozen=True, eq=False, slots=True)
class Marks(Values):
    """Ones: no bits a kept coordinate, so that a sparse message is its indices alone.

    Parameters
    ----------
    count : int
        Marked coordinates in all rows, m.
    device : torch.device or str
        Where `floats` are made.
    """

    count: int
    device: torch.device | str = "cpu"

    @property
    def number(self) -> int:
        """26."""
        return 26

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def check(self, rows: Ragged) -> None:
        """See Values."""
        if self.count != rows.entries:
            raise ValueError(f"Marks.count: expected {rows.entries}, one for each index, got {self.count}")

    def floats(self, rows: Ragged) -> torch.Tensor:
        """Give ones."""
        return torch.ones(rows.entries, device=self.device)

    def wire(self, rows: Ragged) -> Bits:
        """See Values."""
        return Bits.of(rows.rows)

    def entropy(self, rows: Ragged) -> Bits:
        """Nothing besides the indices."""
        return Bits.of(rows.rows, values=0.0)

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        return b""

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        return cls(count, device)

    def take(self, chosen: slice | torch.Tensor, where: slice | torch.Tensor, rows: Ragged) -> Self:
        """See Values."""
        return type(self)(rows.take(chosen, torch.device("cpu"))[0].entries, self.device)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        return cls(sum(part.count for part in parts), parts[0].device)

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.count, device)

    def equals(self, other: Values) -> bool:
        """See Values."""
        return isinstance(other, Marks) and self.count == other.count
