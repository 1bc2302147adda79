"""The contract of a compressor, and the one way an algorithm calls it: in chunks, with its time billed."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from algorithms.checks import whole
from algorithms.cohort import Cohort, Draw
from algorithms.ops import Work
from algorithms.payloads import Payload


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


async def compress(cohort: Cohort, compressor: Compressor, update: Tensor, size: int | None = None) -> Payload:
    """Bill the encoder's time, then compress the hosted rows chunk by chunk.

    Parameters
    ----------
    update : Tensor, shape (w, d)
        One row per hosted worker.
    size : int, optional
        The coordinates that the encoder is billed for, where the compressor leaves some out; d by default.

    Returns
    -------
    Payload
        w messages.
    """
    pieces = compressor.pieces if isinstance(compressor, Piecewise) else 1
    await Work("encode", int(compressor.passes() * (size or update.shape[1]) * update.element_size()), pieces)
    chunks = cohort.chunks or (slice(0, 0),)  # a part may host nobody in a round
    messages: list[Payload] = cohort.pool(lambda rows: compressor(update[rows], cohort.draw(rows)), chunks)
    return messages[0] if len(messages) == 1 else type(messages[0]).join(messages)


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
