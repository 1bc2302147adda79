"""The contract of every payload, and what all payloads share: sizes in bytes, sums in one fixed order.

Legend: `w` rows (messages) here, `d` coordinates, `k` kept coordinates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.payloads.bits import Bits
from algorithms.payloads.message import Message

_BLOCK = 1 << 20  # entries made dense together: about what a cache holds, so that scratch memory is reused while warm
ALL = slice(None)


class Payload(ABC):
    """An immutable batch of `w` messages about `d` coordinates each; it owns its memory.

    Attributes
    ----------
    size : int
        Coordinates that a message speaks about, d.
    paper : Bits or None
        What the paper's own formula counts, set by compressors.
    """

    __slots__ = ()
    tag: ClassVar[int]
    size: int
    paper: Bits | None

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of messages, w."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the tensors live."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """The dtype of `dense()` and `mean()`."""

    @property
    @abstractmethod
    def wire(self) -> Bits:
        """What the encoder writes, counted without writing; the parts add up to 8 * bytes, padding counts as header."""

    @property
    @abstractmethod
    def entropy(self) -> Bits:
        """The lower bound on what had to be written."""

    @property
    def bytes(self) -> NDArray[np.int64]:
        """The length of each row's message, int64, shape (w,): exactly `len(encode(row))`."""
        return np.asarray(self.wire.total // 8, np.int64)

    @abstractmethod
    def encode(self, row: int) -> Message:
        """Write one row as a message that describes itself."""

    @classmethod
    @abstractmethod
    def decode(cls, message: Message, *, device: torch.device | str = "cpu") -> Self:
        """Read a message into a payload of one row (without paper bits). Raises ValueError if it is damaged."""

    @abstractmethod
    def select(self, rows: slice | Tensor) -> Self:
        """Take some rows, by a range or by an int64 tensor of row numbers."""

    @classmethod
    @abstractmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Concatenate the rows of several payloads that agree in everything else; ValueError where they do not."""

    @abstractmethod
    def dense(self) -> Tensor:
        """Give every row as the vector that it stands for, shape (w, d). Not to be written to."""

    @abstractmethod
    def to(self, device: torch.device | str) -> Self:
        """Move the tensors."""

    @abstractmethod
    def equals(self, other: Payload) -> bool:
        """Tell whether both say the same, bit for bit; how they would be coded and paper bits do not matter."""

    def add_to(self, total: Tensor, rows: slice = ALL, weights: Tensor | None = None) -> None:
        """Add rows to a vector in one fixed order: total += sum_r weights_r * row_r, in the dtype of `total`.

        Parameters
        ----------
        total : Tensor, shape (d,)
            Changed in place.
        rows : slice
            Consecutive rows to add, all by default.
        weights : Tensor, shape (w,), optional
            One factor for each row of this payload (not only for those in `rows`), 1 by default. The product is rounded
            before it is added.
        """
        part = self.select(rows).dense().to(total.dtype)
        if weights is not None:
            part = part * weights[rows].to(part)[:, None]
        total.add_(part.sum(0))

    def subtract_from(self, matrix: Tensor) -> None:
        """Subtract each row from the same row of `matrix`, shape (w, d), in place; x - x gives exactly 0."""
        if matrix.shape != (self.rows, self.size):
            raise ValueError(f"matrix: expected shape {(self.rows, self.size)}, got {tuple(matrix.shape)}")
        for block in self._blocks():
            matrix[block].sub_(self.select(block).dense())

    def mean(self, weights: Tensor, chunks: Sequence[slice]) -> Tensor:
        """Add all rows, weighted, in the order that does not depend on hosting.

        Parameters
        ----------
        weights : Tensor, shape (w,)
            One factor for each row, 1 / n for a plain mean over n workers.
        chunks : sequence of slice
            Blocks of consecutive rows that follow each other and cover all rows.

        Returns
        -------
        Tensor, shape (d,)
            A left fold over the chunks' partial sums, each of which starts at zero: the same bits, whether the chunks
            are rows of one payload or payloads of their own whose means are added in order.

        Raises
        ------
        ValueError
            If there is not one weight a row, or the chunks leave out, repeat or reorder rows.
        """
        if weights.shape != (self.rows,):
            raise ValueError(f"weights: expected shape ({self.rows},), got {tuple(weights.shape)}")
        return self._left_fold(weights, chunks)

    def _edges(self, chunks: Sequence[slice]) -> list[int]:
        """Give where chunks begin, and w, or raise ValueError unless they cover all rows in order."""
        bounds = [chunk.indices(self.rows) for chunk in chunks]
        covered = [0, *(stop for _, stop, _ in bounds)]
        if covered[-1] != self.rows or any(b[0] != at or b[2] != 1 for b, at in zip(bounds, covered, strict=False)):
            raise ValueError(f"chunks: expected consecutive blocks that cover {self.rows} rows, got {list(chunks)}")
        return covered

    def _left_fold(self, weights: Tensor, chunks: Sequence[slice]) -> Tensor:
        total: Tensor | None = None
        for start, stop in pairwise(self._edges(chunks)):
            partial = torch.zeros(self.size, dtype=self.dtype, device=self.device)
            self.add_to(partial, slice(start, stop), weights)
            total = partial if total is None else total.add_(partial)
        return torch.zeros(self.size, dtype=self.dtype, device=self.device) if total is None else total

    def _blocks(self) -> Iterator[slice]:
        step = max(1, _BLOCK // max(1, self.size))
        return (slice(start, min(start + step, self.rows)) for start in range(0, self.rows, step))


def on_host(tensor: Tensor, *kinds: torch.dtype) -> bool:
    """Whether a kernel may write to a tensor: one of these dtypes, on the host, in one piece."""
    return tensor.device.type == "cpu" and tensor.dtype in kinds and tensor.is_contiguous()


def common_code(codes: Iterable[str]) -> str:
    """Give the code that all messages to be joined use, or "auto" when each took its own."""
    found = set(codes)
    return found.pop() if len(found) == 1 else "auto"


def same_field(parts: Sequence[Payload], name: str) -> None:
    """Raise ValueError unless all payloads to be joined agree in a field."""
    found = {getattr(part, name) for part in parts}
    if len(found) != 1:
        raise ValueError(f"join: expected payloads of one {name}, got {sorted(map(str, found)) or 'none'}")
