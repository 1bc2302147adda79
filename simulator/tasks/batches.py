"""Which samples a worker takes in a step: a pure function of (seed, worker, step), whatever the batching of workers.

w workers here, B samples per batch, L samples in a worker's shard. Step t takes the positions t·B .. t·B + B - 1 of the
worker's own endless sequence of samples.
"""

from __future__ import annotations

import threading
from typing import Protocol

import torch
from torch import Tensor

from algorithms.streams import Stream
from simulator.tasks.partitions.shards import Shards


class Sampler(Protocol):
    """Chooses batches; calls are re-entrant."""

    def __call__(self, workers: Tensor, step: int | Tensor) -> Tensor:
        """Give the sample numbers of a step.

        Parameters
        ----------
        workers : Tensor, shape (w,), int64
            Global worker numbers, in any order.
        step : int or Tensor, shape (w,), int64
            From 0; one for all workers, or one for each.

        Returns
        -------
        Tensor, shape (w, B), int64
            On the CPU, whatever the device of `workers`.
        """
        ...


def first(step: int | Tensor, batch: int) -> int | Tensor:
    """Give the position at which a step's batch begins, a number or shape (w, 1)."""
    return step.cpu()[:, None] * batch if isinstance(step, Tensor) else step * batch


class Replacing:
    """Draw every sample of every batch independently, uniformly from the worker's shard.

    Parameters
    ----------
    shards : Shards
        What each worker holds.
    batch : int
        B.
    stream : Stream
        Draws are addressed by worker and position.
    """

    def __init__(self, shards: Shards, batch: int, stream: Stream) -> None:
        self._shards, self._batch, self._stream = shards, batch, stream
        self._positions = torch.arange(batch)

    def __call__(self, workers: Tensor, step: int | Tensor) -> Tensor:
        """Give the sample numbers of a step (see `Sampler`)."""
        workers = workers.cpu()
        positions = self._positions + first(step, self._batch)
        drawn = self._stream.integers(workers, positions, self._shards.length[workers])
        return self._shards.indices[drawn.add_(self._shards.start[workers, None])]


class Shuffling:
    """Walk through a fresh permutation of the worker's shard in each epoch.

    Position p of worker r belongs to epoch p // L, and is entry p % L of that epoch's permutation; a batch may begin
    in one epoch and end in a later one.

    Parameters
    ----------
    shards : Shards
        What each worker holds.
    batch : int
        B.
    stream : Stream
        The permutation of an epoch sorts the draws of the epoch's positions, so it depends on neither B nor on the
        past.

    Notes
    -----
    Permutations in use are kept (derived state, never saved): two blocks of whole epochs per worker, each at least B
    long so that a batch touches at most two. That is 8 bytes per sample held, twice over where L < B: small for a real
    partition, n·N·8 bytes for one in which each of n workers holds all N samples.
    """

    def __init__(self, shards: Shards, batch: int, stream: Stream) -> None:
        self._shards, self._batch, self._stream = shards, batch, stream
        self._block = shards.length * (-(-batch // shards.length))  # positions per block: whole epochs, at least B
        self._begin = 2 * (torch.cumsum(self._block, 0) - self._block)
        self._order = torch.empty(2 * int(self._block.sum()), dtype=torch.int32)
        self._holds = torch.full((shards.workers, 2), -1, dtype=torch.int64)  # which block each of the two places has
        self._positions = torch.arange(batch)
        self._lock = threading.Lock()

    def __call__(self, workers: Tensor, step: int | Tensor) -> Tensor:
        """Give the sample numbers of a step (see `Sampler`)."""
        workers = workers.cpu()
        size = self._block[workers, None]
        positions = self._positions + first(step, self._batch)
        block = positions // size
        # the even blocks' place comes first, so a position lies at its remainder modulo two blocks
        place = positions.remainder(2 * size).add_(self._begin[workers, None])
        with self._lock:
            for column in (0, -1):
                self._fill(workers, block[:, column])
            entries = self._order[place]
        return self._shards.indices[entries + self._shards.start[workers, None]]

    def _fill(self, workers: Tensor, block: Tensor) -> None:
        # makes the permutations of one block per worker, for those that lack it, all in one sort
        missing = (self._holds[workers, block % 2] != block).nonzero().flatten()
        if len(missing) == 0:
            return
        workers, block = workers[missing], block[missing]
        size, length = self._block[workers], self._shards.length[workers]
        row = torch.repeat_interleave(torch.arange(len(workers)), size)
        offset = torch.arange(len(row)) - torch.repeat_interleave(torch.cumsum(size, 0) - size, size)
        drawn = self._stream.bits(workers[row], (block * size)[row, None] + offset[:, None])[:, 0]
        # entries of one epoch of one worker stay together: the epoch's number in this call is the high half of the key
        epoch = torch.cumsum(offset % length[row] == 0, 0)
        sorted_entries = torch.argsort((epoch << 32) + drawn, stable=True)
        place = self._begin[workers] + (block % 2) * size
        self._order[place[row] + offset] = (offset % length[row])[sorted_entries].to(torch.int32)
        self._holds[workers, block % 2] = block


SAMPLERS: dict[str, type[Replacing] | type[Shuffling]] = {"shuffle": Shuffling, "replace": Replacing}
