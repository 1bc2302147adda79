"""The contract of a compressor, and the one way an algorithm calls it: in chunks, with its time billed."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.cohort import Cohort, Draw
from algorithms.ops import Work
from algorithms.payloads import Payload

_SHORT = 64  # columns to a run, on average, below which taking them one by one is no slower


class Compressor(Protocol):
    """A lossy map from rows to messages."""

    def __call__(self, rows: Tensor, draw: Draw) -> Payload:
        """Compress each of the w rows of a (w, d) matrix."""
        ...

    def passes(self) -> float:
        """How many times one row's memory is read or written, decoding included; it prices the simulated encoder."""
        ...


class Piecewise:
    """Encode each message in `pieces` of equal size, each of which is sent while the next is encoded.

    Only the clock tells the difference: message and bytes are those of the wrapped compressor.
    """

    def __init__(self, compressor: Compressor, pieces: int) -> None:
        self.compressor, self.pieces = compressor, whole("algorithm.overlap.pieces", pieces)

    def __call__(self, rows: Tensor, draw: Draw) -> Payload:
        return self.compressor(rows, draw)

    def passes(self) -> float:
        """Those of the wrapped compressor."""
        return self.compressor.passes()


async def compress(cohort: Cohort, compressor: Compressor, update: Tensor, columns: Tensor | None = None) -> Payload:
    """Bill the encoder's time, then compress the hosted rows chunk by chunk.

    Parameters
    ----------
    update : Tensor, shape (w, d)
        One row per hosted worker.
    columns : Tensor of int64, optional
        The coordinates that are compressed; all by default.

    Returns
    -------
    Payload
        w messages.
    """
    pieces = compressor.pieces if isinstance(compressor, Piecewise) else 1
    size = update.shape[1] if columns is None else len(columns)
    await Work("encode", int(compressor.passes() * size * update.element_size()), pieces)
    chunks = cohort.chunks or (slice(0, 0),)  # a part may host nobody in a round
    parts = None if columns is None else runs(columns)

    def chunk(rows: slice) -> Payload:
        part = update[rows] if columns is None else taken(update[rows], columns, parts)
        return compressor(part, cohort.draw(rows))

    messages: list[Payload] = cohort.pool(chunk, chunks)
    return messages[0] if len(messages) == 1 else type(messages[0]).join(messages)


def runs(columns: Tensor) -> list[tuple[int, int]] | None:
    """Cut columns into runs of consecutive ones, first and last + 1; None where they are many and short."""
    ends = (torch.nonzero(columns.diff() != 1).view(-1) + 1).tolist()
    if len(ends) * _SHORT > len(columns) or not len(columns):
        return None
    parts = columns.tensor_split(ends)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]


def taken(rows: Tensor, columns: Tensor, parts: list[tuple[int, int]] | None) -> Tensor:
    """Copy some columns of a matrix: run by run, which is several times faster than by index, or by index."""
    if parts is None:
        return rows.index_select(1, columns)
    return torch.cat([rows[:, first:last] for first, last in parts], dim=1)


def kept(density: float | None, k: int | None, d: int) -> int:
    """Resolve how many of d coordinates a sparsifier keeps from its `density` or its `k`."""
    count = k if k is not None else max(1, round((density or 0.0) * d))
    if not 1 <= count <= d:
        raise ValueError(f"algorithm.k: expected 1 <= k <= d = {d} coordinates, got {count}")
    return count


def check_sparsity(density: float | None, k: int | None) -> None:
    """Refuse a sparsifier that has not exactly one meaningful size."""
    if (density is None) == (k is None):
        raise ValueError(f"algorithm.density, algorithm.k: expected exactly one of the two, got {density} and {k}")
    if density is not None and not (isinstance(density, (int, float)) and 0 < density <= 1):
        raise ValueError(f"algorithm.density: expected a fraction in (0, 1], got {density!r}")
    if k is not None:
        whole("algorithm.k", k)
