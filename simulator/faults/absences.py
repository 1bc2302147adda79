"""When each worker is away: drawn from lifetimes, or listed. Nothing depends on what a run does meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import torch

from algorithms.streams import Stream


@dataclass(frozen=True)
class Absence:
    """A time without a worker.

    Parameters
    ----------
    start_s, end_s : float
        From when until when, start_s < end_s; the end is infinite when it never comes back.
    crash : bool
        Whether it crashed; else it left, or had not come yet.
    """

    start_s: float
    end_s: float
    crash: bool = True


class Absences(Protocol):
    """The absences of every worker."""

    def of(self, worker: int) -> Iterator[Absence]:
        """Give a worker's absences in order, perhaps without end; none touches the next."""
        ...


@dataclass(frozen=True)
class Crashes:
    """Exponential times to failure and to repair, drawn by (seed, worker, number of the crash).

    Parameters
    ----------
    mttf_s, mttr_s : float
        Mean times, positive.
    permanent : float
        The probability that a crash is for good.
    """

    seed: int
    mttf_s: float
    mttr_s: float
    permanent: float

    def of(self, worker: int) -> Iterator[Absence]:
        now, row = 0.0, torch.tensor([worker])
        for number in count():
            life, repair, fate = Stream(self.seed, "faults", "crash", number).uniform(row, 3, torch.float64)[0].tolist()
            start = now - self.mttf_s * math.log1p(-life)
            now = math.inf if fate < self.permanent else start - self.mttr_s * math.log1p(-repair)
            if start < now:  # a draw of 0 repairs at once
                yield Absence(start, now)
            if now == math.inf:
                return


@dataclass(frozen=True)
class Listed:
    """Absences that were written down, by worker."""

    known: Mapping[int, Sequence[Absence]]

    def of(self, worker: int) -> Iterator[Absence]:
        return iter(self.known.get(worker, ()))
