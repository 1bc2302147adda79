"""The clock of a synchronous run on many networks at once: as `simulator.clock`, a column for each network.

B networks of n workers; arrays of times have shape (n, B). Branches beside the computation and messages in pieces are
the other clock's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from network_models import Network
from network_models.batch import Batch
from network_models.fabric import Floats
from simulator.collectives import UP, timed
from simulator.compute import Compute
from simulator.moment import SPENT
from simulator.streams import Leg
from simulator.trace import Entry, Header

__all__ = ["OPS", "BatchClock"]

OPS = frozenset(
    ("active", "gradient", "work", "gather", "at_server", "broadcast", "scatter", "all_reduce", "all_gather", "mark")
)


class BatchClock:
    """Times the ops of n workers in lockstep on B networks, each with its compute model.

    Attributes
    ----------
    now : ndarray, shape (n, B)
        How far each worker is, in seconds since `begin`.
    server : ndarray, shape (B,)
    spent : ndarray, shape (kinds, n, B)
        By the kinds of `SPENT`, since `begin`.
    """

    def __init__(self, header: Header, networks: Sequence[Network], computes: Sequence[Compute]) -> None:
        self.batch, self.flops, self._computes = Batch(networks), header.flops_per_step, list(computes)
        self._models = {id(compute): compute for compute in self._computes}
        self._workers = self._everybody = np.arange(header.workers)
        shape = header.workers, len(self._computes)
        self.now, self.server = np.zeros(shape), np.zeros(len(self._computes))
        self.spent = np.zeros((len(SPENT), *shape))

    @property
    def seconds(self) -> Floats:
        """The makespan so far, shape (B,)."""
        return np.maximum(self.now.max(axis=0), self.server)

    def begin(self, now: Floats, server: Floats, workers: np.ndarray | None) -> None:
        """Stand at these times, with nothing spent and these workers active, None for all."""
        self.now, self.server, self.spent = now.copy(), server.copy(), np.zeros_like(self.spent)
        self._workers = self._everybody if workers is None else workers

    @property
    def active(self) -> np.ndarray | None:
        """The active workers, None for all."""
        return None if self._workers is self._everybody else self._workers

    def play(self, entry: Entry) -> None:
        """Advance by one entry of a trace."""
        getattr(self, "_" + entry["op"])(entry)

    def _spend(self, kind: str, seconds: Floats) -> None:
        self.spent[SPENT.index(kind)][self._workers] += seconds

    def _active(self, entry: Entry) -> None:
        workers = np.asarray(entry["workers"], dtype=np.int64)
        self._workers = self._everybody if np.array_equal(workers, self._everybody) else workers

    def _compute(self, kind: str, seconds: Floats) -> None:
        self.now[self._workers] += seconds
        self._spend(kind, seconds)

    def _gradient(self, entry: Entry) -> None:
        self._compute("compute", self._asked(lambda of: of.gradient_seconds(self._workers, entry["step"], self.flops)))

    def _work(self, entry: Entry) -> None:
        self._compute("encode", self._asked(lambda of: of.work_seconds(self._workers, entry["size"])))

    def _asked(self, ask: Callable[[Compute], Floats]) -> Floats:
        """Ask each compute model once; shape (w, B), or (w, 1) if there is one."""
        answers = {key: np.asarray(ask(compute)) for key, compute in self._models.items()}
        if len(answers) == 1:
            return next(iter(answers.values()))[:, None]
        return np.stack([answers[id(compute)] for compute in self._computes], axis=1)

    def _at_server(self, entry: Entry) -> None:
        self.server = self.server + np.array([of.server_seconds(entry["size"]) for of in self._computes])

    def _mark(self, entry: Entry) -> None:
        """A mark takes no time."""

    def _meet(self, entry: Entry) -> None:
        start = self.now[self._workers]
        timing, through = timed(self.batch, entry, self._workers, start, self.server)
        self.server = np.maximum(self.server, through)
        leg = Leg.of(start, timing, UP[entry["op"]])
        for kind, seconds in leg.spent.items():
            self._spend(kind, seconds)
        self.now[self._workers] = leg.finish

    _gather = _broadcast = _scatter = _all_reduce = _all_gather = _meet
