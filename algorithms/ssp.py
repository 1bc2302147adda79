"""Stale-synchronous parallel SGD: a worker may run ahead of the slowest one by at most s clocks.

A worker pushes at the end of each clock. It may begin clock c once every worker that is there has ended clock
c - s - 1, so the model it reads contains all pushes of those clocks; until then the server holds its answer back. With
s = 0 workers proceed in lockstep, with s infinite the method is asynchronous SGD.

Legend: n workers, s the bound, T = rounds = clocks.

References
----------
Ho et al., "More Effective Distributed ML via a Stale Synchronous Parallel Parameter Server", NeurIPS 2013, section 2.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

from algorithms.cohort import Cohort
from algorithms.ops import Joined, Left, Mark, ReceiveAny
from algorithms.parameter_server import ParameterServer, fold
from algorithms.payloads import Payload

FOLDS = ("arrival", "rank")


class Clocks:
    """The clocks that each present worker has ended, and the least of them, the floor; it never falls."""

    def __init__(self, n: int) -> None:
        self.at = dict.fromkeys(range(n), 0)
        self.floor = 0
        self._present = Counter({0: n})

    def tick(self, worker: int) -> None:
        """End a clock of a worker."""
        self.leave(worker, self.at[worker] + 1)

    def join(self, worker: int) -> None:
        """Let a worker in at the floor: nobody waits longer for it than for the slowest."""
        self.at[worker] = self.floor
        self._present[self.floor] += 1

    def leave(self, worker: int, towards: int | None = None) -> None:
        """Take a worker away from its clock, to another one or altogether."""
        self._present[self.at.pop(worker)] -= 1
        if towards is not None:
            self.at[worker] = towards
            self._present[towards] += 1
        while self.at and not self._present[self.floor]:
            del self._present[self.floor]
            self.floor += 1


class StaleSynchronous(ParameterServer):
    """One program for each worker and one for the server.

    Parameters
    ----------
    bound : int, float, ".inf" or None
        s, a whole number of clocks, at least 0; infinite or None: no bound.
    fold : {"arrival", "rank"}
        When a push is applied. "arrival": as it comes, each at the full rate as in `async_sgd`; n T pushes end the run,
        with a mark every n. "rank": the server keeps a clock's pushes until the clock is complete and applies their
        mean, taken in the order of the workers: with s = 0 the run is synchronous SGD, bit for bit.
    **options
        As for `ParameterServer`.

    Notes
    -----
    Differs from the paper in that a worker fetches the model after every push rather than when its cache is too old,
    and, with "rank", in that it does not see its own pushes before the others' of that clock. Workers that are gone do
    not count as slow; one that comes back begins at the clock of the slowest.
    """

    def __init__(self, *, bound: float | str | None = 3, fold: str = "arrival", **options: Any) -> None:
        super().__init__(**options)
        s = math.inf if bound is None or bound == ".inf" else bound  # a command line's .inf is a word
        if isinstance(s, bool) or not isinstance(s, (int, float)) or not s >= 0 or (s != math.inf and s != int(s)):
            raise ValueError(f"algorithm.bound: expected a whole number of clocks, at least 0, or .inf, got {bound!r}")
        if fold not in FOLDS:
            raise ValueError(f"algorithm.fold: expected one of {', '.join(FOLDS)}, got {fold!r}")
        self.bound, self.in_rank_order = s, fold == "rank"

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Apply pushes, and answer a worker when the slowest is near enough."""
        n, clocks = cohort.n, Clocks(cohort.n)
        pushes: defaultdict[int, list[tuple[int, Payload, int]]] = defaultdict(list)  # by clock, with the version read
        held: defaultdict[int, set[int]] = defaultdict(set)  # by clock: who waits for an answer
        versions = rounds if self.in_rank_order else n * rounds
        while self.version < versions:
            match await ReceiveAny():
                case Joined(worker):
                    clocks.join(worker)
                    await self.answer([worker])
                case Left(worker):
                    held[clocks.at[worker]].discard(worker)
                    clocks.leave(worker)
                case (source, message):
                    if self.in_rank_order:
                        pushes[clocks.at[source]].append((source, message, self.read[source]))
                    else:
                        self.late(self.read[source])
                        await self.apply(message.dense()[0], 1, self.version // n, rounds)
                        if self.version % n == 0:
                            await Mark(self.version // n, self.model)
                    clocks.tick(source)
                    held[clocks.at[source]].add(source)
            while self.in_rank_order and self.version < min(clocks.floor, rounds):
                await self._complete(cohort, pushes.pop(self.version), rounds)
            near = [clock for clock in held if clock <= clocks.floor + self.bound]
            await self.answer(sorted(worker for clock in near for worker in held.pop(clock)))

    async def _complete(self, cohort: Cohort, pushes: list[tuple[int, Payload, int]], rounds: int) -> None:
        """Apply the mean of a clock's pushes."""
        for _, _, read in pushes:
            self.late(read)
        mean = fold(cohort, [(source, message) for source, message, _ in pushes])
        await self.apply(mean, len(pushes), self.version, rounds)
        await Mark(self.version, self.model)


def ssp(*, name: str = "ssp", **options: Any) -> StaleSynchronous:
    """Build SSP SGD; `options` go to `StaleSynchronous`, `ParameterServer` and `Descent`."""
    return StaleSynchronous(name=name, **options)
