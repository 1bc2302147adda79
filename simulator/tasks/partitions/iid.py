"""Partitions whose workers all see the same distribution."""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.streams import Stream
from simulator.tasks.partitions.shards import Shards, permutation, require_samples


class Iid:
    """Shuffle the samples and cut them into n equal parts (sizes differ by at most one; the first ones are larger).

    Parameters
    ----------
    name : str
        What records call it.
    """

    batches = "shuffle"

    def __init__(self, *, name: str = "iid") -> None:
        self.name = name

    def __call__(self, targets: Tensor, workers: int, stream: Stream) -> Shards:
        """Deal out; raises ValueError if there are more workers than samples."""
        require_samples(workers, len(targets))
        size, larger = divmod(len(targets), workers)
        length = torch.full((workers,), size, dtype=torch.int64)
        length[:larger] += 1
        return Shards(permutation(stream, len(targets)), torch.cumsum(length, 0) - length, length)


class IidWithReplacement:
    """Let every worker draw from the whole set, so that there may be any number of workers.

    Parameters
    ----------
    name : str
        What records call it.
    """

    batches = "replace"

    def __init__(self, *, name: str = "iid_replacement") -> None:
        self.name = name

    def __call__(self, targets: Tensor, workers: int, stream: Stream) -> Shards:
        """Give all samples to each worker; the shards share one array."""
        start = torch.zeros(workers, dtype=torch.int64)
        return Shards(torch.arange(len(targets)), start, torch.full_like(start, len(targets)))
