"""Payloads about consecutive ranges of the coordinates, side by side: one message a row, with one frame around all.

Message: tag (u8), parts (u16), the length of each part's message (u32 each); then these messages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Self

import numpy as np
import torch
from torch import Tensor

from algorithms.payloads.bits import Bits
from algorithms.payloads.message import Message, Reader, decode, tagged
from algorithms.payloads.payload import ALL, Payload

_HEADER = struct.Struct("<BH")
_LENGTH = struct.Struct("<I")


@tagged(16)
@dataclass(frozen=True, eq=False, slots=True)
class Concat(Payload):
    """What each tensor of a model sends, in the order of the tensors.

    Parameters
    ----------
    parts : tuple of Payload
        1 to 65535 payloads of w rows each; part p speaks about the coordinates after those of part p - 1.

    Raises
    ------
    ValueError
        If there are no parts or too many, or they differ in their rows.

    Notes
    -----
    `paper` is the sum of the parts', where all have one.
    """

    parts: tuple[Payload, ...]
    size: int = field(init=False)
    paper: Bits | None = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.parts) < 1 << 16:
            raise ValueError(f"Concat.parts: expected 1 to 65535 payloads, got {len(self.parts)}")
        if len(found := {part.rows for part in self.parts}) != 1:
            raise ValueError(f"Concat.parts: expected payloads of as many rows, got {sorted(found)}")
        papers = [part.paper for part in self.parts if part.paper is not None]
        complete = len(papers) == len(self.parts)
        object.__setattr__(self, "size", sum(part.size for part in self.parts))
        object.__setattr__(self, "paper", reduce(Bits.__add__, papers) if complete else None)

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return self.parts[0].rows

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.parts[0].device

    @property
    def dtype(self) -> torch.dtype:
        """The widest of the parts'."""
        return reduce(torch.promote_types, [part.dtype for part in self.parts])

    @property
    def wire(self) -> Bits:
        """See Payload; the frame counts as header."""
        frame = 8 * (_HEADER.size + _LENGTH.size * len(self.parts))
        return reduce(Bits.__add__, [part.wire for part in self.parts]) + Bits.of(self.rows, header=frame)

    @property
    def entropy(self) -> Bits:
        """The sum of the parts' bounds."""
        return reduce(Bits.__add__, [part.entropy for part in self.parts])

    def encode(self, row: int) -> Message:
        """See Payload."""
        messages = [part.encode(row) for part in self.parts]
        lengths = b"".join(_LENGTH.pack(len(message)) for message in messages)
        return _HEADER.pack(self.tag, len(messages)) + lengths + b"".join(messages)

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload."""
        reader = Reader(message, _HEADER, cls.tag)
        lengths = [reader.fields(_LENGTH)[0] for _ in range(reader.header[1])]
        parts = tuple(decode(reader.take(length), device=device) for length in lengths)
        reader.finish()
        return cls(parts)

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload."""
        return type(self)(tuple(part.select(rows) for part in self.parts))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        if len(found := {tuple(part.size for part in payload.parts) for payload in parts}) != 1:
            raise ValueError(f"join: expected payloads whose parts agree in their sizes, got {sorted(found)}")
        columns = zip(*(payload.parts for payload in parts), strict=True)
        return cls(tuple(type(column[0]).join(column) for column in columns))

    def dense(self) -> Tensor:
        """Give the parts' rows side by side, shape (w, d)."""
        return torch.cat([part.dense().to(self.dtype) for part in self.parts], dim=1)

    def add_to(self, total: Tensor, rows: slice = ALL, weights: Tensor | None = None) -> None:
        """See Payload: part by part."""
        for part, where in self.placed():
            part.add_to(total[where], rows, weights)

    def subtract_from(self, matrix: Tensor) -> None:
        """See Payload: part by part."""
        if matrix.shape != (self.rows, self.size):
            raise ValueError(f"matrix: expected shape {(self.rows, self.size)}, got {tuple(matrix.shape)}")
        for part, where in self.placed():
            part.subtract_from(matrix[:, where])

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return type(self)(tuple(part.to(device) for part in self.parts))

    def equals(self, other: Payload) -> bool:
        """See Payload."""
        if not isinstance(other, Concat) or len(self.parts) != len(other.parts):
            return False
        return all(mine.equals(theirs) for mine, theirs in zip(self.parts, other.parts, strict=True))

    def placed(self) -> Iterator[tuple[Payload, slice]]:
        """Give each part and the range of coordinates that it speaks about."""
        ends = np.cumsum([part.size for part in self.parts]).tolist()
        return ((part, slice(end - part.size, end)) for part, end in zip(self.parts, ends, strict=True))
