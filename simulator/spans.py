"""Spans: who did what from when to when, as a clock tells it while it plays a trace.

Nothing is kept during a run: the same trace, played again on the same network, gives the same spans. A worker's spans
on one stream follow each other without gap or overlap. Within one collective only the lengths of its parts are known,
so they are laid out in a fixed order: uplink, the queueing on the way up, waiting, downlink, the queueing on the way
down. A mark is a span of the server that takes no time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa

from simulator.trace import Entry

KINDS = ("compute", "encode", "uplink", "queue", "wait", "downlink", "away", "server", "mark")
SPANS = pa.schema(
    [
        pa.field("worker", pa.int32()),
        pa.field("stream", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("begin_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("op", pa.string()),
        pa.field("round", pa.int64()),
    ]
)
_ROUNDING = 1e-13  # of the time at which a span ends: what is shorter is the rounding of a sum


class SpanListener(Protocol):
    """Is told by a clock what it plays."""

    def entry(self, entry: Entry) -> None:
        """Hear of an op, before its spans."""
        ...

    def span(self, kind: str, workers: np.ndarray, begin: np.ndarray, end: np.ndarray, stream: str = "compute") -> None:
        """Hear that each of these workers (-1: the server) did something of `kind` from `begin` to `end`, elementwise.

        `stream` tells apart what one worker does at the same time.
        """
        ...

    def mark(self, t: int, seconds: float) -> None:
        """Hear that round t ended at this moment."""
        ...

    def moved(self, begin: float, end: float, resources: np.ndarray, bits: np.ndarray) -> None:
        """Hear that these bits passed these resources between two moments, elementwise."""
        ...


def tell_parts(
    listener: SpanListener,
    workers: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    spent: Mapping[str, np.ndarray],
    stream: str,
) -> None:
    """Lay out what workers spent their time on from `begin` to `end`, one thing after another; shapes (w,).

    `spent` is as `Moment.spent`, kinds that are missing being zero.
    """
    none = np.zeros(len(workers))
    up, down = spent.get("uplink_queue", none), spent.get("downlink_queue", none)
    parts = {
        "uplink": (("uplink", spent.get("uplink", none) - up), ("queue", up)),
        "waiting": (("wait", spent.get("waiting", none)),),
        "downlink": (("downlink", spent.get("downlink", none) - down), ("queue", down)),
        "encode": (("encode", spent.get("encode", none)),),
    }
    reached = begin
    for kind, seconds in (part for group in parts.values() for part in group):
        since, reached = reached, np.minimum(reached + seconds, end)
        listener.span(kind, workers, since, reached, stream)


class Spans:
    """Keeps the spans of some rounds and workers.

    Parameters
    ----------
    first, last : int
        The rounds to keep, both included; a round ends with its mark.
    workers : collection of int, optional
        By default all. The server's spans are always kept.
    loads : bool
        Whether to keep what moved over the links too.

    Attributes
    ----------
    by_time : bool
        Whether a span belongs to the round in which it begins. By default it belongs to the one that is being played,
        which workers in lockstep reach at different times.
    """

    def __init__(
        self, first: int = 0, last: int = 2**62, workers: Collection[int] | None = None, loads: bool = True
    ) -> None:
        self.first, self.last, self.loads, self.by_time = first, last, loads, False
        self.op = ""
        self._ended: list[tuple[float, int]] = [(float("-inf"), 0)]  # when rounds ended, 0 for the beginning
        self._workers = None if workers is None else np.array([*workers, -1])
        self._spans: list[tuple[np.ndarray, str, str, np.ndarray, np.ndarray, str, np.ndarray]] = []
        self._loads: list[tuple[float, float, np.ndarray, np.ndarray]] = []

    def _rounds(self, begin: np.ndarray) -> np.ndarray:
        """Give the round of spans that begin at these moments."""
        if not self.by_time:
            return np.full(begin.shape, self._ended[-1][1] + 1)
        when, rounds = zip(*self._ended, strict=True)
        return np.array(rounds)[np.searchsorted(when, begin, side="right") - 1] + 1

    def entry(self, entry: Entry) -> None:
        """See `SpanListener`."""
        self.op = entry["op"]

    def mark(self, t: int, seconds: float) -> None:
        """See `SpanListener`."""
        if self.first <= t <= self.last:
            moment = np.array([seconds])
            self._spans.append((np.array([-1]), "compute", "mark", moment, moment, "mark", np.array([t])))
        if t > self._ended[-1][1]:
            self._ended.append((seconds, t))

    def span(self, kind: str, workers: np.ndarray, begin: np.ndarray, end: np.ndarray, stream: str = "compute") -> None:
        """See `SpanListener`."""
        rounds = self._rounds(begin)
        keep = (end - begin > _ROUNDING * np.abs(end)) & (self.first <= rounds) & (rounds <= self.last)
        if self._workers is not None:
            keep &= np.isin(workers, self._workers)
        if keep.any():
            self._spans.append((workers[keep], stream, kind, begin[keep], end[keep], self.op, rounds[keep]))

    def moved(self, begin: float, end: float, resources: np.ndarray, bits: np.ndarray) -> None:
        """See `SpanListener`."""
        within = self.first <= self._rounds(np.array([begin]))[0] <= self.last
        if self.loads and within and end > begin and len(resources):
            self._loads.append((begin, end, resources, bits))

    def end(self, now: np.ndarray, makespan: float) -> None:
        """Fill up the time of workers that were through at `now`, shape (n,), when the run ended at `makespan`."""
        if self.op == "mark" and not self.by_time:
            self._ended.pop()  # it ended the last round, to which this belongs
        self.op = "end"
        self.span("wait", np.arange(len(now)), now, np.full(len(now), makespan))

    def table(self, until: float = float("inf")) -> pa.Table:
        """Give the spans in columns, by worker, stream and time, cut off at `until`."""
        counts = [len(span[0]) for span in self._spans]

        def spread(at: int) -> np.ndarray:
            return np.repeat(np.array([span[at] for span in self._spans], dtype=object), counts)

        def joined(at: int, dtype: type) -> np.ndarray:
            return np.concatenate([np.zeros(0, dtype), *(span[at] for span in self._spans)])

        worker, begin, end = joined(0, np.int32), joined(3, np.float64), np.minimum(joined(4, np.float64), until)
        streams = spread(1).astype(str)
        order = np.lexsort((begin, streams, worker))
        kinds = spread(2)
        order = order[(begin[order] < end[order]) | (kinds[order] == "mark")]
        columns = (worker, streams, kinds, begin, end, spread(5), joined(6, np.int64))
        arrays = [pa.array(c[order], field.type) for c, field in zip(columns, SPANS, strict=True)]
        return pa.Table.from_arrays(arrays, schema=SPANS)

    def rates(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Give the load of each resource over time: moments at which it changes, and bits/s from each on.

        A message, or a collective, counts with its mean rate over the time that it took.
        """
        edges: dict[int, list[tuple[float, float]]] = {}
        for begin, end, resources, bits in self._loads:
            for resource, rate in zip(resources.tolist(), (bits / (end - begin)).tolist(), strict=True):
                edges.setdefault(resource, []).extend(((begin, rate), (end, -rate)))
        found = {}
        for resource, changes in edges.items():
            when, step = np.array(sorted(changes)).T
            moments, first = np.unique(when, return_index=True)
            level = np.cumsum(np.add.reduceat(step, first))
            level[np.abs(level) < 1e-9 * np.abs(step).max()] = 0.0
            found[resource] = (moments, np.maximum(level, 0.0))
        return found
