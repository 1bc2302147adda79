"""The samples of all workers in one flat array, and the interface of what deals them out.

n workers, N samples; worker r holds ``indices[start[r] : start[r] + length[r]]``. Shards may overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from algorithms.streams import Stream


@dataclass(frozen=True, eq=False)
class Shards:
    """The sample numbers of each worker.

    Parameters
    ----------
    indices : Tensor, shape (total,), int64
        Sample numbers.
    start, length : Tensor, shape (n,), int64
        Where each worker's samples begin in `indices`, and how many they are, at least one.

    Raises
    ------
    ValueError
        If a worker has no sample or one outside `indices`.
    """

    indices: Tensor
    start: Tensor
    length: Tensor

    def __post_init__(self) -> None:
        if len(self.start) == 0 or self.start.shape != self.length.shape:
            raise ValueError(
                f"shards: expected a start and a length per worker, got {len(self.start)} and {len(self.length)}"
            )
        if int(self.length.min()) < 1:
            raise ValueError(
                f"shards: expected a sample for every worker, got none for worker {int(self.length.argmin())}"
            )
        if int(self.start.min()) < 0 or int((self.start + self.length).max()) > len(self.indices):
            raise ValueError(f"shards: expected ranges within {len(self.indices)} indices, got one outside")

    @classmethod
    def of_owners(cls, owner: Tensor, workers: int, order: Tensor | None = None) -> Shards:
        """Collect each worker's samples.

        Parameters
        ----------
        owner : Tensor, shape (N,), int64
            The worker that holds each sample.
        workers : int
            n.
        order : Tensor, shape (N,), int64, optional
            A permutation of the samples, in whose order they stand within a shard; by default increasing.
        """
        order = torch.arange(len(owner)) if order is None else order
        indices = order[torch.argsort(owner[order], stable=True)]
        length = torch.bincount(owner, minlength=workers)
        return cls(indices, torch.cumsum(length, 0) - length, length)

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        return len(self.start)

    @property
    def weights(self) -> Tensor:
        """Each worker's share of the samples, shape (n,), float64, summing to 1."""
        return self.length.to(torch.float64) / float(self.length.sum())

    def of(self, worker: int) -> Tensor:
        """Give the sample numbers of one worker, shape (length,)."""
        start = int(self.start[worker])
        return self.indices[start : start + int(self.length[worker])]


class Partition(Protocol):
    """Deals samples out to workers; a task calls it once, with its training labels."""

    name: str
    batches: str
    """How batches are drawn where the task does not say: 'shuffle' or 'replace'."""

    def __call__(self, targets: Tensor, workers: int, stream: Stream) -> Shards:
        """Deal out the samples with classes `targets`, shape (N,), using draws of `stream` only."""
        ...


def permutation(stream: Stream, count: int) -> Tensor:
    """Draw a permutation of 0..count-1, shape (count,), int64."""
    return torch.argsort(stream.bits(torch.zeros(1, dtype=torch.int64), count)[0], stable=True)


def require_samples(workers: int, samples: int) -> None:
    """Raise ValueError if there are more workers than samples, saying which keys to change."""
    if workers > samples:
        raise ValueError(
            f"workers: expected at most {samples}, one per training sample of this task, got {workers}; "
            "take fewer workers or partition=iid_replacement"
        )
