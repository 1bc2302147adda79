"""Every coordinate of every row as a float: 6 bytes of header (tag, format, d), then d numbers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from algorithms.payloads.bits import Bits, join_papers, select_paper
from algorithms.payloads.floats import (
    kind_of,
    number_of,
    read_floats,
    resolve,
    rounded,
    same_bits,
    width_bits,
    write_floats,
)
from algorithms.payloads.message import Message, Reader, tagged
from algorithms.payloads.payload import Payload, same_field

_HEADER = struct.Struct("<BBI")


@tagged(1)
@dataclass(frozen=True, eq=False, slots=True)
class Dense(Payload):
    """Uncompressed vectors, which can be summed on the way.

    Parameters
    ----------
    values : Tensor, shape (w, d)
        float32 (float64 for kind fp64) numbers already rounded to `kind`. The memory is taken over, not copied: do not
        write to it afterwards.
    kind : {"auto", "fp32", "fp16", "bf16", "fp64"}
        How a number travels; "auto" follows the dtype.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If `values` is not a matrix or its dtype does not fit `kind`.

    Examples
    --------
    >>> Dense(torch.tensor([[1.0, 2.0]])).bytes
    array([14])
    """

    values: Tensor
    kind: str = "auto"
    paper: Bits | None = None
    size: int = field(init=False)

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise ValueError(f"Dense.values: expected shape (w, d), got {tuple(self.values.shape)}")
        object.__setattr__(self, "kind", resolve(self.kind, self.values, "Dense"))
        object.__setattr__(self, "size", int(self.values.shape[1]))

    @classmethod
    def rounded(cls, x: Tensor, kind: str, paper: Bits | None = None) -> Self:
        """Round a matrix to a format (nearest, ties to even; infinite beyond its range) and wrap it."""
        return cls(rounded(x, kind), kind, paper)

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return int(self.values.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.values.device

    @property
    def dtype(self) -> torch.dtype:
        """float64 for kind fp64, else float32."""
        return self.values.dtype

    @property
    def wire(self) -> Bits:
        """See Payload."""
        return Bits.of(self.rows, values=width_bits(self.kind) * self.size, header=8 * _HEADER.size)

    @property
    def entropy(self) -> Bits:
        """The numbers at full width."""
        return Bits.of(self.rows, values=float(width_bits(self.kind) * self.size))

    def encode(self, row: int) -> Message:
        """See Payload; raises ValueError if a number is not one of the format's."""
        return _HEADER.pack(self.tag, number_of(self.kind), self.size) + write_floats(self.values[row], self.kind)

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload."""
        reader = Reader(message, _HEADER, cls.tag)
        _, number, size = reader.header
        kind = kind_of(number)
        values = read_floats(reader.take(size * width_bits(kind) // 8), kind, device)
        reader.finish()
        return cls(values[None], kind)

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload; a range shares memory."""
        values = self.values[rows] if isinstance(rows, slice) else self.values[rows.to(self.device)]
        return type(self)(values, self.kind, select_paper(self.paper, rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload; rows that lie one after the other in memory stay there."""
        same_field(parts, "kind")
        same_field(parts, "size")
        values = stacked([part.values for part in parts])
        return cls(values, parts[0].kind, join_papers([part.paper for part in parts]))

    def dense(self) -> Tensor:
        """The values themselves, not a copy."""
        return self.values

    def apart(self, matrix: Tensor) -> Dense:
        """Give the same message, in memory of its own if it lies in that of a matrix which is going to be changed."""
        if self.values.untyped_storage().data_ptr() != matrix.untyped_storage().data_ptr():
            return self
        return Dense(self.values.clone(), self.kind, self.paper)

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return type(self)(self.values.to(device), self.kind, self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload."""
        return isinstance(other, Dense) and self.kind == other.kind and same_bits(self.values, other.values)

    def __add__(self, other: Dense) -> Dense:
        """Merge row by row, as a switch or a ring would: each sum is rounded to the format."""
        if (self.rows, self.size, self.kind) != (other.rows, other.size, other.kind):
            mine, theirs = (self.rows, self.size, self.kind), (other.rows, other.size, other.kind)
            raise ValueError(f"Dense: expected a summand with (rows, size, kind) {mine}, got {theirs}")
        return Dense.rounded(self.values + other.values, self.kind)

    def merged_bytes(self, count: int) -> int:
        """Give the bytes of a message in which `count` rows were merged: the same for any count."""
        return _HEADER.size + self.size * width_bits(self.kind) // 8

    def partials(self, chunks: Sequence[slice]) -> Tensor:
        """Sum the rows of each chunk, shape (chunks, d), in the dtype of `values`."""
        if not chunks:
            return self.values[:0]
        return torch.stack([self.values[chunk].sum(0) for chunk in chunks])

    def merge(self, partials: Tensor) -> Dense:
        """Add chunks' partial sums from left to right and round the result to the format, once."""
        total = partials[0].clone()
        for partial in partials[1:]:
            total += partial
        return Dense.rounded(total[None], self.kind)

    def fold(self, chunks: Sequence[slice]) -> Dense:
        """Sum all rows into one: chunk by chunk, then over the chunks from left to right."""
        return self.merge(self.partials(chunks))


def stacked(parts: Sequence[Tensor]) -> Tensor:
    """Put matrices of equal width below one another: the same memory where they are consecutive rows of one matrix."""
    first, at = parts[0], parts[0].storage_offset()
    for part in parts:
        alike = part.untyped_storage().data_ptr() == first.untyped_storage().data_ptr() and part.dtype == first.dtype
        if not (alike and part.is_contiguous() and part.storage_offset() == at):
            return torch.cat(list(parts))
        at += part.numel()
    return first.as_strided((sum(map(len, parts)), first.shape[1]), (first.shape[1], 1))
