"""Sparse values of one or two bits: a sign and a bucket each, and a centre for each bucket of each group of a row.

A group is a run of kept coordinates next to each other: those of a tensor, or of a column. Own header: bits a value
(u8), groups (u32); then the centres, then Elias gamma of each group's length (nothing for a single group), the values.
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
from algorithms.codecs.bitstream import Integers, exponents, pack_fixed, unpack_fixed
from algorithms.codecs.elias import decode_gamma, encode_gamma
from algorithms.payloads.bits import Bits
from algorithms.payloads.floats import read_floats, same_bits, write_floats
from algorithms.payloads.message import Message, Reader, pack_bits, padding
from algorithms.payloads.values import Values

_HEADER = struct.Struct("<BI")


@dataclass(frozen=True, eq=False, slots=True)
class CentredValues(Values):
    """Codes of the kept coordinates: the top bit of a code is 1 for minus, the rest is the bucket.

    Parameters
    ----------
    codes : Tensor of int16, shape (m,)
        In 0 .. 2**bits - 1.
    groups : Tensor of int64, shape (w,)
        Groups of each row; 0 for an empty row. Kept on the host.
    lengths : Tensor of int64, shape (sum of groups,)
        Kept coordinates of each group, at least 1. Kept on the host.
    centres : Tensor of float32, shape (sum of groups, 2**(bits - 1))
        The magnitude that each bucket of each group stands for.
    bits : int
        1 (the sign alone) or 2.

    References
    ----------
    Aji, Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017 (quantisation of what is kept).
    """

    codes: Tensor
    groups: Tensor
    lengths: Tensor
    centres: Tensor
    bits: int

    @property
    def number(self) -> int:
        """24."""
        return 24

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    def _owned(self) -> Ragged:
        """Bound each row's groups."""
        return Ragged.of_counts(self.groups.numpy())

    def check(self, rows: Ragged) -> None:
        """See Values."""
        if self.bits not in (1, 2):
            raise ValueError(f"CentredValues.bits: expected 1 or 2, got {self.bits}")
        if self.codes.dtype != torch.int16 or self.codes.shape != (rows.entries,):
            came = f"{self.codes.dtype} {tuple(self.codes.shape)}"
            raise ValueError(f"CentredValues.codes: expected int16, shape ({rows.entries},), got {came}")
        if self.codes.numel() and not 0 <= int(self.codes.min()) <= int(self.codes.max()) < 1 << self.bits:
            raise ValueError(f"CentredValues.codes: expected codes of {self.bits} bits, got others")
        count = int(self.groups.sum())
        if self.groups.shape != (rows.rows,) or self.lengths.shape != (count,) or bool((self.lengths < 1).any()):
            raise ValueError("CentredValues.lengths: expected at least 1 for each group of each row, got others")
        if (self._owned().sums(self.lengths.numpy()) != rows.counts).any():
            raise ValueError("CentredValues.lengths: expected to add up to each row's kept coordinates, got others")
        shape = (count, 1 << self.bits - 1)
        if self.centres.dtype != torch.float32 or self.centres.shape != shape:
            came = f"{self.centres.dtype} {tuple(self.centres.shape)}"
            raise ValueError(f"CentredValues.centres: expected float32, shape {shape}, got {came}")

    def _owners(self) -> Tensor:
        """Name the group of each kept coordinate, shape (m,)."""
        device = self.codes.device
        numbers = torch.arange(len(self.lengths), device=device)
        return numbers.repeat_interleave(self.lengths.to(device), output_size=self.codes.numel())

    def floats(self, rows: Ragged) -> Tensor:
        """Give +-centre."""
        half = 1 << self.bits - 1
        codes = self.codes.long()
        magnitude = self.centres[self._owners(), codes % half]
        return torch.where(codes >= half, -magnitude, magnitude)

    def _length_bits(self, owned: Ragged) -> Integers:
        total = owned.sums(2 * exponents(self.lengths.numpy()) + 1)
        return np.where(owned.counts > 1, total, 0)

    def wire(self, rows: Ragged) -> Bits:
        """See Values; the lengths of groups count as header."""
        owned = self._owned()
        lengths, values = self._length_bits(owned), self.bits * rows.counts
        scales = owned.counts * (32 << self.bits - 1)
        header = 8 * _HEADER.size + lengths + padding(lengths + values)
        return Bits.of(rows.rows, values=values, scales=scales, header=header)

    def entropy(self, rows: Ragged) -> Bits:
        """The empirical entropy of each row's codes, and the centres at full width."""
        values = LevelCounts.of(self.codes, rows, (1 << self.bits) - 1).entropy()
        return Bits.of(rows.rows, values=values, scales=self._owned().counts * float(32 << self.bits - 1))

    def write(self, row: int, rows: Ragged) -> Message:
        """See Values."""
        codes = self.codes[rows.indptr[row] : rows.indptr[row + 1]].cpu().numpy().astype(np.int64)
        where = self._owned().bounds(slice(row, row + 1))
        lengths = self.lengths[where].numpy()
        head = _HEADER.pack(self.bits, len(lengths)) + write_floats(self.centres[where].reshape(-1), "fp32")
        named = encode_gamma(lengths) if len(lengths) > 1 else np.zeros(0, np.uint8)
        return head + pack_bits(np.concatenate([named, pack_fixed(codes, self.bits)]))

    @classmethod
    def read(cls, reader: Reader, number: int, count: int, device: torch.device | str) -> Self:
        """See Values."""
        width, groups = reader.fields(_HEADER)
        if width not in (1, 2) or groups > count or (count and not groups):
            raise ValueError(f"message: expected 1 or 2 bits and up to {count} groups, got {width} and {groups}")
        centres = read_floats(reader.take((4 << width - 1) * groups), "fp32", device)
        bits, used = reader.bits(), 0
        lengths = np.full(groups, count, np.int64)
        if groups > 1:
            lengths, _, used = decode_gamma(bits, groups)
        if int(lengths.sum()) != count:
            raise ValueError(f"message: expected groups of {count} values in all, got {int(lengths.sum())}")
        codes = unpack_fixed(bits[used:], count, width)
        reader.skip_bits(used + count * width)
        shaped = centres.view(groups, 1 << width - 1)
        held = torch.from_numpy(codes).to(device, torch.int16)
        return cls(held, torch.tensor([groups]), torch.from_numpy(lengths), shaped, width)

    def take(self, chosen: slice | Tensor, where: slice | Tensor, rows: Ragged) -> Self:
        """See Values."""
        taken, of_groups = self._owned().take(chosen, torch.device("cpu"))
        there = of_groups if isinstance(of_groups, slice) else of_groups.to(self.centres.device)
        groups = torch.from_numpy(taken.counts)
        return type(self)(self.codes[where], groups, self.lengths[of_groups], self.centres[there], self.bits)

    def between(self, start: int, stop: int) -> Self:
        """Take the kept coordinates number start .. stop - 1, which lie in one row, as a row of their own."""
        owners, lengths = torch.unique_consecutive(self._owners()[start:stop], return_counts=True)
        groups = torch.tensor([len(owners)])
        return type(self)(self.codes[start:stop], groups, lengths.cpu(), self.centres[owners], self.bits)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Values."""
        widths = {part.bits for part in parts}
        if len(widths) != 1:
            raise ValueError(f"join: expected values of as many bits, got {sorted(widths)}")
        codes, centres = torch.cat([part.codes for part in parts]), torch.cat([part.centres for part in parts])
        groups, lengths = torch.cat([part.groups for part in parts]), torch.cat([part.lengths for part in parts])
        return cls(codes, groups, lengths, centres, widths.pop())

    def to(self, device: torch.device | str) -> Self:
        """See Values."""
        return type(self)(self.codes.to(device), self.groups, self.lengths, self.centres.to(device), self.bits)

    def equals(self, other: Values) -> bool:
        """See Values."""
        if not isinstance(other, CentredValues) or self.bits != other.bits:
            return False
        same = torch.equal(self.codes, other.codes.to(self.codes.device)) and torch.equal(self.groups, other.groups)
        return same and torch.equal(self.lengths, other.lengths) and same_bits(self.centres, other.centres)
