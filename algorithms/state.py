"""All that a run must remember, kept where a checkpoint can find it: nothing hides in a suspended coroutine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms.cohort import Cohort


class Rows:
    """One row of state per worker (a residual, a momentum), indexed by worker number and made of zeros at first use.

    Parameters
    ----------
    dtype : torch.dtype or None
        What a row holds; the cohort's own float type when None.
    """

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype
        self.values: Tensor | None = None
        self._first = 0

    @property
    def width(self) -> int:
        """The numbers kept for each worker; 0 before the first use."""
        return 0 if self.values is None else self.values.shape[1:].numel()

    def open(self, cohort: Cohort, size: int) -> Tensor:
        """Give the hosted workers' rows, shape (w, size): a view when they lie side by side, else a copy to `close`."""
        first, last = cohort.home
        if self.values is None:
            self.values = torch.zeros(last - first, size, dtype=self.dtype or cohort.dtype, device=cohort.device)
        self._first = first
        if cohort.everyone or cohort.only is not None:
            return self.values
        return self.values[cohort.workers.to(self.values.device) - first]

    def close(self, cohort: Cohort, rows: Tensor) -> None:
        """Put rows that `open` copied back in their places."""
        if self.values is not None and rows.data_ptr() != self.values.data_ptr():
            self.put(cohort.workers, rows)

    def put(self, workers: Tensor, rows: Tensor) -> None:
        """Overwrite the rows of these workers."""
        if self.values is not None:
            self.values[workers.to(self.values.device) - self._first] = rows


class Stateful:
    """Saves and restores the attributes in `state_names`: tensors, numbers, `Rows` and other `Stateful` objects."""

    state_names: ClassVar[tuple[str, ...]] = ()

    def state(self) -> dict[str, Any]:
        """Give the state as a nested dictionary of tensors and numbers."""
        out: dict[str, Any] = {}
        for name in self.state_names:
            value = getattr(self, name)
            if isinstance(value, Stateful):
                value = value.state()
            elif isinstance(value, Rows):
                value = value.values
            out[name] = value
        return out

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` gave."""
        for name in self.state_names:
            held = getattr(self, name)
            if isinstance(held, Stateful):
                held.load(state[name])
            elif isinstance(held, Rows):
                held.values = state[name]
            else:
                setattr(self, name, state[name])

    def footprint(self) -> tuple[int, int]:
        """Count the numbers kept: those of each worker, and those kept once, at the server or everywhere alike."""
        own, once = sum(rows.width for rows in self.rows()), 0
        for name in self.state_names:
            value = getattr(self, name)
            if isinstance(value, Tensor):
                once += value.numel()
            elif isinstance(value, Stateful):
                once += value.footprint()[1]
        return own, once

    def rows(self) -> Iterator[Rows]:
        """Find every per-worker state, in a fixed order."""
        for name in self.state_names:
            value = getattr(self, name)
            if isinstance(value, Rows):
                yield value
            elif isinstance(value, Stateful):
                yield from value.rows()
