"""The co-simulating driver: values and clock together, for programs whose answers depend on time.

Each coroutine is a SimPy process; messages share the links of a fluid network, and those that reach a receiver at the
very same time are taken in a seeded order. A program that looks at time is noted, with the line that did. Faults stop
programs and start them anew, and the server hears of it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any

import simpy

from algorithms.ops import (
    SERVER,
    Attempt,
    Gradient,
    Joined,
    Left,
    Mark,
    Now,
    Op,
    Receive,
    ReceiveAny,
    Send,
    Work,
    where,
)
from network_models import Network
from simulator.compute import Compute
from simulator.drivers.carrier import Carrier, Parcel
from simulator.drivers.listening import Gradients, Listener
from simulator.drivers.mailbox import Mailbox, Message
from simulator.drivers.membership import Membership
from simulator.drivers.part import Deadlock
from simulator.drivers.processors import Processors
from simulator.drivers.spending import Spending
from simulator.faults import Faults
from simulator.spans import SpanListener

Program = Coroutine[Any, Any, None]
Answer = Generator[simpy.Event, Any, Any]
_NEVER = float("inf")


class Stranded(RuntimeError):
    """The server waits for workers of whom none is left."""


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
    faults : Faults
        What goes wrong. A worker's crash ends its program and loses what is on its way from and to it.
    tainted : callable
        Is told of the first op whose answer depends on time, when it comes.
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
        faults: Faults = Faults(),  # noqa: B008 - frozen
        spans: SpanListener | None = None,
        tainted: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.gradients, self.listener = gradients, listener
        self.env = simpy.Environment()
        network.reset()
        self.links = network.fluid(self.env)
        self.spending = Spending(workers, self.links, spans)
        self.carrier = Carrier(self.env, self.links, faults.loss, listener, self._arrive, self.spending.landed)
        self.members = Membership(self.env, faults.absences, workers, self, listener.entry)
        self.mail = {node: Mailbox(seed) for node in range(SERVER, workers)}
        self.processors = Processors(self.env, gradients, flops_per_step, compute, self.mail, self.spending, self._note)
        self.racy: str | None = None
        self._tainted = tainted
        self._programs: dict[int, Program] = {}
        self._processes: dict[int, simpy.Process] = {}
        self._rejoin: Callable[[int, int], Program] | None = None
        self._waits: dict[int, Op[Any]] = {}

    def run(self, programs: dict[int, Program], rejoin: Callable[[int, int], Program] | None = None) -> None:
        """Run the programs, keyed by worker number and SERVER.

        Parameters
        ----------
        rejoin : callable
            Makes the program of a worker that comes (back) during the run, given its number and first step. Needed
            where faults take workers away.

        Raises
        ------
        Deadlock
            If nothing can happen any more and the run has not ended: names what each program waits for.
        Stranded
            If the server waits for a message, and every worker is gone for good.
        """
        self._programs, self._rejoin = dict(programs), rejoin
        try:
            self.members.begin(self.mail[SERVER] if SERVER in programs else None)
            for node in programs:
                if node not in self.members.absent:
                    self._start(node)
            decisive = [SERVER] if SERVER in programs else list(programs)
            while any(node in self._processes and self._processes[node].is_alive for node in decisive):
                if self.env.peek() == _NEVER or self._idle():
                    raise Deadlock("nothing can happen any more; " + "; ".join(map(self._wait, self._waits)))
                self.env.step()
            for node in decisive:
                if node in self._processes and isinstance(error := self._processes[node].value, BaseException):
                    raise error  # it ended so, but SimPy has not come to say it
        finally:
            for program in self._programs.values():
                program.close()

    def _idle(self) -> bool:
        """Whether workers come and go, and nothing comes of it: all wait for messages, and none is on its way."""
        waiting = self.members.changes > 2 * len(self.mail) and not self.carrier.busy
        return waiting and all(isinstance(op, (Receive, ReceiveAny)) for op in self._waits.values())

    def counts(self) -> dict[str, float]:
        """Count what went wrong so far."""
        return self.members.totals() | self.carrier.totals()

    def down(self, worker: int) -> None:
        """Stop a worker's program; see `Membership`."""
        self.spending.leaves(worker, self.env.now, self.carrier.of(worker))
        process = self._processes.pop(worker, None)
        if process is not None and process.is_alive:
            process.interrupt()
        self._waits.pop(worker, None)
        self.mail[worker].clear()
        self.carrier.cut(worker)

    def up(self, worker: int) -> None:
        """Start a worker's program; see `Membership`."""
        if self._rejoin is None:
            raise ValueError("rejoin: expected a maker of programs where faults take workers away, got None")
        self._programs[worker].close()
        self._programs[worker] = self._rejoin(worker, self.processors.steps[worker])
        self.spending.comes(worker, self.env.now)
        self._start(worker)

    def _start(self, node: int) -> None:
        self._processes[node] = self.env.process(self._process(node, self._programs[node]))

    def _wait(self, node: int) -> str:
        """Say what a node's program waits for, and where."""
        name = "server" if node == SERVER else f"worker {node}"
        return f"{name}: {type(self._waits[node]).__name__} in {where(self._programs[node])}"

    def _process(self, node: int, program: Program) -> Answer:
        answer: Any = None
        try:
            while True:
                try:
                    op = program.send(answer)
                except StopIteration:
                    return
                if op.racy and self.racy is None:
                    self.racy = f"{type(op).__name__} in {where(program)}"
                    self._tainted(self.racy)
                self._waits[node] = op
                answer = yield from self._answer(node, op)
                del self._waits[node]
        except simpy.Interrupt:
            program.close()

    def _answer(self, node: int, op: Op[Any]) -> Answer:
        match op:
            case Gradient(at=at, step=step):
                return (yield from self.processors.gradient(node, at, step))
            case Attempt(at=at, step=step):
                return (yield from self.processors.attempt(node, at, step))
            case Work(kind=kind, size_bytes=size):
                yield from self.processors.work(node, kind, size)
            case Send(to=to, payload=payload):
                self._note(node, "send", to=to, size=int(payload.bytes[0]))
                self.carrier.send(node, to, payload, cut=not self.members.reachable(to))
            case Receive(source=source):
                return (yield from self._receive(node, source)).payload
            case ReceiveAny(until_s=until):
                message = yield from self._receive(node, None, until)
                if message is None or isinstance(message.payload, (Joined, Left)):
                    return message and message.payload
                return message.source, message.payload
            case Now():
                return self.env.now
            case Mark(label=t, model=model):
                moment = self.spending.mark(t, self.env.now, self.carrier.flying)
                self.listener.mark(t, model, self.gradients.train_loss, moment, node)
            case _:
                raise Deadlock(
                    f"{type(op).__name__} is a collective of a synchronous cohort, which a co-simulation does not run "
                    f"({where(self._programs[node])})"
                )
        return None

    def _note(self, node: int, op: str, **fields: Any) -> None:
        self.members.changes = 0
        entry = {"op": op, "process": node, **fields}
        self.listener.entry(entry)
        self.spending.entry(entry)

    def _arrive(self, parcel: Parcel, latency_s: float) -> None:
        now = self.env.now
        self.spending.carried(parcel, latency_s, now)
        times = (now - parcel.sent_s, latency_s, parcel.queueing_s)
        self.mail[parcel.to].put(now, parcel.source, parcel.payload, *times)

    def _receive(self, node: int, source: int | None, until_s: float = _NEVER) -> Generator[simpy.Event, Any, Any]:
        box = self.mail[node]
        late = False
        message: Message | None
        while (message := box.take(source)) is None and not late:
            if node == SERVER and self.members.hopeless:
                raise Stranded(
                    f"faults: at {self.env.now:.6g} s every worker is gone, none will come back, and the server "
                    f"still waits in {where(self._programs[node])}"
                )
            late = yield from box.pause(self.env, until_s - self.env.now)
        if message is None:
            self._note(node, "timeout", seconds=self.env.now)
            return None
        if isinstance(message.payload, (Joined, Left)):
            self.members.heard(message.source)
            self._note(node, "hear", source=message.source)
            return message
        self._note(node, "receive", source=message.source)
        if node != SERVER:
            self.spending.blocked(node, self.env.now, message)
        return message
