"""Sparse values on a grid: a signed level each, and a scale for each bucket of consecutive kept coordinates of a row.

Own header: level code (u8), bucket (u32), s (u32).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from algorithms.codecs import LEVEL_CODES, LevelCounts, Ragged, level_bits, read_levels, write_levels
from algorithms.codecs.bitstream import Integers
from algorithms.payloads.bits import Bits
from algorithms.payloads.floats import read_floats, same_bits, write_floats
from algorithms.payloads.message import Message, Reader, pack_bits, padding
from algorithms.payloads.payload import common_code
from algorithms.payloads.values import Values

_HEADER = struct.Struct("<BII")


@dataclass(frozen=True, eq=False, slots=True)
class QuantisedValues(Values):
    """Levels of the kept coordinates: a coordinate stands for scale * level / s (QTopK).

    Parameters
    ----------
    levels : Tensor of int8, int16 or int32, shape (m,)
        In -s..s.
    scales : Tensor of float32, flat
        In row order: with `bucket` = 0 one for each row (also for an empty one), else ceil(k / bucket) for a row of k.
    s : int
        Largest magnitude of a level.
    bucket : int
        Kept coordinates to a scale, 0 for the whole row.
    level_code : {"auto", "fixed", "elias"}
        "auto" takes the shorter for each message.
    """

    levels: Tensor
    scales: Tensor
    s: int
    bucket: int = 0
    level_code: str = "auto"

    @property
    def number(self) -> int:
        """19."""
        return 19

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def _scale_rows(self, rows: Ragged) -> Ragged:
        return Ragged.of_counts(-(-rows.counts // self.bucket)) if self.bucket else Ragged.even(rows.rows, 1)

    def check(self, rows: Ragged) -> None:
        """See Values."""
        if self.bucket < 0:
            raise ValueError(f"QuantisedValues.bucket: expected 0 (the whole row) or more, got {self.bucket}")
        check_levels("QuantisedValues", self.levels, (rows.entries,), self.s, self.level_code)
        needed = self._scale_rows(rows).entries
        if self.scales.dtype != torch.float32 or self.scales.shape != (needed,):
            came = f"{self.scales.dtype} {tuple(self.scales.shape)}"
            raise ValueError(f"QuantisedValues.scales: expected float32, shape ({needed},), got {came}")

    def floats(self, rows: Ragged) -> Tensor:
        """Give scale * level / s."""
        if self.bucket:
            starts = torch.from_numpy(self._scale_rows(rows).indptr[:-1]).to(self.levels.device)
            scales = self.scales[rows.spread(starts) + rows.offsets(self.levels.device) // self.bucket]
        else:
            scales = rows.spread(self.scales)
        return scales * self.levels / self.s

    def _measure(self, rows: Ragged) -> tuple[Integers, Integers]:
        def elias() -> Integers:
            return LevelCounts.of(self.levels, rows, self.s).elias_bits()

        return level_bits(rows.counts, self.s, self.level_code, elias)

    def wire(self, rows: Ragged) -> Bits:
        """See Values."""
        _, bits = self._measure(rows)
        scales = 32 * self._scale_rows(rows).counts
        return Bits.of(rows.rows, values=bits, scales=scales, header=8 * _HEADER.size + padding(bits))

    def entropy(self, rows: Ragged) -> Bits:
        """The empirical entropy of each row's levels, and the scales at full width."""
        scales = 32.0 * self._scale_rows(rows).counts
        return Bits.of(rows.rows, values=LevelCounts.of(self.levels, rows, self.s).entropy(), scales=scales)

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        chosen = slice(row, row + 1)
        one, where = rows.take(chosen, self.levels.device)
        part = self.take(chosen, where, rows)
        number = int(part._measure(one)[0][0])
        head = _HEADER.pack(number, self.bucket, self.s) + write_floats(part.scales, "fp32")
        return head + pack_bits(write_levels(part.levels.cpu().numpy().astype(np.int64), self.s, number))

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        code, bucket, s = reader.fields(_HEADER)
        scales = read_floats(reader.take(4 * (-(-count // bucket) if bucket else 1)), "fp32", device)
        levels, used = read_levels(reader.bits(), count, s, code)
        reader.skip_bits(used)
        return cls(torch.from_numpy(levels).to(torch.int32).to(device), scales, s, bucket, LEVEL_CODES[code])

    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """See Values."""
        _, of_scales = self._scale_rows(rows).take(chosen, self.scales.device)
        return type(self)(self.levels[where], self.scales[of_scales], self.s, self.bucket, self.level_code)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        forms = {(part.s, part.bucket) for part in parts}
        if len(forms) != 1:
            raise ValueError(f"join: expected values of one (s, bucket), got {sorted(forms)}")
        levels, scales = torch.cat([part.levels for part in parts]), torch.cat([part.scales for part in parts])
        return cls(levels, scales, *forms.pop(), common_code(part.level_code for part in parts))

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.levels.to(device), self.scales.to(device), self.s, self.bucket, self.level_code)

    def equals(self, other: Values) -> bool:
        """See Values; the width of the levels' integers does not matter."""
        if not isinstance(other, QuantisedValues) or (self.s, self.bucket) != (other.s, other.bucket):
            return False
        levels = other.levels.to(self.levels.device, torch.int32)
        return torch.equal(self.levels.int(), levels) and same_bits(self.scales, other.scales)


def check_levels(key: str, levels: Tensor, shape: tuple[int, ...], s: int, level_code: str) -> None:
    """Raise ValueError unless levels are small signed integers of that shape in -s..s and the code is known."""
    if level_code != "auto" and level_code not in LEVEL_CODES:
        raise ValueError(f"{key}.level_code: expected one of auto, {', '.join(LEVEL_CODES)}, got {level_code!r}")
    if not 1 <= s < 1 << 31:
        raise ValueError(f"{key}.s: expected a largest level in 1..2**31-1, got {s}")
    if levels.dtype not in (torch.int8, torch.int16, torch.int32) or levels.shape != shape:
        came = f"{levels.dtype} {tuple(levels.shape)}"
        raise ValueError(f"{key}.levels: expected int8, int16 or int32, shape {shape}, got {came}")
    if levels.numel():
        low, high = (int(bound) for bound in levels.aminmax())
        if low < -s or high > s:
            raise ValueError(f"{key}.levels: expected levels in -{s}..{s}, got {low}..{high}")
