"""One bit a coordinate and at most one scale a row: 6 bytes of header (tag, scaled or not, d), the scale, d bits."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.codecs.bitstream import require
from algorithms.kernels.columns import dense_signs, sum_signs, take_signs
from algorithms.kernels.majority import majority_of
from algorithms.payloads.bits import Bits, join_papers, select_paper
from algorithms.payloads.floats import read_floats, same_optional, write_floats
from algorithms.payloads.message import Message, Reader, padding, tagged
from algorithms.payloads.payload import ALL, Payload, on_host, same_field

_HEADER = struct.Struct("<BBI")


@tagged(3)
@dataclass(frozen=True, eq=False, slots=True)
class Signs(Payload):
    """Signs of every coordinate, times a scale: a row stands for +-scale.

    One bit has no room for zero: by convention sign(0) = +1, as in signSGD's and Qsparse's code.

    Parameters
    ----------
    size : int
        Coordinates, d.
    bits : Tensor of bool, shape (w, d)
        True for +.
    scales : Tensor of float32, shape (w,), optional
        1 where absent, and then not sent.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If shapes or dtypes differ from these.
    """

    size: int
    bits: Tensor
    scales: Tensor | None = None
    paper: Bits | None = None

    def __post_init__(self) -> None:
        if self.bits.dtype != torch.bool or self.bits.ndim != 2 or self.bits.shape[1] != self.size:
            came = f"{self.bits.dtype} {tuple(self.bits.shape)}"
            raise ValueError(f"Signs.bits: expected bool, shape (w, {self.size}), got {came}")
        check_scales("Signs.scales", self.scales, self.bits.shape[0])

    @classmethod
    def of(cls, matrix: Tensor, scales: Tensor | None = None, paper: Bits | None = None) -> Self:
        """Take the signs of a matrix, shape (w, d); zero (also -0.0) becomes +, NaN becomes -."""
        return cls(int(matrix.shape[1]), at_least_zero(matrix), scales, paper)

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return int(self.bits.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.bits.device

    @property
    def dtype(self) -> torch.dtype:
        """float32."""
        return torch.float32

    @property
    def wire(self) -> Bits:
        """See Payload."""
        scale = 0 if self.scales is None else 32
        return Bits.of(self.rows, values=self.size, scales=scale, header=8 * _HEADER.size + padding(self.size))

    @property
    def entropy(self) -> Bits:
        """d bits, as for independent fair signs, and the scale."""
        return Bits.of(self.rows, values=float(self.size), scales=0.0 if self.scales is None else 32.0)

    def pack(self) -> NDArray[np.uint8]:
        """Pack the bits of all rows, most significant first: uint8 on the host, shape (w, ceil(d / 8))."""
        return np.packbits(self.bits.cpu().numpy(), axis=1)

    def encode(self, row: int) -> Message:
        """See Payload."""
        head = _HEADER.pack(self.tag, self.scales is not None, self.size)
        scale = b"" if self.scales is None else write_floats(self.scales[row].view(1), "fp32")
        return head + scale + np.packbits(self.bits[row].cpu().numpy()).tobytes()

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload."""
        reader = Reader(message, _HEADER, cls.tag)
        _, scaled, size = reader.header
        if scaled > 1:
            raise ValueError(f"message: expected 0 (no scale) or 1 (a scale) in a Signs header, got {scaled}")
        scales = read_floats(reader.take(4), "fp32", device) if scaled else None
        bits = reader.bits()
        require(bits, size)
        reader.skip_bits(size)
        reader.finish()
        return cls(size, torch.from_numpy(bits[:size].astype(np.bool_)).to(device)[None], scales)

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload; a range shares memory."""
        at = rows if isinstance(rows, slice) else rows.to(self.device)
        scales = None if self.scales is None else self.scales[at]
        return type(self)(self.size, self.bits[at], scales, select_paper(self.paper, rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        same_field(parts, "size")
        scales = join_scales([part.scales for part in parts])
        return cls(parts[0].size, torch.cat([p.bits for p in parts]), scales, join_papers([p.paper for p in parts]))

    def dense(self) -> Tensor:
        """Give +-scale, float32, shape (w, d)."""
        return dense_signs(self.bits, self.scales)

    def add_to(self, total: Tensor, rows: slice = ALL, weights: Tensor | None = None) -> None:
        """See Payload."""
        if not on_host(total, torch.float32):
            return Payload.add_to(self, total, rows, weights)
        scales = None if self.scales is None else self.scales[rows]
        return sum_signs(self.bits[rows], scales, None if weights is None else weights[rows], total)

    def subtract_from(self, matrix: Tensor) -> None:
        """See Payload."""
        if matrix.shape != self.bits.shape or not on_host(matrix, torch.float32, torch.float64):
            return Payload.subtract_from(self, matrix)
        scales = torch.ones(self.rows) if self.scales is None else self.scales.contiguous()
        return take_signs(self.bits.contiguous().numpy().view(np.uint8), scales.numpy(), matrix.numpy())

    def majority(self) -> Tensor:
        """Find the coordinates that at least half of the rows call +, whatever their scales: bool, shape (d,)."""
        if not on_host(self.bits, torch.bool):
            return 2 * self.bits.sum(0) >= self.rows
        elected = np.empty(self.size, np.bool_)
        majority_of(self.bits.numpy().view(np.uint8), elected)
        return torch.from_numpy(elected)

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        scales = None if self.scales is None else self.scales.to(device)
        return type(self)(self.size, self.bits.to(device), scales, self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload."""
        if not isinstance(other, Signs) or self.bits.shape != other.bits.shape:
            return False
        return torch.equal(self.bits, other.bits.to(self.device)) and same_optional(self.scales, other.scales)


def at_least_zero(matrix: Tensor) -> Tensor:
    """Take the signs of a matrix, bool: zero (also -0.0) becomes True, NaN False."""
    if matrix.device.type != "cpu":
        return matrix >= 0
    return torch.from_numpy(np.greater_equal(matrix.numpy(), 0))  # numpy's comparison takes a third of torch's time


def check_scales(key: str, scales: Tensor | None, rows: int) -> None:
    """Raise ValueError unless there are no scales, or one float32 a row."""
    if scales is not None and (scales.dtype != torch.float32 or scales.shape != (rows,)):
        raise ValueError(f"{key}: expected float32, shape ({rows},), got {scales.dtype} {tuple(scales.shape)}")


def join_scales(scales: Sequence[Tensor | None]) -> Tensor | None:
    """Concatenate scales; ValueError where only some are there."""
    known = [s for s in scales if s is not None]
    if known and len(known) != len(scales):
        raise ValueError(f"join: expected scales on all payloads or on none, got {len(known)} of {len(scales)}")
    return torch.cat(known) if known else None
