"""Bucketed exchange: what the backward pass has done is exchanged while it goes on with the rest (PyTorch's DDP).

The tensors are dealt into buckets from the last backwards, the order in which the backward pass reaches them. Each
bucket has an exchange of its own, with a residual of its own, forked when the bucket is ready.

w rows here, d coordinates.

References
----------
Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020, Section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.exchanges.base import Exchange, Sent
from algorithms.layout import Layout
from algorithms.ops import Fork, Handle, Join
from algorithms.state import Rows, Stateful

# A processor sums columns of a matrix in blocks of up to so many, and the last few of a row in another order: only
# buckets that begin at a block's edge round as the whole vector does.
_ALIGNED = 64


@dataclass(frozen=True)
class Bucket:
    """Coordinates that are exchanged together.

    Parameters
    ----------
    columns : slice
        Where they lie among the d coordinates.
    ready : float
        The fraction of a gradient's operations after which they are there.
    """

    columns: slice
    ready: float


def buckets(layout: Layout, bucket_bytes: float, first_bytes: float, width_bytes: int) -> list[Bucket]:
    """Deal tensors into buckets, from the last tensor backwards.

    Parameters
    ----------
    layout : Layout
    bucket_bytes : float
        A bucket is closed at the first tensor with which it holds so many bytes.
    first_bytes : float
        The same for the first bucket, so that something is sent early.
    width_bytes : int
        Bytes of a coordinate.

    Returns
    -------
    list of Bucket
        The one of the last tensors first. A bucket begins at a multiple of 64 coordinates: the first few of a tensor
        join the bucket of the tensor before it.
    """
    found: list[Bucket] = []
    stop, limit = layout.size, first_bytes
    ready = layout.ready or (1.0,) * len(layout.names)
    for tensor in reversed(range(len(layout.names))):
        start = -(-layout.slices[tensor].start // _ALIGNED) * _ALIGNED
        if tensor and (start >= stop or (stop - start) * width_bytes < limit):
            continue
        inside = [r for r, some in zip(ready, layout.slices, strict=True) if some.start < stop and some.stop > start]
        found.append(Bucket(slice(start, stop), max(inside)))
        stop, limit = start, bucket_bytes
    return found


@dataclass(frozen=True, eq=False)
class Spliced:
    """What was sent bucket by bucket, side by side.

    Parameters
    ----------
    parts : sequence of Sent
        One for each bucket.
    columns : sequence of slice
        Where each lies in the d coordinates.
    """

    parts: Sequence[Sent]
    columns: Sequence[slice]

    @property
    def rows(self) -> int:
        """The number of workers, w."""
        return self.parts[0].rows

    def dense(self) -> Tensor:
        """Give every row as the vector that it stands for, shape (w, d)."""
        order = sorted(range(len(self.parts)), key=lambda i: self.columns[i].start)
        return torch.cat([self.parts[i].dense() for i in order], dim=1)

    def subtract_from(self, matrix: Tensor) -> None:
        """Subtract each row from the same row of `matrix`, shape (w, d), in place."""
        for part, columns in zip(self.parts, self.columns, strict=True):
            part.subtract_from(matrix[:, columns])


class Bucketed(Stateful):
    """One exchange per bucket of tensors, each forked when the backward pass has passed its tensors.

    Parameters
    ----------
    make : callable
        Makes the exchange of one bucket.
    bucket_bytes, first_bytes : float
        See `buckets`.

    Notes
    -----
    Where a mean is a sum of dense values it is that of one exchange, to the bit (on a CPU). A compressor works on each
    bucket by itself: top-k keeps a share of every bucket, and scales and random draws are a bucket's own.
    """

    def __init__(self, make: Callable[[], Exchange], bucket_bytes: float, first_bytes: float) -> None:
        self.make, self.bucket_bytes, self.first_bytes = make, bucket_bytes, min(first_bytes, bucket_bytes)
        self.exchanges: list[Any] = [make()]
        self.conserves, self.samples = self.exchanges[0].conserves, self.exchanges[0].samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sent]:
        found = buckets(cohort.layout, self.bucket_bytes, self.first_bytes, update.element_size())
        columns = [bucket.columns for bucket in found]
        self._grow(len(found))
        handles: list[Handle[tuple[Tensor, Sent]]] = []
        for i, bucket in enumerate(found):
            part = update[:, bucket.columns]
            branch = self.exchanges[i](cohort.within(Layout.flat(part.shape[1]), "bucket", i), part, t)
            handles.append(await Fork(branch, f"{t}.{i}", bucket.ready))
        mean = torch.empty(update.shape[1], dtype=update.dtype, device=update.device)
        sent: list[Sent] = []
        for handle, where in zip(handles, columns, strict=True):
            answer: tuple[Tensor, Sent] = await Join(handle)
            mean[where] = answer[0]
            sent.append(answer[1])
        return mean, Spliced(sent, columns)

    def _grow(self, count: int) -> None:
        self.exchanges += [self.make() for _ in range(count - len(self.exchanges))]

    def state(self) -> dict[str, Any]:
        """Give every bucket's state, in the order of the buckets."""
        return {"exchanges": [exchange.state() for exchange in self.exchanges]}

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` gave."""
        self._grow(len(state["exchanges"]))
        for exchange, saved in zip(self.exchanges, state["exchanges"], strict=True):
            exchange.load(saved)

    def rows(self) -> Iterator[Rows]:
        """Find every bucket's per-worker state."""
        for exchange in self.exchanges:
            yield from exchange.rows()
