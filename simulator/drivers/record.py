"""The recording driver: answers a synchronous program's ops with values, and writes down what was said.

A cohort may be run as several parts, each a coroutine with slots of its own, that meet at each collective; the values
are the same to the bit, because sums follow chunks and not parts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.gathered import Gathered
from algorithms.ops import (
    AllGather,
    AllReduce,
    AtServer,
    Broadcast,
    Fork,
    Gather,
    Gradient,
    Join,
    Mark,
    Op,
    Scatter,
    Work,
    where,
)
from algorithms.payloads import Payload, Summable
from simulator.drivers.meeting import InProcess, Meeting
from simulator.drivers.part import Deadlock, Part
from simulator.records.counters import sizes, tally
from simulator.records.recording import Recording
from simulator.tasks.task import Task
from simulator.trace import Entry


class Recorder:
    """Drives the parts of one synchronous cohort to their end.

    Parameters
    ----------
    parts : sequence of Part
        The parts hosted in this process.
    task : Task
        Computes gradients and evaluates models.
    recording : Recording
        Is told every op and every payload.
    meeting : Meeting
        Joins what the parts hold.
    """

    def __init__(self, parts: Sequence[Part], task: Task, recording: Recording, meeting: Meeting | None = None) -> None:
        self.parts, self.task, self.recording = parts, task, recording
        self.meeting: Meeting = meeting or InProcess()
        self._active: Tensor | None = None
        self._local: list[Entry] = []

    def run(self) -> None:
        """Run until every part has returned.

        Raises
        ------
        Deadlock
            If parts wait at different collectives, or for an op that needs a clock.
        """
        while (ops := [self._advance(part) for part in self.parts])[0] is not None or any(ops):
            if len({type(op) for op in ops}) != 1:
                raise Deadlock("the parts of a cohort wait for different things: " + self._stuck(ops))
            answers = self._meet(ops)
            for part, answer in zip(self.parts, answers, strict=True):
                part.answer = answer

    def _stuck(self, ops: Sequence[Op[Any] | None]) -> str:
        waits = (f"{type(op).__name__} in {where(p.program)}" for p, op in zip(self.parts, ops, strict=True))
        return "; ".join(waits)

    def _advance(self, part: Part) -> Op[Any] | None:
        """Answer a part's own ops until it waits for the others; None at its end."""
        while True:
            try:
                op = part.program.send(part.answer)
            except StopIteration as end:
                if not part.end(end.value):
                    return None
                self._note(part, {"op": "end"})
                continue
            part.answer = None
            part.check(op)
            if isinstance(op, Gradient):
                part.answer = self._gradient(part, op)
            elif isinstance(op, Work):
                pieces = {"pieces": op.pieces} if op.pieces > 1 else {}
                self._note(part, {"op": "work", "kind": op.kind, "size": op.size_bytes} | pieces)
            elif isinstance(op, Fork):
                self._note(part, {"op": "fork", "name": op.name, "ready": op.ready})
                part.fork(op)
            elif isinstance(op, Join):
                self._note(part, {"op": "join", "name": op.handle.name})
                part.answer = op.handle.value
            else:
                return op

    def _note(self, part: Part, entry: Entry) -> None:
        """Write a local op down once: every part of a cohort does the same between two collectives."""
        if part is self.parts[0]:
            self._local.append(entry)

    def _gradient(self, part: Part, op: Gradient) -> Tensor:
        cohort, at = part.cohort, op.at
        slab = part.slab(at.shape[-1])
        start = time.perf_counter()

        def chunk(rows: slice) -> Tensor:
            here = at if at.dim() == 1 else at[rows]
            return self.task.gradient(here, cohort.workers[rows], op.step, slab[rows])

        losses = cohort.pool(chunk, cohort.chunks)
        part.losses = torch.cat(losses).cpu() if losses else torch.zeros(0, dtype=cohort.dtype)
        self.recording.gradient_seconds += time.perf_counter() - start
        self.recording.losses(part.losses, cohort.workers, op.step)
        self._note(part, {"op": "gradient", "step": op.step})
        if part is self.parts[0]:
            self.recording.samples += len(cohort.active) * self.task.batch
        return slab

    def _meet(self, ops: Sequence[Any]) -> Sequence[Any]:
        cohort = self.parts[0].cohort
        if not cohort.everyone and (self._active is None or not torch.equal(self._active, cohort.active)):
            self._active = cohort.active
            self.recording.entry({"op": "active", "workers": cohort.active.tolist()})
        for entry in self._local:
            self.recording.entry(entry)
        self._local.clear()
        answer: Any
        match ops[0]:
            case Gather() | AllGather():
                answer = self._gather(type(ops[0]), [op.payload for op in ops], cohort)
            case AllReduce():
                answer = self._all_reduce([op.payload for op in ops], cohort)
            case AtServer(function=function, gathered=gathered, size_bytes=size):
                self.recording.entry({"op": "at_server", "size": size})
                answer = function(gathered)
            case Broadcast(payload=payload):
                self.recording.entry({"op": "broadcast", "size": int(payload.bytes[0])})
                self.recording.sent("downlink", tally(payload), len(cohort.active))
                answer = payload
            case Scatter(payload=payload):
                table = tally(payload)
                self.recording.entry({"op": "scatter", "size": sizes(table)})
                self.recording.sent("downlink", table)
                hosted = [slice(part.cohort.start, part.cohort.start + part.cohort.size) for part in self.parts]
                return [payload.select(rows) for rows in hosted]
            case Mark(label=t, model=model):
                self._mark(t, model, cohort)
                answer = None
            case other:
                raise Deadlock(
                    f"{type(other).__name__} needs a clock and other programs, which driver=record has not: "
                    + self._stuck(ops)
                )
        return [answer] * len(self.parts)

    def _tally(self, payloads: Sequence[Payload]) -> Tensor:
        return self.meeting.rows([tally(payload) for payload in payloads])

    def _gather(self, kind: type, payloads: Sequence[Payload], cohort: Cohort) -> Gathered:
        table = self._tally(payloads)
        self.recording.sent("uplink", table)
        if kind is AllGather:
            self.recording.sent("downlink", table, len(cohort.active) - 1)
        self.recording.entry({"op": "gather" if kind is Gather else "all_gather", "size": sizes(table)})
        return Gathered(self.meeting.join(payloads), cohort.active, cohort.weights, cohort.all_chunks)

    def _all_reduce(self, payloads: Sequence[Payload], cohort: Cohort) -> Payload:
        summable = [payload for payload in payloads if isinstance(payload, Summable)]
        if not summable:
            raise TypeError(
                f"all-reduce: expected a payload that can be summed on the way, got {type(payloads[0]).__name__}; "
                f"use a gather ({where(self.parts[0].program)})"
            )
        table, m = self._tally(payloads), len(cohort.active)
        total = self.meeting.fold(summable, [part.cohort for part in self.parts])
        self.recording.sent("uplink", table)
        self.recording.sent("downlink", tally(total), m)
        entry: Entry = {"op": "all_reduce", "size": sizes(table)}
        merged = [summable[0].merged_bytes(count) for count in range(1, m + 1)]
        if merged != [entry["size"]] * m:
            entry["merged"] = merged
        self.recording.entry(entry)
        return total

    def _mark(self, t: int, model: Tensor, cohort: Cohort) -> None:
        if not cohort.everyone:
            self._share_rows(cohort)
        losses = self.meeting.rows([part.losses for part in self.parts])
        train_loss = float((losses.double() * cohort.weights).sum()) if len(losses) else float("nan")
        self.recording.mark(t, model, train_loss)
        cadence = self.recording.cadence
        if t < cadence.rounds and cadence.due(t, cadence.checkpoint):
            self.recording.save(t, [part.algorithm.state() for part in self.parts])

    def _share_rows(self, cohort: Cohort) -> None:
        """Bring the active workers' state to every part: in the next round another part may host them."""
        if cohort.parts == 1:
            return
        for held in zip(*(part.algorithm.rows() for part in self.parts), strict=True):
            if any(rows.values is not None for rows in held):
                hosted = [rows.values[part.cohort.workers] for rows, part in zip(held, self.parts, strict=True)]
                together = self.meeting.rows(hosted)
                for rows in held:
                    rows.put(cohort.active, together)
