"""The co-simulating driver: values and clock together, for programs whose answers depend on time.

Each coroutine is a SimPy process; messages share the links of a fluid network. Gradients are computed late: a worker's
is needed only when its simulated computation ends, and then all that are outstanding are computed together, chunk by
chunk. Messages that reach a receiver at the very same time are taken in a seeded order.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Any

import numpy as np
import simpy
import torch
from simpy.events import EventPriority
from torch import Tensor

from algorithms.ops import SERVER, Gradient, Mark, Now, Op, Receive, ReceiveAny, Send, Work, where
from algorithms.payloads import Payload
from algorithms.streams import Stream
from network_models import FluidNetwork, Star
from simulator.clock import SPENT, Moment
from simulator.compute import Compute
from simulator.drivers.record import Deadlock
from simulator.records.counters import tally
from simulator.records.recording import Recording
from simulator.tasks.task import Task

_AFTER_ALL_ARRIVALS = EventPriority(3)  # lower numbers go first at equal times; arrivals use 2


@dataclass
class Mailbox:
    """Messages that have arrived at one node, and who waits for them."""

    seed: int
    arrived: list[tuple[float, int, int, int, Payload, float]] = field(default_factory=list)
    waiting: simpy.Event | None = None
    count: int = 0

    def put(self, now: float, source: int, payload: Payload, seconds: float) -> None:
        """Take a message in; equal times are ordered by a seeded number, then by arrival."""
        self.count += 1
        rank = int(Stream(self.seed, "ties", self.count).bits(torch.tensor([source]), 1)[0, 0])
        heapq.heappush(self.arrived, (now, rank, self.count, source, payload, seconds))
        if self.waiting is not None and not self.waiting.triggered:
            wake(self.waiting)

    def take(self, source: int | None) -> tuple[int, Payload, float] | None:
        """Give the next message, from `source` or from anyone, if there is one."""
        for i, item in enumerate(sorted(self.arrived) if source is not None else self.arrived[:1]):
            if source is None or item[3] == source:
                if i == 0:
                    heapq.heappop(self.arrived)
                else:
                    self.arrived.remove(item)
                    heapq.heapify(self.arrived)
                return item[3], item[4], item[5]
        return None


def wake(event: simpy.Event) -> None:
    """Trigger an event once everything else that happens at this moment has happened."""
    event._ok, event._value = True, None
    event.env.schedule(event, priority=_AFTER_ALL_ARRIVALS)


@dataclass
class Request:
    """A gradient that somebody's simulated processor is working on."""

    at: Tensor
    worker: int
    step: int
    value: Tensor | None = None


class Cosimulator:
    """Runs one program per worker and one for the server until the server's ends.

    Parameters
    ----------
    chunk : int
        Workers per gradient chunk; a batch of outstanding gradients is padded to whole chunks.
    """

    def __init__(
        self, task: Task, network: Star, compute: Compute, recording: Recording, *, workers: int, chunk: int, seed: int
    ) -> None:
        self.task, self.compute, self.recording = task, compute, recording
        self.n, self.chunk = workers, chunk
        self.env = simpy.Environment()
        self.links = FluidNetwork(self.env, network)
        self.mail = {node: Mailbox(seed) for node in range(SERVER, workers)}
        self.spent = {kind: np.zeros(workers) for kind in SPENT}
        self.outstanding: list[Request] = []
        self.racy: str | None = None
        self.train_loss = torch.full((workers,), float("nan"), dtype=torch.float64)
        self._programs: dict[int, CoroutineType[Any, Any, None]] = {}
        self._waits: dict[int, Op[Any]] = {}
        self._upload = np.zeros(workers)

    def run(self, programs: dict[int, CoroutineType[Any, Any, None]]) -> None:
        """Run the programs, keyed by worker number and SERVER.

        Raises
        ------
        Deadlock
            If nothing can happen any more and the server has not ended: names what each program waits for.
        """
        self._programs = programs
        processes = {node: self.env.process(self._process(node, program)) for node, program in programs.items()}
        try:
            while processes[SERVER].is_alive:
                if self.env.peek() == float("inf"):
                    raise Deadlock("nothing can happen any more; " + "; ".join(map(self._wait, self._waits)))
                self.env.step()
        finally:
            for program in programs.values():
                program.close()

    def _wait(self, node: int) -> str:
        """Say what a node's program waits for, and where."""
        name = "server" if node == SERVER else f"worker {node}"
        return f"{name}: {type(self._waits[node]).__name__} in {where(self._programs[node])}"

    def _process(self, node: int, program: CoroutineType[Any, Any, None]) -> Generator[simpy.Event, Any, None]:
        answer: Any = None
        while True:
            try:
                op = program.send(answer)
            except StopIteration:
                return
            if op.racy and self.racy is None:
                self.racy = f"{type(op).__name__} in {where(program)}"
            self._waits[node] = op
            answer = yield from self._answer(node, op)
            del self._waits[node]

    def _answer(self, node: int, op: Op[Any]) -> Generator[simpy.Event, Any, Any]:
        match op:
            case Gradient(at=at, step=step):
                return (yield from self._gradient(node, at, step))
            case Work(kind=kind, size_bytes=size):
                yield from self._work(node, kind, size)
            case Send(to=to, payload=payload):
                self._send(node, to, payload)
            case Receive(source=source):
                return (yield from self._receive(node, source))[1]
            case ReceiveAny():
                return (yield from self._receive(node, None))
            case Now():
                return self.env.now
            case Mark(label=t, model=model):
                moment = Moment(self.env.now, {kind: values.copy() for kind, values in self.spent.items()})
                self.recording.mark(t, model, float(self.train_loss.nanmean()), moment)
            case _:
                raise Deadlock(
                    f"{type(op).__name__} is a collective of a synchronous cohort, which a co-simulation does not run "
                    f"({where(self._programs[node])})"
                )
        return None

    def _note(self, node: int, op: str, **fields: Any) -> None:
        self.recording.entry({"op": op, "process": node, "seconds": self.env.now, **fields})

    def _gradient(self, node: int, at: Tensor, step: int) -> Generator[simpy.Event, Any, Tensor]:
        request = Request(at, node, step)
        self.outstanding.append(request)
        self._note(node, "gradient", step=step)
        seconds = float(self.compute.gradient_seconds(np.array([node]), step, self.task.flops_per_step)[0])
        yield self.env.timeout(seconds)
        self.spent["compute"][node] += seconds
        if request.value is None:
            self._evaluate()
        assert request.value is not None
        return request.value[None]

    def _evaluate(self) -> None:
        """Compute every outstanding gradient, in worker order, in chunks of equal shape whatever is outstanding."""
        start = time.perf_counter()
        todo = sorted(self.outstanding, key=lambda request: request.worker)
        self.outstanding = []
        for i in range(0, len(todo), self.chunk):
            block = todo[i : i + self.chunk]
            padded = block + block[-1:] * (self.chunk - len(block))
            self._evaluate_chunk(block, padded)
        self.recording.gradient_seconds += time.perf_counter() - start

    def _evaluate_chunk(self, block: list[Request], padded: list[Request]) -> None:
        at = torch.stack([request.at for request in padded])
        out = torch.zeros_like(at)
        steps = torch.tensor([request.step for request in padded])
        losses = self.task.gradient(at, torch.tensor([request.worker for request in padded]), steps, out).cpu()
        for request, row, loss in zip(block, out, losses, strict=False):
            request.value = row
            self.recording.losses(loss[None], torch.tensor([request.worker]), request.step)
            self.train_loss[request.worker] = loss
        self.recording.samples += len(block) * self.task.batch

    def _work(self, node: int, kind: str, size: int) -> Generator[simpy.Event, Any, None]:
        self._note(node, "work", kind=kind, size=size)
        if node == SERVER:
            yield self.env.timeout(self.compute.server_seconds(size))
        else:
            seconds = float(self.compute.work_seconds(np.array([node]), size)[0])
            yield self.env.timeout(seconds)
            self.spent["encode"][node] += seconds

    def _send(self, node: int, to: int, payload: Payload) -> None:
        size = int(payload.bytes[0])
        self._note(node, "send", to=to, size=size)
        for direction, end in (("uplink", node), ("downlink", to)):
            if end != SERVER:
                self.recording.sent(direction, tally(payload))
        event = self.links.transfer(node, to, size)
        event.callbacks.append(lambda done: self._arrive(node, to, payload, done.value))

    def _arrive(self, node: int, to: int, payload: Payload, transfer: Any) -> None:
        seconds = transfer.finish_s - transfer.start_s
        if node != SERVER:
            self._upload[node] += seconds
            self.spent["uplink"][node] += seconds
            self.spent["latency"][node] += transfer.latency_s
        if to != SERVER:
            self.spent["latency"][to] += transfer.latency_s
        self.mail[to].put(self.env.now, node, payload, seconds)

    def _receive(self, node: int, source: int | None) -> Generator[simpy.Event, Any, tuple[int, Payload]]:
        began, box = self.env.now, self.mail[node]
        uploaded = self._upload[node] if node != SERVER else 0.0
        while True:
            if source is None and box.arrived or source is not None:
                if (found := box.take(source)) is not None:
                    break
            box.waiting = self.env.event()
            yield box.waiting
        box.waiting = None
        self._note(node, "receive", source=found[0])
        if node != SERVER:
            blocked = self.env.now - began
            upload = min(blocked, self._upload[node] - uploaded)
            download = min(blocked - upload, found[2])
            self.spent["downlink"][node] += download
            self.spent["waiting"][node] += blocked - upload - download
        return found[0], found[1]
