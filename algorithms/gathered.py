"""What a gather delivers: the active workers' rows in order, and the chunks that fix the order of sums."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from algorithms.payloads import Payload


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The messages of m workers.

    Parameters
    ----------
    payload : Payload
        m rows, in the order of `workers`.
    workers : Tensor, shape (m,), int64
        Global numbers of the senders, increasing.
    weights : Tensor, shape (m,), float64
        Each sender's weight in the mean; they sum to 1.
    chunks : tuple of slice
        Blocks of consecutive rows. A sum is taken within each block, then over the blocks from left to right, so that
        it rounds the same however the blocks are spread over threads and processes.
    """

    payload: Payload
    workers: Tensor
    weights: Tensor
    chunks: tuple[slice, ...]

    def mean(self) -> Tensor:
        """Weight and sum the rows in the fixed order, shape (d,)."""
        return self.payload.mean(self.weights, list(self.chunks))
