"""Rows that each hold any number of messages, whose vectors add up: what a worker that was away is sent.

Message: tag (u8), messages (u16), d (u32), the length of each message (u32 each); then these messages.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self, TypeAlias

import numpy as np
import torch
from torch import Tensor

from algorithms.payloads.bits import Bits, join_papers, select_paper
from algorithms.payloads.message import Message, Reader, decode, tagged
from algorithms.payloads.payload import Payload, same_field

_HEADER = struct.Struct("<BHI")
_LENGTH = struct.Struct("<I")
Messages: TypeAlias = tuple[Payload, ...]


@tagged(17)
@dataclass(frozen=True, eq=False, slots=True)
class Bundle(Payload):
    """Messages to be added up by the receiver, a different number of them in each row.

    Parameters
    ----------
    size : int
        Coordinates, d.
    messages : tuple of tuple of Payload
        The messages of each of the w rows, at most 65535 of one row of d coordinates each; none stand for zero.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If a message has not one row of d coordinates, or a row has too many.
    """

    size: int
    messages: tuple[Messages, ...]
    paper: Bits | None = None

    def __post_init__(self) -> None:
        for row in {id(row): row for row in self.messages}.values():
            if len(row) > 0xFFFF:
                raise ValueError(f"Bundle.messages: expected at most 65535 in a row, got {len(row)}")
            for message in row:
                if (message.rows, message.size) != (1, self.size):
                    came = f"{message.rows} of {message.size}"
                    raise ValueError(f"Bundle.messages: expected 1 row of {self.size} coordinates each, got {came}")

    @property
    def rows(self) -> int:
        """The number of rows, w."""
        return len(self.messages)

    @property
    def device(self) -> torch.device:
        """Where the tensors live; the host, without any."""
        return next((message.device for row in self.messages for message in row), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """The widest of the messages', at least float32."""
        return reduce(torch.promote_types, {m.dtype for row in self.messages for m in row}, torch.float32)

    @property
    def wire(self) -> Bits:
        """See Payload; the frame counts as header."""
        frames = [8 * (_HEADER.size + _LENGTH.size * len(row)) for row in self.messages]
        own = Bits.of(self.rows, header=np.array(frames, np.int64))
        return self._total(lambda message: message.wire, np.int64) + own

    @property
    def entropy(self) -> Bits:
        """The sum of the messages' bounds."""
        return self._total(lambda message: message.entropy, np.float64)

    def _total(self, count: Callable[[Payload], Bits], dtype: type[np.generic]) -> Bits:
        """Add up a count over each row's messages; rows that are the same object are counted once."""
        nothing = Bits(*(np.zeros(1, dtype) for _ in range(4)))
        distinct = {id(row): row for row in self.messages}
        known = {key: reduce(Bits.__add__, map(count, row), nothing) for key, row in distinct.items()}
        return Bits.join([known[id(row)] for row in self.messages]) if self.messages else nothing.select(slice(0))

    def encode(self, row: int) -> Message:
        """See Payload."""
        messages = [message.encode(0) for message in self.messages[row]]
        lengths = b"".join(_LENGTH.pack(len(message)) for message in messages)
        return _HEADER.pack(self.tag, len(messages), self.size) + lengths + b"".join(messages)

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload."""
        reader = Reader(message, _HEADER, cls.tag)
        _, count, size = reader.header
        lengths = [reader.fields(_LENGTH)[0] for _ in range(count)]
        messages = tuple(decode(reader.take(length), device=device) for length in lengths)
        reader.finish()
        return cls(size, (messages,))

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload."""
        chosen = self.messages[rows] if isinstance(rows, slice) else tuple(self.messages[r] for r in rows.tolist())
        return type(self)(self.size, chosen, select_paper(self.paper, rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        same_field(parts, "size")
        messages = tuple(row for part in parts for row in part.messages)
        return cls(parts[0].size, messages, join_papers([part.paper for part in parts]))

    def dense(self) -> Tensor:
        """Add up each row's messages from the first to the last, shape (w, d)."""
        matrix = torch.zeros(self.rows, self.size, dtype=self.dtype, device=self.device)
        for row, messages in enumerate(self.messages):
            for message in messages:
                message.add_to(matrix[row])
        return matrix

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return type(self)(self.size, tuple(tuple(m.to(device) for m in row) for row in self.messages), self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload."""
        if not isinstance(other, Bundle) or (self.size, self.rows) != (other.size, other.rows):
            return False
        return all(
            len(mine) == len(theirs) and all(a.equals(b) for a, b in zip(mine, theirs, strict=True))
            for mine, theirs in zip(self.messages, other.messages, strict=True)
        )
