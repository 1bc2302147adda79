"""What a sparse message says about its kept coordinates. Values are flat; the sparse payload knows the rows' bounds.

A message carries them as: own header (if any), scales (if any), values, padded to a whole byte.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from algorithms.codecs import Ragged
from algorithms.payloads.bits import Bits
from algorithms.payloads.floats import kind_of, number_of, read_floats, resolve, same_bits, width_bits, write_floats
from algorithms.payloads.message import Message, Reader


class Values(ABC):
    """Values of the m kept coordinates of w rows, whose bounds every method is told."""

    __slots__ = ()

    @property
    @abstractmethod
    def number(self) -> int:
        """What names this form of value in a message header."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """The dtype of `floats`."""

    @abstractmethod
    def check(self, rows: Ragged) -> None:
        """Raise ValueError unless there is what these rows need."""

    @abstractmethod
    def floats(self, rows: Ragged) -> Tensor:
        """Give the number that each kept coordinate stands for, shape (m,)."""

    @abstractmethod
    def wire(self, rows: Ragged) -> Bits:
        """Count what `write` writes."""

    @abstractmethod
    def entropy(self, rows: Ragged) -> Bits:
        """Bound it from below."""

    @abstractmethod
    def write(self, row: int, rows: Ragged) -> Message:
        """Write one row."""

    @classmethod
    @abstractmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """Read one row of `count` values."""

    @abstractmethod
    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """Take the rows `chosen` of `rows`, whose entries lie at `where`."""

    @classmethod
    @abstractmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Concatenate rows."""

    @abstractmethod
    def to(self, device: torch.device | str) -> Self:
        """Move the tensors."""

    @abstractmethod
    def equals(self, other: Values) -> bool:
        """Compare bit for bit."""


@dataclass(frozen=True, eq=False, slots=True)
class FloatValues(Values):
    """One float a kept coordinate.

    Parameters
    ----------
    flat : Tensor, shape (m,)
        float32 (float64 for kind fp64), already rounded to `kind`.
    kind : {"auto", "fp32", "fp16", "bf16", "fp64"}
    """

    flat: Tensor
    kind: str = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", resolve(self.kind, self.flat, "Sparse"))

    @property
    def number(self) -> int:
        """0..3, by format."""
        return number_of(self.kind)

    @property
    def dtype(self) -> torch.dtype:
        """float64 for kind fp64, else float32."""
        return self.flat.dtype

    def check(self, rows: Ragged) -> None:
        """See Values."""
        if self.flat.shape != (rows.entries,):
            raise ValueError(f"Sparse.values: expected shape ({rows.entries},), got {tuple(self.flat.shape)}")

    def floats(self, rows: Ragged) -> Tensor:
        """The floats themselves, not a copy."""
        return self.flat

    def wire(self, rows: Ragged) -> Bits:
        """See Values."""
        return Bits.of(rows.rows, values=width_bits(self.kind) * rows.counts)

    def entropy(self, rows: Ragged) -> Bits:
        """Every number at full width."""
        return Bits.of(rows.rows, values=float(width_bits(self.kind)) * rows.counts)

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        return write_floats(self.flat[rows.indptr[row] : rows.indptr[row + 1]], self.kind)

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        kind = kind_of(number)
        return cls(read_floats(reader.take(count * width_bits(kind) // 8), kind, device), kind)

    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """See Values."""
        return type(self)(self.flat[where], self.kind)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        kinds = {part.kind for part in parts}
        if len(kinds) != 1:
            raise ValueError(f"join: expected values of one kind, got {sorted(kinds)}")
        return cls(torch.cat([part.flat for part in parts]), parts[0].kind)

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.flat.to(device), self.kind)

    def equals(self, other: Values) -> bool:
        """See Values."""
        return isinstance(other, FloatValues) and self.kind == other.kind and same_bits(self.flat, other.flat)
