"""Who is there in a co-simulation: takes workers down and brings them back when the faults say so, and tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import simpy

from algorithms.ops import Joined, Left
from simulator.drivers.mailbox import Mailbox
from simulator.faults import Absence, Absences
from simulator.trace import Entry

_INFINITY = float("inf")


class Programs(Protocol):
    """Whoever runs the workers' programs."""

    def down(self, worker: int) -> None:
        """Stop a worker's program, if it has begun."""
        ...

    def up(self, worker: int) -> None:
        """Start a worker's program again, or late."""
        ...


class Membership:
    """Plays every worker's absences and tells the server of them.

    Parameters
    ----------
    programs : Programs
        Stops and starts what the workers run.
    note : callable
        Is given the trace's entry of each change.

    Attributes
    ----------
    absent : dict of int to float
        Since when each absent worker is.
    counts : Counter
        ``crashes``, ``rejoins``, ``leaves`` and ``joins``.
    changes : int
        Changes since somebody last reset it to 0.
    """

    def __init__(
        self,
        env: simpy.Environment,
        absences: Absences | None,
        workers: int,
        programs: Programs,
        note: Callable[[Entry], None],
    ) -> None:
        self.env, self.workers, self.programs, self.note = env, workers, programs, note
        self.absent: dict[int, float] = {}
        self.counts: Counter[str] = Counter()
        self.changes = 0
        self._server: Mailbox | None = None
        self._unheard: Counter[int] = Counter()  # news of each worker that the server has not taken
        self._away_s = 0.0  # in absences that have ended
        self._lost = 0  # of the absent, those that never come back
        self._absences = {} if absences is None else {worker: absences.of(worker) for worker in range(workers)}

    @property
    def hopeless(self) -> bool:
        """Whether nobody is there and nobody will come."""
        return self._lost == self.workers

    def reachable(self, worker: int) -> bool:
        """Whether the server knows of the worker that is there; a connection to an earlier one leads nowhere."""
        return worker not in self.absent and not self._unheard[worker]

    def heard(self, worker: int) -> None:
        """Note that the server has taken news of a worker."""
        self._unheard[worker] -= 1

    def totals(self) -> dict[str, float]:
        """Count the changes so far, and the seconds of all workers' absences."""
        absent_s = self._away_s + sum(self.env.now - since for since in self.absent.values())
        return {kind: self.counts[kind] for kind in ("crashes", "rejoins", "leaves", "joins")} | {"absent_s": absent_s}

    def begin(self, server: Mailbox | None) -> None:
        """Take away who is absent from the start, and begin everybody's fate; `server` gets the news."""
        self._server = server
        for worker, absences in self._absences.items():
            first = next(absences, None)
            if first is None:
                continue
            begun = first.start_s <= 0
            if begun:
                self._leave(worker, first)
            self.env.process(self._fate(worker, first, absences, begun))

    def _fate(self, worker: int, first: Absence, later: Iterator[Absence], begun: bool) -> Generator[simpy.Event]:
        absence: Absence | None = first
        while absence is not None:
            if not begun:
                yield self.env.timeout(absence.start_s - self.env.now)
                self._leave(worker, absence)
            if absence.end_s == _INFINITY:
                return
            yield self.env.timeout(absence.end_s - self.env.now)
            self._come(worker, absence)
            absence, begun = next(later, None), False

    def _leave(self, worker: int, absence: Absence) -> None:
        self.changes += 1
        self.absent[worker] = self.env.now
        self._lost += absence.end_s == _INFINITY
        if absence.crash or absence.start_s > 0:
            self.counts["crashes" if absence.crash else "leaves"] += 1
        self.programs.down(worker)
        self._tell("crash" if absence.crash else "leave", Left(worker))

    def _come(self, worker: int, absence: Absence) -> None:
        self.changes += 1
        self._away_s += self.env.now - self.absent.pop(worker)
        self.counts["rejoins" if absence.crash else "joins"] += 1
        self.programs.up(worker)
        self._tell("rejoin" if absence.crash else "join", Joined(worker))

    def _tell(self, op: str, news: Joined | Left) -> None:
        self.note({"op": op, "process": news.worker, "seconds": self.env.now})
        if self._server is not None:
            self._unheard[news.worker] += 1
            self._server.put(self.env.now, news.worker, news, 0.0)
