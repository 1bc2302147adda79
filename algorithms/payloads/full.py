"""Every coordinate of every row, in any form that the values of a sparse message may take: no index travels.

Message: tag, form of the values (u8 each), d (u32): 6 bytes; then the values with their own header and scales.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from algorithms.codecs import Ragged
from algorithms.payloads.bits import Bits, join_papers, select_paper
from algorithms.payloads.forms import form_of
from algorithms.payloads.message import Message, Reader, tagged
from algorithms.payloads.payload import Payload, same_field
from algorithms.payloads.values import Values

_HEADER = struct.Struct("<BBI")


@tagged(24)
@dataclass(frozen=True, eq=False, slots=True)
class Full(Payload):
    """Values at coordinates that sender and receiver agree upon, such as those of an elected mask.

    Parameters
    ----------
    size : int
        Coordinates, 1 <= d < 2**32.
    count : int
        Rows, w.
    values : Values
        Of w * d coordinates, row after row.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If there are not as many values.
    """

    size: int
    count: int
    values: Values
    paper: Bits | None = None
    ragged: Ragged = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.size < 1 << 32:
            raise ValueError(f"Full.size: expected 1 <= d < 2**32 coordinates, got {self.size}")
        object.__setattr__(self, "ragged", Ragged.even(self.count, self.size))
        self.values.check(self.ragged)

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return self.count

    @property
    def device(self) -> torch.device:
        """Where the values live."""
        none = slice(0, 0)
        return self.values.take(none, none, self.ragged).floats(Ragged.even(0, self.size)).device

    @property
    def dtype(self) -> torch.dtype:
        """That of the values."""
        return self.values.dtype

    @property
    def wire(self) -> Bits:
        """See Payload."""
        return self.values.wire(self.ragged) + Bits.of(self.rows, header=8 * _HEADER.size)

    @property
    def entropy(self) -> Bits:
        """The values'."""
        return self.values.entropy(self.ragged)

    def encode(self, row: int) -> Message:
        """See Payload."""
        return _HEADER.pack(self.tag, self.values.number, self.size) + self.values.write(row % self.rows, self.ragged)

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload."""
        reader = Reader(message, _HEADER, cls.tag)
        _, form, size = reader.header
        values = form_of(form).read(reader, form, size, device)
        reader.finish()
        return cls(size, 1, values)

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload; a range shares memory."""
        taken, where = self.ragged.take(rows, self.device)
        return type(self)(
            self.size, taken.rows, self.values.take(rows, where, self.ragged), select_paper(self.paper, rows)
        )

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        same_field(parts, "size")
        values = type(parts[0].values).join([part.values for part in parts])
        return cls(parts[0].size, sum(p.count for p in parts), values, join_papers([p.paper for p in parts]))

    def dense(self) -> Tensor:
        """Give what every coordinate stands for, shape (w, d)."""
        return self.values.floats(self.ragged).view(self.rows, self.size)

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return type(self)(self.size, self.count, self.values.to(device), self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload."""
        if not isinstance(other, Full) or (self.size, self.count) != (other.size, other.count):
            return False
        return self.values.equals(other.values)
