"""Kept coordinates and their values, rows of any length (CSR).

Message: tag, index code, its parameter, form of the values (u8 each), d, k (u32): 12 bytes; then the values (their own
header, scales, values, padded to a whole byte), then the indices, padded too.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor

from algorithms.codecs import INDEX_CODES, Ragged, Supports, cheapest, index_code, index_code_name, log2_binomial
from algorithms.codecs.bitstream import Integers
from algorithms.kernels.scatter import fold, subtract
from algorithms.payloads.bits import Bits, join_papers, select_paper
from algorithms.payloads.forms import form_of
from algorithms.payloads.message import Message, Reader, pack_bits, padding, tagged
from algorithms.payloads.payload import ALL, Payload, common_code, same_field
from algorithms.payloads.support import check_support, flat_positions, nonzero_entries, scatter_add
from algorithms.payloads.values import FloatValues, Values

_HEADER = struct.Struct("<BBBBII")


@tagged(2)
@dataclass(frozen=True, eq=False, slots=True)
class Sparse(Payload):
    """Some coordinates of each row; the others are 0.

    Parameters
    ----------
    size : int
        Coordinates, 1 <= d < 2**32.
    indptr : Tensor of int64, shape (w + 1,)
        Bounds of the rows in the flat arrays; kept on the host. Rows may be empty.
    indices : Tensor of int32 or int64, shape (m,)
        Kept coordinates, increasing within a row.
    values : Tensor, shape (m,), or Values
        Floats (wrapped by `FloatValues`), or another form, such as `SignValues`, `QuantisedValues` or `Marks`.
    index_code : {"auto", "fixed", "gamma", "rice", "bitmap", "block"}
        "auto" takes the shortest for each message.
    kind : {"auto", "fp32", "fp16", "bf16", "fp64"}
        How float values travel.
    paper : Bits, optional

    Raises
    ------
    ValueError
        If shapes or dtypes differ from these, indices do not increase or lie outside 0..d-1, or a code is unknown.
    """

    size: int
    indptr: Tensor
    indices: Tensor
    values: Tensor | Values
    index_code: str = "auto"
    kind: str = "auto"
    paper: Bits | None = None
    ragged: Ragged = field(init=False, repr=False)
    coded: Values = field(init=False, repr=False)
    _measured: list[tuple[Integers, Integers, Bits]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.index_code != "auto" and self.index_code not in INDEX_CODES:
            known = ", ".join(["auto", *INDEX_CODES])
            raise ValueError(f"Sparse.index_code: expected one of {known}, got {self.index_code!r}")
        object.__setattr__(self, "indptr", self.indptr.to("cpu", torch.int64))
        object.__setattr__(self, "ragged", check_support(self.size, self.indptr, self.indices))
        coded = FloatValues(self.values, self.kind) if isinstance(self.values, Tensor) else self.values
        coded.check(self.ragged)
        object.__setattr__(self, "coded", coded)
        object.__setattr__(self, "kind", coded.kind if isinstance(coded, FloatValues) else "auto")

    @classmethod
    def rows_of(
        cls,
        size: int,
        indices: Tensor,
        values: Tensor | Values,
        *,
        index_code: str = "auto",
        kind: str = "auto",
        paper: Bits | None = None,
    ) -> Self:
        """Build rows that keep k coordinates each.

        Parameters
        ----------
        size : int
            Coordinates, d.
        indices : Tensor of int32 or int64, shape (w, k)
            Sorted within each row.
        values : Tensor, shape (w, k), or Values
            What they hold; Values are flat, in row order.
        """
        if indices.ndim != 2 or (isinstance(values, Tensor) and values.shape != indices.shape):
            came = f"{tuple(indices.shape)} and {tuple(values.shape) if isinstance(values, Tensor) else 'Values'}"
            raise ValueError(f"Sparse.rows_of: expected indices and values of one shape (w, k), got {came}")
        w, k = indices.shape
        flat = values.reshape(-1) if isinstance(values, Tensor) else values
        return cls(size, torch.arange(w + 1) * k, indices.reshape(-1), flat, index_code, kind, paper)

    @classmethod
    def nonzeros(
        cls, matrix: Tensor, *, index_code: str = "auto", kind: str = "auto", paper: Bits | None = None
    ) -> Self:
        """Keep what is not zero in each row of a matrix, shape (w, d)."""
        indptr, indices, values = nonzero_entries(matrix)
        return cls(int(matrix.shape[1]), indptr, indices, values, index_code, kind, paper)

    @property
    def rows(self) -> int:
        """The number of messages, w."""
        return self.ragged.rows

    @property
    def device(self) -> torch.device:
        """Where indices and values live."""
        return self.indices.device

    @property
    def dtype(self) -> torch.dtype:
        """float64 for kind fp64, else float32."""
        return self.coded.dtype

    def floats(self) -> Tensor:
        """Give what each kept coordinate holds, shape (m,)."""
        return self.coded.floats(self.ragged)

    def _measure(self) -> tuple[Integers, Integers, Bits]:
        if not self._measured:
            supports = Supports(self.size, self.ragged, self.indices.cpu().numpy())
            numbers, parameters, bits = cheapest(supports, self.index_code)
            own = Bits.of(self.rows, indices=bits, header=8 * _HEADER.size + padding(bits))
            self._measured.append((numbers, parameters, self.coded.wire(self.ragged) + own))
        return self._measured[0]

    @property
    def wire(self) -> Bits:
        """See Payload; counted once."""
        return self._measure()[2]

    @property
    def entropy(self) -> Bits:
        """For the indices log2 C(d, k), or what the code took where clustered indices made it less; and the values'."""
        least = np.minimum(log2_binomial(self.size, self.ragged.counts), self.wire.indices)
        return self.coded.entropy(self.ragged) + Bits.of(self.rows, indices=least)

    def encode(self, row: int) -> Message:
        """See Payload."""
        number, parameter = (int(array[row]) for array in self._measure()[:2])
        row %= self.rows
        indices = self.indices[self.ragged.bounds(slice(row, row + 1))].cpu().numpy().astype(np.int64)
        head = _HEADER.pack(self.tag, number, parameter, self.coded.number, self.size, indices.size)
        coded = index_code(number).write(indices, self.size, parameter)
        return head + self.coded.write(row, self.ragged) + pack_bits(coded)

    @classmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """See Payload; indices come back as int64."""
        reader = Reader(message, _HEADER, cls.tag)
        _, number, parameter, form, size, count = reader.header
        values = form_of(form)
        if count > size:
            raise ValueError(f"message: expected at most d = {size} kept coordinates, got {count}")
        coded = values.read(reader, form, count, device)
        indices, used = index_code(number).read(reader.bits(), count, size, parameter)
        reader.skip_bits(used)
        reader.finish()
        indptr = torch.tensor([0, count])
        return cls(size, indptr, torch.from_numpy(indices).to(device), coded, index_code_name(number))

    def select(self, rows: slice | Tensor) -> Self:
        """See Payload; a range shares memory."""
        taken, where = self.ragged.take(rows, self.device)
        values = self.coded.take(rows, where, self.ragged)
        return self._with(taken, self.indices[where], values, select_paper(self.paper, rows))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """See Payload."""
        same_field(parts, "size")
        form = type(parts[0].coded)
        if any(type(part.coded) is not form for part in parts):
            came = sorted({type(part.coded).__name__ for part in parts})
            raise ValueError(f"join: expected values of one form, got {came}")
        rows = Ragged.of_counts(np.concatenate([part.ragged.counts for part in parts]))
        indices, values = torch.cat([part.indices for part in parts]), form.join([part.coded for part in parts])
        code = common_code(part.index_code for part in parts)
        joined = parts[0]._with(rows, indices, values, join_papers([part.paper for part in parts]), code)
        if all(part._measured and part.index_code == code for part in parts):  # counted already, on several threads
            numbers, parameters, bits = zip(*(part._measured[0] for part in parts), strict=True)
            joined._measured.append((np.concatenate(numbers), np.concatenate(parameters), Bits.join(bits)))
        return joined

    def dense(self) -> Tensor:
        """Give the rows with zeros filled in, shape (w, d)."""
        matrix = torch.zeros(self.rows, self.size, dtype=self.dtype, device=self.device)
        matrix.view(-1)[flat_positions(self.ragged, self.indices, self.size)] = self.floats()
        return matrix

    def add_to(self, total: Tensor, rows: slice = ALL, weights: Tensor | None = None) -> None:
        """See Payload: one flat scatter, entry after entry in row order."""
        part, where = self.ragged.take(rows, self.device)  # not `select`: nothing needs checking again
        values = self.coded.take(rows, where, self.ragged).floats(part).to(total.dtype)
        if weights is not None:
            values = values * part.spread(weights[rows].to(values))
        scatter_add(total, self.indices[where], values)

    def _left_fold(self, weights: Tensor, chunks: Sequence[slice]) -> Tensor:
        """See Payload; on the host one loop over the entries, whatever the number of chunks."""
        if not self.indices.is_cpu:
            return Payload._left_fold(self, weights, chunks)
        values, total = self.floats(), torch.zeros(self.size, dtype=self.dtype)
        entries = self.ragged.indptr, self.indices.numpy(), values.numpy(), weights.to(values).numpy()
        fold(total.numpy(), *entries, np.array(self._edges(chunks)))
        return total

    def subtract_from(self, matrix: Tensor) -> None:
        """See Payload: one flat scatter; no coordinate is met twice."""
        if matrix.shape != (self.rows, self.size):
            raise ValueError(f"matrix: expected shape {(self.rows, self.size)}, got {tuple(matrix.shape)}")
        values = self.floats().to(matrix.dtype)
        if matrix.is_cpu and matrix.is_contiguous():
            subtract(matrix.numpy(), self.ragged.indptr, self.indices.numpy(), values.numpy())
        elif matrix.is_contiguous():
            matrix.view(-1).index_add_(0, flat_positions(self.ragged, self.indices, self.size), values, alpha=-1)
        else:
            matrix[self.ragged.row_numbers(self.device), self.indices.long()] -= values

    def to(self, device: torch.device | str) -> Self:
        """See Payload."""
        return self._with(self.ragged, self.indices.to(device), self.coded.to(device), self.paper)

    def equals(self, other: Payload) -> bool:
        """See Payload; the width of the indices does not matter."""
        if not isinstance(other, Sparse) or self.size != other.size or not torch.equal(self.indptr, other.indptr):
            return False
        return torch.equal(self.indices.long(), other.indices.long().to(self.device)) and self.coded.equals(other.coded)

    def _with(self, rows: Ragged, indices: Tensor, values: Values, paper: Bits | None, code: str | None = None) -> Self:
        plain = values.flat if isinstance(values, FloatValues) else values
        indptr = torch.from_numpy(rows.indptr)
        return type(self)(self.size, indptr, indices, plain, code or self.index_code, self.kind, paper)
