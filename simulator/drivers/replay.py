"""The re-timing driver: the same ops on another network, sizes kept, values dropped.

A synchronous cohort's trace is played on a `Clock`. The trace of programs that talk to each other by messages is turned
back into programs, one per process, whose messages have sizes and no content, and these are co-simulated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from algorithms.ops import Attempt, Gradient, Mark, Receive, ReceiveAny, Send, Work
from network_models import Network
from simulator.clock import Clock, Moment, play
from simulator.compute import Compute
from simulator.drivers.cosimulate import Cosimulator, Program
from simulator.faults import Faults
from simulator.spans import Spans
from simulator.trace import Entry, Header, read_trace

_NOTHING = torch.empty(0)
_RETURNS = ("rejoin", "join")  # what a process says from here on, another program says
_FATE = ("crash", "leave", "lost", "resend")  # said of a process, not by it


@dataclass(frozen=True)
class Sized:
    """A message of which only the size is known."""

    size_bytes: int

    @property
    def bytes(self) -> np.ndarray:
        """The size as a payload gives it, shape (1,)."""
        return np.array([self.size_bytes])


@dataclass
class Stopwatch:
    """Listens to a replay and keeps the moments at the named marks."""

    marks: set[int]
    train_loss: float = float("nan")
    moments: list[tuple[int, Moment]] = field(default_factory=list)

    def entry(self, entry: Entry) -> None:
        """Nothing is written: the trace is there already."""

    def carried(self, direction: str, payload: Any) -> None:
        """Nothing is counted: the metrics are there already."""

    def mark(self, t: int, model: Tensor, train_loss: float, moment: Moment, process: int) -> None:
        """Keep the moment of a mark that was evaluated."""
        if t in self.marks:
            self.moments.append((t, moment))

    def ask(self, at: Tensor, worker: int, step: int) -> None:
        """Begin a gradient that is not computed."""

    def value(self, request: None) -> None:
        """End it."""

    def withdraw(self, request: None) -> None:
        """Give it up."""


async def program(entries: Sequence[Entry]) -> None:
    """Say again what one process said, and give up what it gave up."""
    for entry, following in zip(entries, [*entries[1:], {}], strict=False):
        match entry:
            case {"op": "gradient", "step": step} if following.get("op") == "abandon":
                await Attempt(_NOTHING, step)
            case {"op": "timeout", "seconds": until}:
                await ReceiveAny(until)
            case {"op": "hear"}:
                await ReceiveAny()
            case {"op": "gradient", "step": step}:
                await Gradient(_NOTHING, step)
            case {"op": "work", "kind": kind, "size": size}:
                await Work(kind, size)
            case {"op": "send", "to": to, "size": size}:
                await Send(to, Sized(size))  # type: ignore[arg-type]
            case {"op": "receive", "source": source}:
                await Receive(source)
            case {"op": "mark", "round": t}:
                await Mark(t, _NOTHING)


def retimed(
    path: Path,
    network: Network,
    compute: Compute,
    marks: set[int],
    spans: Spans | None = None,
    faults: Faults = Faults(),  # noqa: B008 - frozen
) -> list[tuple[int, Moment]]:
    """Play a trace on a network and give the moments at the named marks; `spans` keeps what happened in between.

    A racy trace can be played only where it was made, and with the `faults` it was made with.
    """
    return replayed(*read_trace(path), network, compute, marks, spans, faults)


def replayed(
    header: Header,
    entries: Iterator[Entry],
    network: Network,
    compute: Compute,
    marks: set[int],
    spans: Spans | None = None,
    faults: Faults = Faults(),  # noqa: B008 - frozen
) -> list[tuple[int, Moment]]:
    """Play a trace that has been read, as `retimed` does: many networks need not read it again."""
    first = next(entries, None)
    if first is None:
        return []
    rest = chain([first], entries)
    if "process" not in first:
        clock = Clock(header, network, compute, spans)
        moments = play(rest, clock, marks)
        if spans is not None:
            spans.end(clock.now, clock.seconds)
        return moments
    return _messages(header, rest, network, compute, marks, spans, faults)


def _messages(
    header: Header,
    entries: Iterator[Entry],
    network: Network,
    compute: Compute,
    marks: set[int],
    spans: Spans | None,
    faults: Faults,
) -> list[tuple[int, Moment]]:
    lives: defaultdict[int, list[list[Entry]]] = defaultdict(lambda: [[]])  # of each process: up to a crash, and so on
    for entry in entries:
        if entry["op"] in _RETURNS:
            lives[entry["process"]].append([])
        elif entry["op"] not in _FATE:
            lives[entry["process"]][-1].append(entry)
    if spans is not None:
        spans.by_time = True
    watch = Stopwatch(marks)
    options: dict[str, Any] = {"workers": header.workers, "seed": 0, "faults": faults, "spans": spans}
    simulator = Cosimulator(watch, header.flops_per_step, network, compute, watch, **options)

    def rejoin(worker: int, step: int) -> Program:
        return program(lives[worker].pop(0) if lives[worker] else [])

    nodes = sorted({*lives, *range(header.workers)})
    simulator.run({node: program(lives[node].pop(0)) for node in nodes}, rejoin)
    if spans is not None:
        simulator.spending.close(simulator.env.now, simulator.carrier.flying)
    return watch.moments
