"""Sparse values on a few levels of a row's own: a sign, the number of a group, and each group's mean magnitude.

Own header: P - 1 (u8); then the P means (fp32); then a sign bit (1 is minus) and ceil(log2 P) bits a value.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from algorithms.codecs import LevelCounts, Ragged
from algorithms.codecs.bitstream import pack_fixed, unpack_fixed
from algorithms.payloads.bits import Bits
from algorithms.payloads.floats import read_floats, same_bits, write_floats
from algorithms.payloads.message import Message, Reader, pack_bits, padding
from algorithms.payloads.values import Values

_HEADER = struct.Struct("<B")


@dataclass(frozen=True, eq=False, slots=True)
class GroupedValues(Values):
    """Signed group numbers: a kept coordinate of level +-(i + 1) stands for +-(mean of group i).

    Parameters
    ----------
    levels : Tensor of int16, shape (m,)
        In -P..-1 and 1..P.
    means : Tensor of float32, shape (w, P)
        The mean magnitude of each group, 0 where it is empty; P in 1..256.
    """

    levels: Tensor
    means: Tensor

    @property
    def number(self) -> int:
        """25."""
        return 25

    @property
    def groups(self) -> int:
        """P."""
        return int(self.means.shape[1])

    @property
    def _width(self) -> int:
        return 1 + (self.groups - 1).bit_length()

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def check(self, rows: Ragged) -> None:
        """See Values."""
        if self.means.dtype != torch.float32 or self.means.ndim != 2 or len(self.means) != rows.rows:
            came = f"{self.means.dtype} {tuple(self.means.shape)}"
            raise ValueError(f"GroupedValues.means: expected float32, shape ({rows.rows}, P), got {came}")
        if not 1 <= self.groups <= 256:
            raise ValueError(f"GroupedValues.means: expected 1 to 256 groups, got {self.groups}")
        if self.levels.dtype != torch.int16 or self.levels.shape != (rows.entries,):
            came = f"{self.levels.dtype} {tuple(self.levels.shape)}"
            raise ValueError(f"GroupedValues.levels: expected int16, shape ({rows.entries},), got {came}")
        magnitudes = self.levels.abs()
        if bool(((magnitudes < 1) | (magnitudes > self.groups)).any()):
            raise ValueError(f"GroupedValues.levels: expected +-1..+-{self.groups}, got others")

    def floats(self, rows: Ragged) -> Tensor:
        """Give +-mean."""
        own = rows.row_numbers(self.levels.device) * self.groups + self.levels.abs().long() - 1
        return self.means.reshape(-1)[own] * self.levels.sign()

    def wire(self, rows: Ragged) -> Bits:
        """See Values."""
        bits = rows.counts * self._width
        return Bits.of(rows.rows, values=bits, scales=32 * self.groups, header=8 * _HEADER.size + padding(bits))

    def entropy(self, rows: Ragged) -> Bits:
        """The empirical entropy of each row's levels, and the means at full width."""
        levels = LevelCounts.of(self.levels, rows, self.groups).entropy()
        return Bits.of(rows.rows, values=levels, scales=32.0 * self.groups)

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        levels = self.levels[rows.indptr[row] : rows.indptr[row + 1]].cpu().numpy().astype(np.int64)
        fields = ((levels < 0).astype(np.int64) << (self._width - 1)) | (np.abs(levels) - 1)
        head = _HEADER.pack(self.groups - 1) + write_floats(self.means[row], "fp32")
        return head + pack_bits(pack_fixed(fields, self._width))

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        groups = 1 + reader.fields(_HEADER)[0]
        means = read_floats(reader.take(4 * groups), "fp32", device)
        width = 1 + (groups - 1).bit_length()
        fields = unpack_fixed(reader.bits(), count, width)
        reader.skip_bits(count * width)
        magnitudes = (fields & ((1 << (width - 1)) - 1)) + 1
        if magnitudes.max(initial=1) > groups:
            raise ValueError(f"message: expected {groups} groups of values, got one numbered {magnitudes.max()}")
        levels = np.where(fields >> (width - 1) > 0, -magnitudes, magnitudes).astype(np.int16)
        return cls(torch.from_numpy(levels).to(device), means[None])

    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """See Values."""
        at = chosen if isinstance(chosen, slice) else chosen.to(self.means.device)
        return type(self)(self.levels[where], self.means[at])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        if len(found := {part.groups for part in parts}) != 1:
            raise ValueError(f"join: expected values of one number of groups, got {sorted(found)}")
        return cls(torch.cat([part.levels for part in parts]), torch.cat([part.means for part in parts]))

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.levels.to(device), self.means.to(device))

    def equals(self, other: Values) -> bool:
        """See Values."""
        if not isinstance(other, GroupedValues):
            return False
        return torch.equal(self.levels, other.levels.to(self.levels.device)) and same_bits(self.means, other.means)
