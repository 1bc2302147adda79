"""All that a run must remember, kept where a checkpoint can find it: nothing hides in a suspended coroutine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.rounding import round_rows
from algorithms.streams import Stream


class Rows:
    """One row of state per worker (a residual, a momentum), indexed by worker number and made of zeros at first use.

    Rows are kept as the cohort says: in the run's own float type or in bfloat16, in its device's memory or elsewhere.
    Arithmetic on them goes through `add` and `each`, which work in the run's type on its device, and through `close`,
    which keeps the outcome; `open` gives what is kept, for what needs no arithmetic (setting to zero, whole numbers).

    Parameters
    ----------
    name : str
        Names the random numbers by which rows are rounded: no two states of an algorithm share one.
    dtype : torch.dtype or None
        What a row holds whatever the cohort says, such as whole numbers; floats when None.

    Notes
    -----
    In bfloat16 what is kept is rounded stochastically: each number is off by less than 2**-7 of itself, and by nothing
    on average (see `round_rows`). Sums are formed in the run's type, in the memory of the update, which is overwritten:
    there is no second matrix of that type.
    """

    def __init__(self, name: str = "state", dtype: torch.dtype | None = None) -> None:
        self.name, self.dtype = name, dtype
        self.values: Tensor | None = None
        self._first = 0
        self._loaded = False

    @property
    def width(self) -> int:
        """The numbers kept for each worker; 0 before the first use."""
        return 0 if self.values is None else self.values.shape[1:].numel()

    def open(self, cohort: Cohort, size: int) -> Tensor:
        """Give the hosted workers' rows as they are kept, shape (w, size).

        They are a view where they lie side by side, else a copy to `close`.
        """
        self._first, last = cohort.home
        if self.values is None or self._loaded:
            before, self._loaded = self.values, False
            self.values = cohort.zeros(last - self._first, size, self.dtype)
            if before is not None:
                self.values.copy_(before)
        if cohort.everyone or cohort.only is not None:
            return self.values
        return self.values[cohort.workers.to(self.values.device) - self._first]

    def add(self, cohort: Cohort, update: Tensor, decay: float = 1.0, gain: float = 1.0) -> Tensor:
        """Give decay * rows + gain * update, shape (w, d), chunk by chunk.

        Returns
        -------
        Tensor
            The rows themselves where they are of the run's type and on its device, else `update`, overwritten. It may
            be changed; `close` keeps what has become of it.
        """
        held = self.open(cohort, update.shape[1])
        if _alike(held, update):
            cohort.pool(lambda rows: _scaled(held[rows], decay).add_(update[rows], alpha=gain), cohort.chunks)
            return held

        def chunk(rows: slice) -> None:
            _scaled(update[rows], gain).add_(held[rows].to(update), alpha=decay)

        cohort.pool(chunk, cohort.chunks)
        return update

    def each(self, cohort: Cohort, size: int, rule: Callable[[slice, Tensor], object], step: int = 0) -> None:
        """Let a rule change the rows chunk by chunk, in the run's type and on its device, and keep them.

        Parameters
        ----------
        rule : callable
            Given a chunk and its rows, which it changes in place; called from several threads at once.
        step : int
            Which of the round's changes this is: each is rounded by random numbers of its own.
        """
        held, stream = self.open(cohort, size), self._stream(cohort, step)

        def chunk(rows: slice) -> None:
            mine = held[rows].to(cohort.device, cohort.dtype)
            rule(rows, mine)
            self._keep(held[rows], mine, cohort.workers[rows], stream)

        cohort.pool(chunk, cohort.chunks)
        self.close(cohort, held)

    def close(self, cohort: Cohort, rows: Tensor) -> None:
        """Keep what has become of rows that `open` or `add` gave."""
        if self.values is None or rows.data_ptr() == self.values.data_ptr():
            return
        if _alike(self.values, rows):
            self.put(cohort.workers, rows)
            return
        held, stream = self.open(cohort, rows.shape[1]), self._stream(cohort, 0)

        def chunk(some: slice) -> None:
            self._keep(held[some], rows[some], cohort.workers[some], stream)

        cohort.pool(chunk, cohort.chunks)
        self.close(cohort, held)

    def put(self, workers: Tensor, rows: Tensor) -> None:
        """Overwrite the rows of these workers, in the type in which they are kept."""
        if self.values is not None:
            self.values[workers.to(self.values.device) - self._first] = rows

    def load(self, values: Tensor | None) -> None:
        """Take rows of a checkpoint; they are copied to where the cohort wants them at the next use."""
        self.values, self._loaded = values, values is not None

    def _stream(self, cohort: Cohort, step: int) -> Stream:
        return cohort.draw().private.at("rounding of state", self.name, step)

    @staticmethod
    def _keep(held: Tensor, rows: Tensor, workers: Tensor, stream: Stream) -> None:
        if held.dtype == torch.bfloat16 != rows.dtype:
            round_rows(rows, workers, stream, held)
        elif held.data_ptr() != rows.data_ptr():
            held.copy_(rows)


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.device == other.device


def _scaled(rows: Tensor, factor: float) -> Tensor:
    return rows if factor == 1 else rows.mul_(factor)


class Stateful:
    """Saves and restores the attributes in `state_names`: tensors, numbers, `Rows` and other `Stateful` objects."""

    state_names: ClassVar[tuple[str, ...]] = ()
    matrices: ClassVar[float] = 0.0
    """How many matrices (w, d) this holds during a round, besides the update and its rows."""

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
                held.load(state[name])
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
