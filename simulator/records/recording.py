"""Listens to a driver and keeps what a run leaves: trace, bits, time, metrics by mark, checkpoints."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Map, serial_map
from algorithms.payloads import Payload
from simulator.clock import SPENT, Clock, Moment, play
from simulator.records.counters import Counters, sizes, tally
from simulator.records.folder import METRICS, TIMELINE, RunFolder
from simulator.records.links import LinkRecord
from simulator.tasks.task import Task
from simulator.trace import Entry, TraceWriter, read_trace


class Diverged(RuntimeError):
    """The loss is no longer a number."""


def digest(model: Tensor) -> str:
    """Give the SHA-256 of the weights' bytes, as hexadecimal."""
    return hashlib.sha256(model.detach().cpu().contiguous().numpy().tobytes()).hexdigest()


@dataclass
class Cadence:
    """How often things are written.

    Parameters
    ----------
    evaluate, checkpoint : int
        Every so many rounds; the last round always.
    """

    rounds: int
    evaluate: int
    checkpoint: int

    def due(self, t: int, every: int) -> bool:
        """Whether something done every so many rounds is due after round t."""
        return t == self.rounds or t % every == 0


@dataclass
class Recording:
    """The listener of one run.

    Parameters
    ----------
    folder : RunFolder or None
        Where to write; None keeps everything in memory (ranks other than 0, tests).
    clock : Clock or None
        Plays every entry as it comes; None when the driver keeps the time itself.
    links : LinkRecord or None
        Keeps what moved over each link.
    progress : callable
        Called at each mark with (round, latest metrics row, simulated seconds).
    evaluated : callable
        Called with the same at each mark that was evaluated.
    pool : callable
        `map` over the batches of an evaluation, possibly on several threads.
    """

    task: Task
    cadence: Cadence
    folder: RunFolder | None = None
    trace: TraceWriter | None = None
    clock: Clock | None = None
    links: LinkRecord | None = None
    progress: Callable[[int, dict[str, Any], float], None] = lambda *_: None
    evaluated: Callable[[int, dict[str, Any], float], None] = lambda *_: None
    pool: Map = serial_map
    counters: Counters = field(default_factory=Counters)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    samples: int = 0
    gradient_seconds: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    @property
    def wall_seconds(self) -> float:
        """Real time since the start, that of an interrupted run up to its checkpoint included."""
        return time.perf_counter() - self.started

    def entry(self, entry: Entry) -> None:
        """Note an op."""
        if self.trace is not None:
            self.trace.append(entry)
        if self.clock is not None:
            self.clock.play(entry)

    def sent(self, direction: str, table: Tensor, copies: int = 1) -> None:
        """Count messages, a `tally`, that leave (uplink) or enter (downlink) workers."""
        self.counters.add(direction, table, copies)

    def carried(self, direction: str, payload: Payload) -> None:
        """Count one payload that leaves (uplink) or enters (downlink) a worker."""
        self.counters.add(direction, tally(payload))

    def losses(self, losses: Tensor, workers: Tensor, step: int) -> None:
        """Refuse to go on from a loss that is not finite.

        Raises
        ------
        Diverged
            Naming the worker and the step; what was recorded before stays.
        """
        if not bool(torch.isfinite(losses).all()):
            bad = int(torch.nonzero(~torch.isfinite(losses))[0, 0])
            raise Diverged(
                f"loss: expected a finite number, got {float(losses[bad])} on worker {int(workers[bad])} at step "
                f"{step}; try a smaller algorithm.lr"
            )

    def mark(
        self, t: int, model: Tensor, train_loss: float, moment: Moment | None = None, process: int | None = None
    ) -> None:
        """Evaluate the model after round t when that is due, and note the time.

        A driver that keeps the time itself gives the moment and the process that marked.
        """
        where = {} if process is None else {"process": process}
        found = self.task.evaluate(model, self.pool) if self.cadence.due(t, self.cadence.evaluate) else None
        if found is not None and found.sent is not None:
            table = tally(found.sent)
            self.sent("uplink", table)
            self.entry({"op": "gather", "size": sizes(table)})
        self.entry({"op": "mark", "round": t} | where)
        seconds = moment.seconds if moment else self.clock.seconds if self.clock is not None else 0.0
        if found is not None:
            if moment is None and self.clock is not None:
                moment = self.clock.moment()
            row: dict[str, Any] = {"round": t, "samples": self.samples, "train_loss": train_loss}
            row |= {name: getattr(found, name) for name in ("loss", "accuracy", "perplexity", "bleu")}
            row |= self.counters.columns()
            self.metrics.append(row)
            self.evaluated(t, dict(row), seconds)
            if moment is not None:
                self._time(t, moment)
            if not math.isfinite(found.loss):
                self.flush()
                raise Diverged(
                    f"loss: expected a finite number, got {found.loss} after round {t}; try a smaller algorithm.lr"
                )
        if self.metrics:
            self.progress(t, self.metrics[-1], seconds)

    def _time(self, t: int, moment: Moment) -> None:
        """Note when the mark after round t was, and all that had passed by then."""
        self.timeline.append(timeline_row(t, moment))
        if self.links is not None:
            self.links.note(t, moment)

    def flush(self) -> None:
        """Write the metrics, the timeline and the links as far as they go."""
        if self.folder is not None:
            self.folder.write_table("metrics", self.metrics, METRICS)
            self.folder.write_table("timeline", self.timeline, TIMELINE)
            if self.links is not None:
                self.folder.write_columns("links", self.links.table())

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the summary of a run that has ended, and all that belongs before it."""
        if self.folder is not None:
            self.flush()
            self.folder.write_json("summary", summary)
            self.folder.checkpoint.unlink(missing_ok=True)

    def save(self, t: int, algorithms: list[dict[str, Any]]) -> None:
        """Write a checkpoint after round t, and everything that belongs before it."""
        if self.folder is None:
            return
        self.flush()
        state = {"round": t, "algorithms": algorithms, "counters": self.counters.totals, "metrics": self.metrics}
        state |= {"samples": self.samples, "gradient_seconds": self.gradient_seconds}
        state["wall_seconds"] = self.wall_seconds
        state["trace_bytes"] = self.trace.sync() if self.trace is not None else 0
        self.folder.write_checkpoint(state)

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a checkpoint; the clock, which is never saved, replays the trace so far."""
        self.counters.totals = state["counters"]
        self.metrics = state["metrics"]
        self.samples, self.gradient_seconds = state["samples"], state["gradient_seconds"]
        self.started = time.perf_counter() - state["wall_seconds"]
        if self.clock is not None and self.trace is not None:
            self.trace.sync()
            played = play(read_trace(self.trace.path)[1], self.clock, {row["round"] for row in self.metrics})
            for t, moment in played:
                self._time(t, moment)


def timeline_row(t: int, moment: Moment) -> dict[str, Any]:
    """Make the timeline's row for the mark after round t; transfer is what was neither queueing nor own work."""
    spent = moment.spent
    row = {"round": t, "seconds": moment.seconds} | {f"{k}_s": spent[k].tolist() for k in SPENT}
    return row | {"transfer_s": (spent["uplink"] + spent["downlink"] - spent["queue"]).tolist()}


def waiting(row: dict[str, Any]) -> dict[str, float]:
    """Sum up a row of the timeline: how long its mean worker and the one that waits most waited for others, in seconds.

    `share` is the mean worker's, of the time that has passed.
    """
    waits = row["waiting_s"]
    mean = math.fsum(waits) / len(waits)
    return {"mean_s": mean, "most_s": max(waits), "share": mean / row["seconds"] if row["seconds"] else 0.0}
