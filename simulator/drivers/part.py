"""One coroutine over a share of a synchronous cohort, as the recording driver holds it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.ops import Fork, Gradient, Handle, Mark, Op, where
from algorithms.synchronous import Synchronous


class Deadlock(RuntimeError):
    """Programs wait for each other, or for something that this driver cannot give."""


class Part:
    """One coroutine over a share of the cohort, with the memory that its gradients are written to."""

    def __init__(self, algorithm: Synchronous, cohort: Cohort, rounds: int) -> None:
        self.algorithm, self.cohort = algorithm, cohort
        self.program: Coroutine[Any, Any, Any] = algorithm.run(cohort, rounds)
        self.losses = torch.zeros(0)
        self.answer: Any = None
        self._trunk: tuple[Coroutine[Any, Any, Any], str] | None = None
        self._slab: Tensor | None = None

    def check(self, op: Op[Any]) -> None:
        """Refuse what a branch may not do: branches follow one another, and compute no gradients.

        Raises
        ------
        Deadlock
            Naming the op, the function and the line.
        """
        if self._trunk is not None and isinstance(op, (Fork, Gradient, Mark)):
            raise Deadlock(
                f"{type(op).__name__} in {where(self.program)}: expected none inside of a branch, got one inside of "
                f"{self._trunk[1]!r}"
            )

    def fork(self, op: Fork[Any]) -> None:
        """Go on with a branch, to whose end the program waits: no value can depend on when it runs."""
        self._trunk, self.program = (self.program, op.name), op.branch

    def end(self, value: Any) -> bool:
        """Return from a branch to the program that forked it; False at the end of the program itself."""
        if self._trunk is None:
            return False
        (self.program, name), self._trunk = self._trunk, None
        self.answer = Handle(name, value)
        return True

    def slab(self, size: int) -> Tensor:
        """Give the (w, d) matrix that gradients are written to; large memory is allocated once."""
        w = self.cohort.size
        if self._slab is None or len(self._slab) < w:
            self._slab = self.cohort.slab(w, size)
        return self._slab[:w]
