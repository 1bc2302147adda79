"""A signed level for every coordinate and a scale for each bucket of consecutive coordinates (QSGD, TernGrad).

Message: tag, level code (u8), d, bucket, s (u32): 14 bytes; then the scales (fp32), then the levels, padded to a whole
byte.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor

from algorithms.codecs import LEVEL_CODES, LevelCounts, Ragged, level_bits, read_levels, write_levels
from algorithms.codecs.bitstream import Integers
from algorithms.kernels.columns import dense_levels, sum_levels, take_levels
from algorithms.payloads.bits import Bits, join_papers, select_paper
from algorithms.payloads.floats import read_floats, same_bits, write_floats
from algorithms.payloads.message import Message, Reader, pack_bits, padding, tagged
from algorithms.payloads.payload import ALL, Payload, common_code, on_host, same_field
from algorithms.payloads.quantised_values import check_levels

_HEADER = struct.Struct("<BBIII")


@tagged(4)
@dataclass(frozen=True, eq=False, slots=True)
class Quantised(Payload):
    """Vectors on a grid: a coordinate stands for scale * level / s, computed in float32 from left to right.

    Parameters
    ----------
    size : int
        Coordinates, d.
    levels : Tensor of int8, int16 or int32, shape (w, d)
        In -s..s.
    scales : Tensor of float32, shape (w, ceil(d / bucket))
        Scale of each bucket.
    bucket : int
        Coordinates to a scale; the last bucket may be shorter.
    s : int
        Largest magnitude of a level.
    level_code : {"auto", "fixed", "elias"}
        fixed is a sign bit and ceil(log2(s + 1)) bits a level; elias is Elias gamma of |level| + 1 and a sign bit for
        levels other than 0 (QSGD's dense variant); "auto" takes the shorter for each message.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If shapes, dtypes or ranges differ from these.
    """

    size: int
    levels: Tensor
    scales: Tensor
    bucket: int
    s: int
    level_code: str = "auto"
    paper: Bits | None = None
    _counted: list[LevelCounts] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.bucket < 1:
            raise ValueError(f"Quantised.bucket: expected at least 1 coordinate, got {self.bucket}")
        rows = self.levels.shape[0] if self.levels.ndim else 0
        check_levels("Quantised", self.levels, (rows, self.size), self.s, self.level_code)
        needed = (rows, -(-self.size // self.bucket))
        if self.scales.dtype != torch.float32 or self.scales.shape != needed:
            came = f"{self.scales.dtype} {tuple(self.scales.shape)}"
            raise ValueError(f"Quantised.scales: expected float32, shape {needed}, got {came}")

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return int(self.levels.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.levels.device

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def count(self, table: Integers) -> None:
        """Count the levels now, by every thread that makes a chunk and not by the one that looks at the whole.

        `table`, shape (w, 2 s + 1), has the counts already where it is not empty.
        """
        if table.size:
            self._counted.append(LevelCounts.of_table(table, Ragged.even(self.rows, self.size)))
        else:
            self._counts()

    def _counts(self) -> LevelCounts:
        if not self._counted:  # one pass over the levels serves sizes and entropy
            self._counted.append(LevelCounts.of(self.levels.reshape(-1), Ragged.even(self.rows, self.size), self.s))
        return self._counted[0]

    def _measure(self) -> tuple[Integers, Integers]:
        counts = np.full(self.rows, self.size, np.int64)
        return level_bits(counts, self.s, self.level_code, lambda: self._counts().elias_bits())

    @property
    def wire(self) -> Bits:
        """See Payload."""
        _, bits = self._measure()
        header = 8 * _HEADER.size + padding(bits)
        return Bits.of(self.rows, values=bits, scales=32 * self.scales.shape[1], header=header)

    @property
    def entropy(self) -> Bits:
        """d times the empirical entropy of each row's levels, and the scales at full width."""
        return Bits.of(self.rows, values=self._counts().entropy(), scales=32.0 * self.scales.shape[1])

    def encode(self, row: int) -> Message:
        """See Payload."""
        number = int(self._measure()[0][row])
        levels = self.levels[row].cpu().numpy().astype(np.int64)
        head = _HEADER.pack(self.tag, number, self.size, self.bucket, self.s) + write_floats(self.scales[row], "fp32")
        return head + pack_bits(write_levels(levels, self.s, number))

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload; levels come back as int32."""
        reader = Reader(message, _HEADER, cls.tag)
        _, number, size, bucket, s = reader.header
        if bucket < 1:
            raise ValueError(f"message: expected a bucket of at least 1 coordinate, got {bucket}")
        scales = read_floats(reader.take(4 * -(-size // bucket)), "fp32", device)
        levels, used = read_levels(reader.bits(), size, s, number)
        reader.skip_bits(used)
        reader.finish()
        row = torch.from_numpy(levels).to(device, torch.int32)[None]
        return cls(size, row, scales[None], bucket, s, LEVEL_CODES[number])

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload; a range shares memory."""
        at = rows if isinstance(rows, slice) else rows.to(self.device)
        return self._with(self.levels[at], self.scales[at], select_paper(self.paper, rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        for name in ("size", "bucket", "s"):
            same_field(parts, name)
        levels, scales = torch.cat([p.levels for p in parts]), torch.cat([p.scales for p in parts])
        paper, code = join_papers([p.paper for p in parts]), common_code(p.level_code for p in parts)
        joined = parts[0]._with(levels, scales, paper, code)
        if all(p._counted for p in parts):  # counted already, perhaps on several threads
            joined._counted.append(LevelCounts.join([p._counted[0] for p in parts]))
        return joined

    def dense(self) -> Tensor:
        """Give scale * level / s, float32, shape (w, d)."""
        return dense_levels(self.levels, self.scales, self.bucket, self.s)

    def add_to(self, total: Tensor, rows: slice = ALL, weights: Tensor | None = None) -> None:
        """See Payload."""
        if not on_host(total, torch.float32):
            return Payload.add_to(self, total, rows, weights)
        factors = None if weights is None else weights[rows]
        return sum_levels(self.levels[rows], self.scales[rows], self.bucket, self.s, factors, total)

    def subtract_from(self, matrix: Tensor) -> None:
        """See Payload."""
        if matrix.shape != self.levels.shape or not on_host(matrix, torch.float32, torch.float64):
            return Payload.subtract_from(self, matrix)
        levels, scales = self.levels.contiguous().numpy(), self.scales.contiguous().numpy()
        return take_levels(levels, scales, self.bucket, self.s, matrix.numpy())

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return self._with(self.levels.to(device), self.scales.to(device), self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload; the width of the levels' integers does not matter."""
        if not isinstance(other, Quantised) or (self.size, self.bucket, self.s) != (other.size, other.bucket, other.s):
            return False
        levels = other.levels.to(self.device, torch.int32)
        return torch.equal(self.levels.int(), levels) and same_bits(self.scales, other.scales)

    def _with(self, levels: Tensor, scales: Tensor, paper: Bits | None, code: str | None = None) -> Self:
        return type(self)(self.size, levels, scales, self.bucket, self.s, code or self.level_code, paper)
