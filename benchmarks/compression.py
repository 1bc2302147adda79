"""The steps of compression that are timed, each through the name that algorithms call it by.

Legend: `w` rows, `d` coordinates, `k` kept.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from algorithms.codecs import INDEX_CODES, LevelCounts, Ragged, Supports
from algorithms.cohort import Cohort
from algorithms.compressors import QSGD, Compressor, ScaledSign, Sign, SparseBinary, TopK, compress
from algorithms.compressors.selection import largest
from algorithms.exchanges.compressed import compressed_mean
from algorithms.gathered import Gathered
from algorithms.layout import Layout
from algorithms.ops import AtServer, Broadcast, Gather, Op, Work
from algorithms.signsgd_vote import MajorityVote, majority
from algorithms.sketches import CountSketch
from algorithms.streams import Stream

Run = Callable[[], object]
COPY, COPY_OF_ONE = "copy of all rows", "copy of one row"


@dataclass(frozen=True)
class Step:
    """Something to time, and what it is compared with."""

    run: Run
    yardstick: str = COPY


@dataclass(frozen=True)
class Case:
    """Updates, shape (w, d), and the share of their coordinates that sparsifiers keep."""

    rows: Tensor
    density: float
    cohort: Cohort

    @classmethod
    def made_up(cls, w: int, d: int, density: float, chunk: int) -> Case:
        """Draw normal updates of w workers."""
        rows = torch.randn(w, d, generator=torch.Generator().manual_seed(0))
        return cls(rows, density, Cohort(w, Layout.flat(d), chunk=chunk))

    @property
    def kept(self) -> int:
        """k, as `TopK` keeps them."""
        return max(1, round(self.density * self.rows.shape[1]))

    def compressed(self, compressor: Compressor) -> Any:
        """Compress chunk by chunk, as an exchange does."""
        return driven(compress(self.cohort, compressor, self.rows), self.cohort, lambda op: None)


def gathered(payload: Any, cohort: Cohort) -> Gathered:
    """Have the server receive messages."""
    return Gathered(payload, cohort.active, cohort.weights, cohort.all_chunks)


def driven(program: Coroutine[Any, Any, Any], cohort: Cohort, server: Callable[[AtServer[Any]], Any]) -> Any:
    """Answer the ops of an exchange at once; `server` says what comes of the server's work."""
    answer: Any = None
    while True:
        try:
            op: Op[Any] = program.send(answer)
        except StopIteration as end:
            return end.value
        answer = _answer(op, cohort, server)


def _answer(op: Op[Any], cohort: Cohort, server: Callable[[AtServer[Any]], Any]) -> Any:
    if isinstance(op, Work):
        return None
    if isinstance(op, Gather):
        return gathered(op.payload, cohort)
    if isinstance(op, AtServer):
        return server(op)
    if isinstance(op, Broadcast):
        return op.payload
    raise TypeError(f"benchmark: expected Work, Gather, AtServer or Broadcast, got {type(op).__name__}")


def selection(case: Case) -> Step:
    """The k largest of each row, chunk by chunk."""
    return Step(lambda: [largest(case.rows[rows], case.kept) for rows in case.cohort.chunks])


def error_feedback_topk(case: Case) -> Step:
    """Add to the residual, select, make and count messages, subtract what was sent; the server's mean is left out."""
    exchange = compressed_mean(TopK(case.density), "server", error_feedback=True)
    nothing = torch.zeros(case.rows.shape[1])
    return Step(lambda: driven(exchange(case.cohort, case.rows, 0), case.cohort, lambda op: nothing))


def compressor(made: Callable[[Case], Compressor]) -> Callable[[Case], Step]:
    """Compress all rows."""

    def step(case: Case) -> Step:
        one = made(case)
        return Step(lambda: case.compressed(one))

    return step


def sign_majority(case: Case) -> Step:
    """Take signs, count the votes of every coordinate, send back what won."""
    exchange = MajorityVote()
    return Step(lambda: driven(exchange(case.cohort, case.rows, 0), case.cohort, lambda op: op.function(op.gathered)))


def majority_alone(case: Case) -> Step:
    """Count votes that are there."""
    votes = gathered(case.compressed(Sign()), case.cohort)
    return Step(lambda: majority(votes))


def _sketch(case: Case) -> CountSketch:
    return CountSketch(case.rows.shape[1], 5, 2 * case.kept, seed=1)


def sketch_insert(case: Case) -> Step:
    """Sketch all rows, 5 x 2 k buckets."""
    sketch = _sketch(case)
    return Step(lambda: [sketch.insert(case.rows[rows]) for rows in case.cohort.chunks])


def sketch_query(case: Case) -> Step:
    """Estimate every coordinate of one sketch, as the server does of the sum."""
    sketch = _sketch(case)
    table = sketch.insert(case.rows[:1])
    return Step(lambda: sketch.query(table), COPY_OF_ONE)


def sparse_mean(case: Case) -> Step:
    """Average top-k messages at the server."""
    return Step(gathered(case.compressed(TopK(case.density)), case.cohort).mean)


def _supports(case: Case) -> Callable[[], Supports]:
    found = torch.cat([largest(case.rows[rows], case.kept) for rows in case.cohort.chunks]).reshape(-1).int().numpy()
    ragged = Ragged.even(case.rows.shape[0], case.kept)
    return lambda: Supports(case.rows.shape[1], ragged, found)  # a fresh one: it remembers its gaps


def rice_sizes(case: Case) -> Step:
    """Count the Golomb-Rice bits of every message's positions, with the best parameter for each."""
    supports = _supports(case)
    return Step(lambda: INDEX_CODES["rice"].measure(supports()))


def elias_sizes(case: Case) -> Step:
    """Count the Elias bits of every message's levels."""
    levels = case.compressed(QSGD()).levels.reshape(-1)
    ragged = Ragged.even(*case.rows.shape)
    return Step(lambda: LevelCounts.of(levels, ragged, QSGD().levels).elias_bits())


def uniform(case: Case) -> Step:
    """Draw one uniform number for each coordinate, chunk by chunk."""
    stream, d = Stream(1, "noise"), case.rows.shape[1]
    return Step(lambda: [stream.uniform(case.cohort.workers[rows], d) for rows in case.cohort.chunks])


STEPS: Mapping[str, Callable[[Case], Step]] = {
    "selection": selection,
    "error feedback + top-k": error_feedback_topk,
    "qsgd": compressor(lambda case: QSGD()),
    "sign": compressor(lambda case: Sign()),
    "sign + majority": sign_majority,
    "majority": majority_alone,
    "scaled sign": compressor(lambda case: ScaledSign()),
    "sbc": compressor(lambda case: SparseBinary(case.density)),
    "sketch insert": sketch_insert,
    "sketch query": sketch_query,
    "sparse mean": sparse_mean,
    "rice sizes": rice_sizes,
    "elias sizes": elias_sizes,
    "uniform": uniform,
}
