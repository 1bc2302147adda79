"""The co-simulating driver: values and clock together, for programs whose answers depend on time.

Each coroutine is a SimPy process; messages share the links of a fluid network, and those that reach a receiver at the
very same time are taken in a seeded order. A program that looks at time is noted, with the line that did.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Protocol

import numpy as np
import simpy
from torch import Tensor

from algorithms.ops import SERVER, Gradient, Mark, Now, Op, Receive, ReceiveAny, Send, Work, where
from algorithms.payloads import Payload
from network_models import Network, Transfer
from simulator.clock import SPENT, Moment
from simulator.compute import Compute
from simulator.drivers.mailbox import Mailbox, Message
from simulator.drivers.record import Deadlock
from simulator.trace import Entry

Program = Coroutine[Any, Any, None]
Answer = Generator[simpy.Event, Any, Any]


class Gradients(Protocol):
    """Computes gradients for programs that are in the middle of one, or leaves it."""

    @property
    def train_loss(self) -> float:
        """The mean over workers of each one's latest loss."""
        ...

    def ask(self, at: Tensor, worker: int, step: int) -> Any:
        """Begin a gradient."""
        ...

    def value(self, request: Any) -> Any:
        """End it."""
        ...


class Listener(Protocol):
    """Is told what the programs do."""

    def entry(self, entry: Entry) -> None:
        """Hear of an op."""
        ...

    def carried(self, direction: str, payload: Payload) -> None:
        """Hear of a message that leaves (uplink) or is on its way to (downlink) a worker."""
        ...

    def mark(self, t: int, model: Tensor, train_loss: float, moment: Moment, process: int) -> None:
        """Hear of a mark."""
        ...


class Cosimulator:
    """Runs one program per worker and one for the server until the server's ends, or all of them without a server.

    Parameters
    ----------
    gradients : Gradients
        Answers `Gradient`.
    flops_per_step : float
        Prices it.
    listener : Listener
        Is told every op, message and mark.
    seed : int
        Orders messages that arrive at the same time.
    """

    def __init__(
        self,
        gradients: Gradients,
        flops_per_step: float,
        network: Network,
        compute: Compute,
        listener: Listener,
        *,
        workers: int,
        seed: int,
    ) -> None:
        self.gradients, self.flops, self.compute, self.listener = gradients, flops_per_step, compute, listener
        self.env = simpy.Environment()
        network.reset()
        self.links = network.fluid(self.env)
        self.mail = {node: Mailbox(seed) for node in range(SERVER, workers)}
        self.spent = {kind: np.zeros(workers) for kind in SPENT}
        self.racy: str | None = None
        self._programs: dict[int, Program] = {}
        self._waits: dict[int, Op[Any]] = {}
        self._uploaded = np.zeros(workers)

    def run(self, programs: dict[int, Program]) -> None:
        """Run the programs, keyed by worker number and SERVER.

        Raises
        ------
        Deadlock
            If nothing can happen any more and the run has not ended: names what each program waits for.
        """
        self._programs = programs
        processes = {node: self.env.process(self._process(node, program)) for node, program in programs.items()}
        decisive = [processes[SERVER]] if SERVER in processes else list(processes.values())
        try:
            while any(process.is_alive for process in decisive):
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

    def _process(self, node: int, program: Program) -> Answer:
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

    def _answer(self, node: int, op: Op[Any]) -> Answer:
        match op:
            case Gradient(at=at, step=step):
                return (yield from self._gradient(node, at, step))
            case Work(kind=kind, size_bytes=size):
                yield from self._work(node, kind, size)
            case Send(to=to, payload=payload):
                self._send(node, to, payload)
            case Receive(source=source):
                return (yield from self._receive(node, source)).payload
            case ReceiveAny():
                message = yield from self._receive(node, None)
                return message.source, message.payload
            case Now():
                return self.env.now
            case Mark(label=t, model=model):
                moment = Moment(self.env.now, {kind: values.copy() for kind, values in self.spent.items()})
                self.listener.mark(t, model, self.gradients.train_loss, moment, node)
            case _:
                raise Deadlock(
                    f"{type(op).__name__} is a collective of a synchronous cohort, which a co-simulation does not run "
                    f"({where(self._programs[node])})"
                )
        return None

    def _note(self, node: int, op: str, **fields: Any) -> None:
        self.listener.entry({"op": op, "process": node, **fields})

    def _gradient(self, node: int, at: Tensor, step: int) -> Answer:
        request = self.gradients.ask(at, node, step)
        self._note(node, "gradient", step=step)
        seconds = float(self.compute.gradient_seconds(np.array([node]), step, self.flops)[0])
        yield self.env.timeout(seconds)
        self.spent["compute"][node] += seconds
        return self.gradients.value(request)

    def _work(self, node: int, kind: str, size: int) -> Answer:
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
                self.listener.carried(direction, payload)
        event = self.links.transfer(node, to, size)
        event.callbacks.append(lambda done: self._arrive(node, to, payload, done.value))

    def _arrive(self, node: int, to: int, payload: Payload, transfer: Transfer) -> None:
        seconds = transfer.finish_s - transfer.start_s
        if node != SERVER:
            self._uploaded[node] += seconds
            self.spent["uplink"][node] += seconds
            self.spent["uplink_latency"][node] += transfer.latency_s
            self.spent["latency"][node] += transfer.latency_s
        if to != SERVER:
            self.spent["downlink_latency"][to] += transfer.latency_s
            self.spent["latency"][to] += transfer.latency_s
        self.mail[to].put(self.env.now, node, payload, seconds)

    def _receive(self, node: int, source: int | None) -> Generator[simpy.Event, Any, Message]:
        began, box = self.env.now, self.mail[node]
        uploaded = 0.0 if node == SERVER else self._uploaded[node]
        while (message := box.take(source)) is None:
            box.waiting = self.env.event()
            yield box.waiting
        self._note(node, "receive", source=message.source)
        if node != SERVER:
            blocked = self.env.now - began
            upload = min(blocked, self._uploaded[node] - uploaded)
            download = min(blocked - upload, message.transfer_s)
            self.spent["downlink"][node] += download
            self.spent["waiting"][node] += blocked - upload - download
        return message
