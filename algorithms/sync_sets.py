"""After which of its local steps a worker exchanges: the sync sets I_T of Qsparse-local-SGD, with gaps of at most H.

A set answers how many local steps lie before a worker's exchange number c, from c = 0; None: it has no such exchange.
All but `ComputeDriven` do so without looking at time.

References
----------
Basu, Data, Karakus, Diggavi, "Qsparse-local-SGD: Distributed SGD with Quantization, Sparsification, and Local
Computations", NeurIPS 2019, Definition of gap(I_T).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from algorithms.checks import whole
from algorithms.cohort import Cohort
from algorithms.streams import Stream


@runtime_checkable
class SyncSet(Protocol):
    """Known before the run: a function of seed, worker and count."""

    def gap(self, cohort: Cohort, worker: int, count: int) -> int | None:
        """Give the local steps between a worker's exchanges `count` - 1 and `count`; None after the last."""
        ...

    def exchanges(self, worker: int) -> float:
        """Give how many exchanges a worker has at most."""
        ...


@dataclass(frozen=True)
class FixedGap:
    """Every H steps.

    Parameters
    ----------
    gap_steps : int
        H >= 1.
    first : int or None
        Steps before the first exchange, 1..H; H when None. 1 is the authors' code, whose step 0 exchanges.
    """

    gap_steps: int = 8
    first: int | None = None

    def __post_init__(self) -> None:
        whole("algorithm.sync_set.gap_steps", self.gap_steps)
        if self.first is not None and whole("algorithm.sync_set.first", self.first) > self.gap_steps:
            raise ValueError(
                f"algorithm.sync_set.first: expected at most H = algorithm.sync_set.gap_steps = {self.gap_steps} "
                f"(gap(I_T) <= H), got {self.first}"
            )

    def gap(self, cohort: Cohort, worker: int, count: int) -> int:
        """See SyncSet."""
        return self.first if count == 0 and self.first is not None else self.gap_steps

    def exchanges(self, worker: int) -> float:
        """Without end."""
        return math.inf


@dataclass(frozen=True)
class ListedSteps:
    """The exchanges listed: after which steps, counted from 1.

    Parameters
    ----------
    steps : sequence of int, or of sequences of int
        One increasing list for all workers, or one for each.
    longest : int
        H, which no gap may exceed, the one from the start to the first exchange included.

    Raises
    ------
    ValueError
        If a list is empty or does not increase from at least 1, or a gap exceeds H.
    """

    steps: Sequence[int] | Sequence[Sequence[int]]
    longest: int

    def __post_init__(self) -> None:
        whole("algorithm.sync_set.longest", self.longest)
        if isinstance(self.steps, str) or not isinstance(self.steps, Sequence) or not self.steps:
            raise ValueError(f"algorithm.sync_set.steps: expected a list of steps, not empty, got {self.steps!r}")
        for number, listed in enumerate(self._lists()):
            self._check(listed, f" of worker {number}" if self.each else "")

    @property
    def each(self) -> bool:
        """Whether every worker has a list of its own."""
        return not isinstance(self.steps[0], int)

    def _lists(self) -> Sequence[Sequence[int]]:
        return self.steps if self.each else [self.steps]  # type: ignore[list-item,return-value]

    def _check(self, listed: Sequence[int], whose: str) -> None:
        key = "algorithm.sync_set.steps"
        if isinstance(listed, (str, int)) or not listed:
            raise ValueError(f"{key}: expected at least one step in the list{whose}, got {listed!r}")
        for step in listed:
            whole(key, step)
        gaps = [later - earlier for earlier, later in zip([0, *listed], listed, strict=False)]
        if min(gaps) < 1:
            raise ValueError(f"{key}: expected steps that increase{whose}, got {list(listed)}")
        if max(gaps) > self.longest:
            raise ValueError(
                f"{key}: expected gap(I_T) <= H = algorithm.sync_set.longest = {self.longest}{whose} (Basu et al. "
                f"2019), got a gap of {max(gaps)}"
            )

    def _of(self, worker: int) -> Sequence[int]:
        lists = self._lists()
        if self.each and worker >= len(lists):
            raise ValueError(f"algorithm.sync_set.steps: expected a list for each worker, got {len(lists)}")
        return lists[worker if self.each else 0]

    def gap(self, cohort: Cohort, worker: int, count: int) -> int | None:
        """See SyncSet."""
        listed = self._of(worker)
        return listed[count] - (listed[count - 1] if count else 0) if count < len(listed) else None

    def exchanges(self, worker: int) -> float:
        """As many as are listed."""
        return len(self._of(worker))


@dataclass(frozen=True)
class RandomGaps:
    """Each gap uniform on 1..H, drawn anew after every exchange, by each worker for itself.

    Parameters
    ----------
    longest : int
        H >= 1.
    """

    longest: int = 8

    def __post_init__(self) -> None:
        whole("algorithm.sync_set.longest", self.longest)

    def gap(self, cohort: Cohort, worker: int, count: int) -> int:
        """See SyncSet."""
        drawn = Stream(cohort.seed, "sync set").integers(torch.tensor([worker]), torch.tensor([count]), self.longest)
        return 1 + int(drawn[0, 0])

    def exchanges(self, worker: int) -> float:
        """Without end."""
        return math.inf


@dataclass(frozen=True)
class ComputeDriven:
    """Whenever a worker is through: after H steps, or after the first step that ends `period_s` after the last one.

    Parameters
    ----------
    longest : int
        H >= 1.
    period_s : float or None
        Simulated seconds of computing after which a worker exchanges before its H steps are done; None: never.

    Notes
    -----
    The server takes what comes in the order of arrival, so this set depends on time and makes a run racy.
    """

    longest: int = 8
    period_s: float | None = None

    def __post_init__(self) -> None:
        whole("algorithm.sync_set.longest", self.longest)
        period = self.period_s
        if period is not None and (
            isinstance(period, bool) or not isinstance(period, (int, float)) or not 0 < period < math.inf
        ):
            raise ValueError(f"algorithm.sync_set.period_s: expected positive seconds, or null, got {period!r}")
