"""Sparse values of at most one bit: a sign times the row's scale, or one signed number that a whole row shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from algorithms.codecs import Ragged
from algorithms.codecs.bitstream import require
from algorithms.kernels.columns import dense_signs
from algorithms.payloads.bits import Bits
from algorithms.payloads.floats import read_floats, same_bits, same_optional, write_floats
from algorithms.payloads.message import Message, Reader, padding
from algorithms.payloads.signs import check_scales, join_scales
from algorithms.payloads.values import Values


@dataclass(frozen=True, eq=False, slots=True)
class SignValues(Values):
    """One bit a kept coordinate, and a scale a row or none (SignTopK, STC).

    Parameters
    ----------
    bits : Tensor of bool, shape (m,)
        True for +.
    scales : Tensor of float32, shape (w,), optional
        1 where absent, and then not sent. An empty row has one too.
    """

    bits: Tensor
    scales: Tensor | None = None

    @property
    def number(self) -> int:
        """16 without scales, 17 with."""
        return 16 if self.scales is None else 17

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def check(self, rows: Ragged) -> None:
        """See Values."""
        if self.bits.dtype != torch.bool or self.bits.shape != (rows.entries,):
            came = f"{self.bits.dtype} {tuple(self.bits.shape)}"
            raise ValueError(f"SignValues.bits: expected bool, shape ({rows.entries},), got {came}")
        check_scales("SignValues.scales", self.scales, rows.rows)

    def floats(self, rows: Ragged) -> Tensor:
        """Give +-scale."""
        signs = dense_signs(self.bits, None)
        return signs if self.scales is None else signs.mul_(rows.spread(self.scales))

    def wire(self, rows: Ragged) -> Bits:
        """See Values."""
        scale = 0 if self.scales is None else 32
        return Bits.of(rows.rows, values=rows.counts, scales=scale, header=padding(rows.counts))

    def entropy(self, rows: Ragged) -> Bits:
        """One bit each, as for independent fair signs."""
        return Bits.of(rows.rows, values=rows.counts.astype(float), scales=0.0 if self.scales is None else 32.0)

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        scale = b"" if self.scales is None else write_floats(self.scales[row].view(1), "fp32")
        return scale + np.packbits(self.bits[rows.indptr[row] : rows.indptr[row + 1]].cpu().numpy()).tobytes()

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        scales = read_floats(reader.take(4), "fp32", device) if number == 17 else None
        bits = reader.bits()
        require(bits, count)
        reader.skip_bits(count)
        return cls(torch.from_numpy(bits[:count].astype(np.bool_)).to(device), scales)

    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """See Values."""
        at = chosen if isinstance(chosen, slice) else chosen.to(self.bits.device)
        return type(self)(self.bits[where], None if self.scales is None else self.scales[at])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        return cls(torch.cat([part.bits for part in parts]), join_scales([part.scales for part in parts]))

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.bits.to(device), None if self.scales is None else self.scales.to(device))

    def equals(self, other: Values) -> bool:
        """See Values."""
        if not isinstance(other, SignValues) or self.bits.shape != other.bits.shape:
            return False
        return torch.equal(self.bits, other.bits.to(self.bits.device)) and same_optional(self.scales, other.scales)


@dataclass(frozen=True, eq=False, slots=True)
class SharedValues(Values):
    """One signed number a row, for all its kept coordinates: no bits a value (SBC).

    Parameters
    ----------
    scales : Tensor of float32, shape (w,)
        The number, with its sign. An empty row has one too.
    """

    scales: Tensor

    @property
    def number(self) -> int:
        """18."""
        return 18

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def check(self, rows: Ragged) -> None:
        """See Values."""
        check_scales("SharedValues.scales", self.scales, rows.rows)

    def floats(self, rows: Ragged) -> Tensor:
        """Repeat each row's number."""
        return rows.spread(self.scales)

    def wire(self, rows: Ragged) -> Bits:
        """See Values."""
        return Bits.of(rows.rows, scales=32)

    def entropy(self, rows: Ragged) -> Bits:
        """The number at full width."""
        return Bits.of(rows.rows, scales=32.0)

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        return write_floats(self.scales[row].view(1), "fp32")

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        return cls(read_floats(reader.take(4), "fp32", device))

    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """See Values."""
        return type(self)(self.scales[chosen if isinstance(chosen, slice) else chosen.to(self.scales.device)])

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        return cls(torch.cat([part.scales for part in parts]))

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.scales.to(device))

    def equals(self, other: Values) -> bool:
        """See Values."""
        return isinstance(other, SharedValues) and same_bits(self.scales, other.scales)
