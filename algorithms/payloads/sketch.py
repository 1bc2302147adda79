"""Count Sketches as messages: 20 bytes of header (tag, format, r, c, d, seed of the hashes), then r c numbers.

w rows (messages) here, each of which is an r x c table about d coordinates.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
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
from algorithms.sketches import CountSketch

_HEADER = struct.Struct("<BBHIIQ")


@tagged(48)
@dataclass(frozen=True, eq=False, slots=True)
class Sketch(Payload):
    """Sketched vectors, which can be summed on the way where they share their hashes.

    Parameters
    ----------
    sketch : CountSketch
        How they were sketched.
    table : Tensor, shape (w, r, c)
        float32 (float64 for kind fp64) sums already rounded to `kind`; taken over, not copied.
    kind : {"auto", "fp32", "fp16", "bf16", "fp64"}
        How a number travels.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If the table is not one of this sketch or its dtype does not fit `kind`.
    """

    sketch: CountSketch
    table: Tensor
    kind: str = "auto"
    paper: Bits | None = None

    def __post_init__(self) -> None:
        shape = (self.sketch.rows, self.sketch.columns)
        if self.table.ndim != 3 or tuple(self.table.shape[1:]) != shape:
            raise ValueError(f"Sketch.table: expected shape (w, *{shape}), got {tuple(self.table.shape)}")
        object.__setattr__(self, "kind", resolve(self.kind, self.table, "Sketch"))

    @classmethod
    def of(cls, sketch: CountSketch, vectors: Tensor, kind: str = "fp32", paper: Bits | None = None) -> Self:
        """Sketch vectors, shape (w, d), and round the sums; kind fp32 is fp64 for float64 vectors."""
        if kind == "fp32" and vectors.element_size() == 8:
            kind = "fp64"
        return cls(sketch, rounded(sketch.insert(vectors), kind), kind, paper)

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of coordinates, d."""
        return self.sketch.size

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return int(self.table.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.table.device

    @property
    def dtype(self) -> torch.dtype:
        """float64 for kind fp64, else float32."""
        return self.table.dtype

    @property
    def wire(self) -> Bits:
        """See Payload."""
        cells = self.sketch.rows * self.sketch.columns
        return Bits.of(self.rows, values=width_bits(self.kind) * cells, header=8 * _HEADER.size)

    @property
    def entropy(self) -> Bits:
        """The sums at full width."""
        return Bits.of(self.rows, values=self.wire.values.astype("float64"))

    def encode(self, row: int) -> Message:
        """See Payload; raises ValueError if a number is not one of the format's."""
        s = self.sketch
        head = _HEADER.pack(self.tag, number_of(self.kind), s.rows, s.columns, s.size, s.seed)
        return head + write_floats(self.table[row].reshape(-1), self.kind)

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload."""
        reader = Reader(message, _HEADER, cls.tag)
        _, number, rows, columns, size, seed = reader.header
        kind, sketch = kind_of(number), CountSketch(size, rows, columns, seed)
        values = read_floats(reader.take(rows * columns * width_bits(kind) // 8), kind, device)
        reader.finish()
        return cls(sketch, values.view(1, rows, columns), kind)

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload; a range shares memory."""
        table = self.table[rows] if isinstance(rows, slice) else self.table[rows.to(self.device)]
        return type(self)(self.sketch, table, self.kind, select_paper(self.paper, rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        same_field(parts, "kind")
        for part in parts:
            parts[0]._require_same(part)
        table = torch.cat([part.table for part in parts])
        return cls(parts[0].sketch, table, parts[0].kind, join_papers([part.paper for part in parts]))

    def dense(self) -> Tensor:
        """Estimate every coordinate of every row, shape (w, d)."""
        return self.sketch.query(self.table)

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return type(self)(self.sketch, self.table.to(device), self.kind, self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload."""
        alike = isinstance(other, Sketch) and (self.sketch, self.kind) == (other.sketch, other.kind)
        return alike and same_bits(self.table, other.table)  # type: ignore[attr-defined]

    def _require_same(self, other: Sketch) -> None:
        if self.sketch != other.sketch:
            raise ValueError(
                f"Sketch: expected a summand that shares size, rows, columns and hash seed, since a Count Sketch is "
                f"linear only under common hashes: {self.sketch}, got {other.sketch}"
            )

    def __add__(self, other: Sketch) -> Sketch:
        """Merge row by row: the sketch of the sum. Raises ValueError where the hashes differ."""
        self._require_same(other)
        if (self.rows, self.kind) != (other.rows, other.kind):
            came = (other.rows, other.kind)
            raise ValueError(f"Sketch: expected a summand with (rows, kind) {(self.rows, self.kind)}, got {came}")
        return Sketch(self.sketch, rounded(self.table + other.table, self.kind), self.kind)

    def merged_bytes(self, count: int) -> int:
        """Give the bytes of a message in which `count` rows were merged: the same for any count."""
        return _HEADER.size + self.sketch.rows * self.sketch.columns * width_bits(self.kind) // 8

    def combined(self, weights: Tensor, chunks: Sequence[slice]) -> Tensor:
        """Weight and sum the tables in the order that does not depend on hosting, unrounded, shape (r, c).

        Parameters
        ----------
        weights : Tensor, shape (w,)
            One factor for each row.
        chunks : sequence of slice
            Blocks of consecutive rows that cover all rows.
        """
        return _folded(self.partials(chunks, weights)).view(self.table.shape[1:])

    def partials(self, chunks: Sequence[slice], weights: Tensor | None = None) -> Tensor:
        """Sum the tables of each chunk, shape (chunks, r c)."""
        flat = self.table.reshape(self.rows, -1)
        if not chunks:
            return flat[:0]
        factors = None if weights is None else weights.to(flat)[:, None]
        parts = (flat[c] if factors is None else flat[c] * factors[c] for c in chunks)
        return torch.stack([part.sum(0) for part in parts])

    def merge(self, partials: Tensor) -> Sketch:
        """Add chunks' partial sums from left to right and round the result to the format, once."""
        table = rounded(_folded(partials), self.kind).view(1, self.sketch.rows, self.sketch.columns)
        paper = None if self.paper is None else Bits.of(1, values=32 * self.sketch.rows * self.sketch.columns)
        return Sketch(self.sketch, table, self.kind, paper)

    def fold(self, chunks: Sequence[slice]) -> Sketch:
        """Sum all rows into one: chunk by chunk, then over the chunks from left to right."""
        return self.merge(self.partials(chunks))


def _folded(partials: Tensor) -> Tensor:
    total = partials[0].clone()
    for partial in partials[1:]:
        total += partial
    return total
