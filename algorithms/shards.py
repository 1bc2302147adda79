"""A model cut into shards, each with an optimizer, a version and, for every worker, what that worker has seen of it.

Legend: n workers, d coordinates, S shards of ceil(d / S) coordinates, H versions kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors.dropping import Dropping, paper_of
from algorithms.layout import Layout
from algorithms.outer import Outer
from algorithms.payloads import Bits, CentredValues, Dense, Payload, Sparse, Values


def ranges(d: int, shards: int) -> list[slice]:
    """Cut d coordinates into parts of ceil(d / shards); the last is shorter, and where d is small some are missing."""
    size = -(-d // shards)
    return [slice(start, min(start + size, d)) for start in range(0, d, size)]


def cut(message: Payload, parts: Sequence[slice]) -> list[Payload]:
    """Cut a one-row message, Dense or Sparse, into messages about consecutive ranges of coordinates."""
    if isinstance(message, Dense):
        return [whole(message.values[0, part]) for part in parts]
    if not isinstance(message, Sparse):
        raise ValueError(f"message: expected Dense or Sparse, got {type(message).__name__}")
    edges = torch.tensor([part.start for part in parts] + [parts[-1].stop], device=message.device)
    bounds = torch.searchsorted(message.indices.long(), edges).tolist()
    pieces: list[Payload] = []
    for part, start, stop in zip(parts, bounds[:-1], bounds[1:], strict=True):
        coded = message.coded
        values: Tensor | Values
        values = coded.between(start, stop) if isinstance(coded, CentredValues) else message.floats()[start:stop]
        indptr, indices = torch.tensor([0, stop - start]), message.indices[start:stop] - part.start
        paper = paper_of(indptr.diff().numpy(), values)
        pieces.append(Sparse(part.stop - part.start, indptr, indices, values, message.index_code, paper=paper))
    return pieces


def within(layout: Layout, part: slice) -> Layout:
    """Lay out a range of the coordinates: the tensors in it, those at its ends cut, all flat."""
    pairs = [
        (name, (min(where.stop, part.stop) - max(where.start, part.start),))
        for name, where in zip(layout.names, layout.slices, strict=True)
        if where.start < part.stop and where.stop > part.start
    ]
    return Layout(tuple(name for name, _ in pairs), tuple(shape for _, shape in pairs))


def whole(values: Tensor) -> Dense:
    """Make the message that holds all of a shard, shape (len,)."""
    kind, bits = ("fp64", 64) if values.element_size() == 8 else ("fp32", 32)
    return Dense(values.clone()[None], kind, Bits.of(1, values=bits * len(values)))


class History(Protocol):
    """What a shard remembers, so that it can send a worker what has changed."""

    def stepped(self, version: int, model: Tensor) -> None:
        """Note the model of a new version."""
        ...

    def read(self, worker: int, version: int, model: Tensor) -> None:
        """Note that a worker is being sent this version."""
        ...

    def base(self, worker: int, version: int) -> Tensor:
        """Give the version that the worker was sent last, to be subtracted from `version`, the newest."""
        ...


class Recent:
    """The last H versions: a worker that was sent an older one gets less than the whole difference (authors' code)."""

    def __init__(self, model: Tensor, length: int) -> None:
        self._ring = model.repeat(length, 1)
        self._seen: Counter[int] = Counter()

    def stepped(self, version: int, model: Tensor) -> None:
        """See History."""
        self._ring[version % len(self._ring)] = model

    def read(self, worker: int, version: int, model: Tensor) -> None:
        """See History."""
        self._seen[worker] = version

    def base(self, worker: int, version: int) -> Tensor:
        """See History; the oldest that is kept where that one is not."""
        oldest = max(0, version - len(self._ring) + 1)
        return self._ring[max(self._seen[worker], oldest) % len(self._ring)]


class Exact:
    """A copy of what each worker was sent last: nothing is lost, for n copies of the shard."""

    def __init__(self, model: Tensor) -> None:
        self._start = model.clone()
        self._copies: dict[int, Tensor] = {}

    def stepped(self, version: int, model: Tensor) -> None:
        """See History."""

    def read(self, worker: int, version: int, model: Tensor) -> None:
        """See History."""
        self._copies[worker] = model.clone()

    def base(self, worker: int, version: int) -> Tensor:
        """See History."""
        return self._copies.get(worker, self._start)


class Shard:
    """One range of the model at a server; it handles one push at a time.

    Parameters
    ----------
    model : Tensor, shape (len,)
        A view of the model, moved in place.
    layout : Layout
        Of this range.
    outer : Outer
        Its own optimizer.
    dropping : Dropping
        What a sparse pull applies to the difference.
    history : History

    Attributes
    ----------
    version : int
        Pushes applied so far.
    seen : Counter
        The version that each worker was sent last.
    kept : dict of int to Tensor
        For each worker, what pulls have left out so far. With an exact history the worker's copy is the version that
        it was sent last minus this.
    """

    def __init__(self, model: Tensor, layout: Layout, outer: Outer, dropping: Dropping, history: History) -> None:
        self.model, self.layout, self.outer = model, layout, outer
        self.dropping, self.history = dropping, history
        self.version = 0
        self.seen: Counter[int] = Counter()
        self.kept: dict[int, Tensor] = {}

    def apply(self, push: Payload, t: int, rounds: int) -> None:
        """Take one optimizer step along one worker's push."""
        self.outer(self.model, push.dense()[0].to(self.model), t, rounds)
        self.version += 1
        self.history.stepped(self.version, self.model)

    def everything(self, worker: int) -> Dense:
        """Answer a worker with the whole shard."""
        self.kept.pop(worker, None)
        self._sends(worker)
        return whole(self.model)

    def difference(self, worker: int, cohort: Cohort) -> Payload:
        """Answer a worker with what has changed since it was answered last, as far as it is not dropped."""
        delta = self.model - self.history.base(worker, self.version)
        if worker in self.kept:
            delta += self.kept[worker]
        answer = self.dropping(delta[None], cohort.within(self.layout).draw(slice(0, 1)))
        answer.subtract_from(delta[None])
        self.kept[worker] = delta
        self._sends(worker)
        return answer

    def _sends(self, worker: int) -> None:
        self.seen[worker] = self.version
        self.history.read(worker, self.version, self.model)
