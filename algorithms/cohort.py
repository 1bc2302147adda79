"""The workers that one coroutine drives: who takes part in a round, in which chunks, with which random streams.

A cohort of n workers may be hosted whole or as `parts`, each a union of whole chunks of the round's active workers.
Chunks are blocks of `chunk` consecutive positions in the sorted list of active workers; nothing else decides how
values are summed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from algorithms.layout import Layout
from algorithms.streams import Stream

Map = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
Room = Callable[[int, int, torch.dtype], Tensor]


def serial_map(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Apply `function` to each item in turn."""
    return [function(item) for item in items]


@dataclass(frozen=True, slots=True)
class Draw:
    """The random streams of some workers in one round, and where each tensor lies in their coordinates."""

    workers: Tensor
    private: Stream
    shared: Stream
    layout: Layout


class Cohort:
    """The workers of one run, seen by the part of them that is hosted here.

    Parameters
    ----------
    n : int
        Workers in all.
    layout : Layout
        Where each tensor lies in the d coordinates.
    seed : int
        Seeds every stream of the algorithm.
    chunk : int
        Workers per chunk (design: never derived from memory or from what is hosted here).
    part, parts : int
        Which share of the chunks is hosted here, 0 <= part < parts.
    participation : float
        The fraction of workers active in a round, in (0, 1].
    shares : Tensor, shape (n,), or None
        Each worker's weight, such as its share of the samples; equal weights when None.
    only : int or None
        Host this one worker alone (asynchronous methods: n cohorts of one).
    pool : callable
        `map` over chunks, possibly on several threads.
    state_dtype : torch.dtype or None
        In what type residuals and momenta are kept; the run's own when None.
    room : callable or None
        Makes zeros, shape (rows, d), of a dtype, for what is kept from round to round; on `device` when None.
    """

    def __init__(
        self,
        n: int,
        layout: Layout,
        *,
        seed: int = 0,
        chunk: int = 8,
        part: int = 0,
        parts: int = 1,
        participation: float = 1.0,
        shares: Tensor | None = None,
        only: int | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        pool: Map = serial_map,
        state_dtype: torch.dtype | None = None,
        room: Room | None = None,
    ) -> None:
        if n < 1:
            raise ValueError(f"workers: expected at least 1, got {n}")
        if chunk < 1:
            raise ValueError(f"chunk: expected at least 1 worker, got {chunk}")
        if not 0 < participation <= 1:
            raise ValueError(f"participation: expected a fraction in (0, 1], got {participation}")
        self.n, self.layout, self.seed, self.chunk = n, layout, seed, chunk
        self.part, self.parts, self.only = part, parts, only
        self.participation, self.device, self.dtype, self.pool = participation, torch.device(device), dtype, pool
        self.state_dtype, self._room = state_dtype or dtype, room
        self.shares = torch.full((n,), 1.0 / n, dtype=torch.float64) if shares is None else shares.double().cpu()
        self._all = torch.arange(n)
        self._scope: tuple[int | str, ...] = ()
        self.begin(0)

    def begin(self, t: int) -> None:
        """Enter round t: draw the active workers and take this part's chunks of them."""
        self.round = t
        if self.only is not None:
            self.active = self._all[self.only : self.only + 1]
        elif self.everyone:
            self.active = self._all
        else:
            count = max(1, round(self.participation * self.n))
            keys = Stream(self.seed, "shared", "participation", t).bits(torch.tensor([0]), self.n)[0]
            self.active = torch.sort(torch.sort(keys, stable=True).indices[:count]).values
        m = len(self.active)
        blocks = [slice(i, min(i + self.chunk, m)) for i in range(0, m, self.chunk)]
        first, last = (len(blocks) * p // self.parts for p in (self.part, self.part + 1))
        mine = blocks[first:last]
        self.start, stop = (mine[0].start, mine[-1].stop) if mine else (0, 0)
        self.all_chunks = tuple(blocks)
        self.chunks = tuple(slice(b.start - self.start, b.stop - self.start) for b in mine)
        self.workers = self.active[self.start : stop]

    @property
    def everyone(self) -> bool:
        """Whether every worker takes part in every round."""
        return self.participation >= 1

    @property
    def size(self) -> int:
        """The number of rows hosted here in this round, w."""
        return len(self.workers)

    @property
    def weights(self) -> Tensor:
        """The weights of the active workers in the mean, shape (m,), float64, summing to 1."""
        shares = self.shares[self.active]
        return shares / shares.sum()

    @property
    def home(self) -> tuple[int, int]:
        """The worker numbers whose state is kept here: the hosted ones, or all when those change by the round."""
        if self.only is not None:
            return self.only, self.only + 1
        return (self.start, self.start + self.size) if self.everyone else (0, self.n)

    def zeros(self, rows: int, size: int, dtype: torch.dtype | None = None) -> Tensor:
        """Make the memory of a state, shape (rows, size); what has a `dtype` of its own is small and stays at hand."""
        if self._room is None or dtype is not None:
            return torch.zeros(rows, size, dtype=dtype or self.state_dtype, device=self.device)
        return self._room(rows, size, self.state_dtype)

    def slab(self, rows: int, size: int) -> Tensor:
        """Make the memory of gradients, shape (rows, size): beside the state, where their device can write there."""
        if self._room is None or self.device.type != "cpu":
            return torch.zeros(rows, size, dtype=self.dtype, device=self.device)
        return self._room(rows, size, self.dtype)

    def draw(self, rows: slice = slice(None)) -> Draw:
        """Give what a compressor may use besides the hosted `rows` themselves in this round."""
        workers = self.workers[rows].to(self.device)
        private = Stream(self.seed, "private", self.round, *self._scope)
        return Draw(workers, private, self.shared(self.round), self.layout)

    def shared(self, t: int) -> Stream:
        """Give the stream that is the same on every worker in round t (hash seeds, common supports, ties)."""
        return Stream(self.seed, "shared", t, *self._scope)

    def within(self, layout: Layout, *scope: int | str) -> Cohort:
        """See the same workers in this round with other coordinates, and with streams of their own named `scope`."""
        view = copy.copy(self)
        view.layout, view._scope = layout, (*self._scope, *scope)
        return view
