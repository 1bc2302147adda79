"""What a schedule is asked for: the payloads of the participants and how they grow as they are merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.timing import same, uniform

Merged: TypeAlias = Callable[[int], float]


@dataclass(frozen=True, eq=False)
class Call:
    """One collective to be scheduled; w ranks.

    Parameters
    ----------
    sizes_bytes : ndarray, shape (w,)
        What each rank contributes.
    merged : callable
        Number of payloads merged -> bytes of the result, asked for 2..w; it never falls as the number grows.
    segments : int
        Pieces into which pipelined schedules cut a message.
    groups : tuple of ndarray of int
        Ranks that are near one another, for hierarchical schedules; empty when nobody said.
    servers : int
        Servers of the fabric.
    root : int
        The rank that a broadcast starts from or a reduction ends at; -1 is the server.
    edges : tuple of two ndarrays of int, optional
        Sources and destinations of a neighbour exchange.
    """

    sizes_bytes: Floats
    merged: Merged
    segments: int = 4
    groups: tuple[Integers, ...] = ()
    servers: int = 0
    root: int = 0
    edges: tuple[Integers, Integers] | None = field(default=None)

    @property
    def ranks(self) -> int:
        """The number of participants, w."""
        return len(self.sizes_bytes)

    @cached_property
    def alike(self) -> bool:
        """Whether all ranks contribute as much."""
        return same(self.sizes_bytes)

    @cached_property
    def own(self) -> Floats | float:
        """What each rank contributes, as one number where it is the same."""
        return float(self.sizes_bytes[0]) if self.alike else self.sizes_bytes

    @property
    def largest(self) -> float:
        """The largest contribution."""
        return float(self.sizes_bytes[0] if self.alike else self.sizes_bytes.max())

    @cached_property
    def result(self) -> float:
        """Bytes of everything merged."""
        size = float(self.merged(self.ranks)) if self.ranks > 1 else self.largest
        if not 0 <= size < np.inf:
            raise ValueError(f"merged: expected finite bytes of at least 0, got {size} for {self.ranks}")
        return size

    def holding(self, counts: Integers, own: Floats) -> Floats:
        """Size of what ranks hold that have `counts` payloads merged, or only their `own`."""
        whole = own.astype(np.float64)
        for count in np.unique(counts).tolist():
            if count > 1:
                whole[counts == count] = self.merged(count)
        return whole

    def growth(self, first: int, last: int) -> list[tuple[float, int]]:
        """Sizes of `first` to `last` payloads merged, as (bytes, how many counts in a row): few when it hardly grows.

        Raises
        ------
        ValueError
            If the size falls as the number grows.
        """
        if first > last:
            return []
        runs: list[tuple[float, int]] = []
        self._runs(first, float(self.merged(first)), last, float(self.merged(last)), runs)
        return runs

    def _runs(self, first: int, low: float, last: int, high: float, runs: list[tuple[float, int]]) -> None:
        if not 0 <= low <= high < np.inf:
            raise ValueError(f"merged: expected finite bytes that never fall, got {low} for {first}, {high} for {last}")
        if low == high or last == first:
            if runs and runs[-1][0] == low:
                runs[-1] = (low, runs[-1][1] + last - first + 1)
            else:
                runs.append((low, last - first + 1))
            return
        middle = (first + last) // 2
        self._runs(first, low, middle, float(self.merged(middle)) if middle > first else low, runs)
        after = float(self.merged(middle + 1)) if middle + 1 < last else high
        self._runs(middle + 1, after, last, high, runs)


def largest(sizes_bytes: Floats) -> Merged:
    """The law of payloads that do not grow: merged, they take what the largest takes."""
    size = float(sizes_bytes[0] if uniform(sizes_bytes) else sizes_bytes.max())
    return lambda count: size
