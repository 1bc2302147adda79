"""The simulated processors of a co-simulation: what gradients and work cost, and gradients that are given up."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import simpy
from torch import Tensor

from algorithms.ops import SERVER
from simulator.compute import Compute
from simulator.drivers.listening import Gradients
from simulator.drivers.mailbox import Mailbox
from simulator.drivers.spending import Spending

Answer = Generator[simpy.Event, Any, Any]


class Processors:
    """One processor for each worker and one for the server; each runs one program, so nothing queues.

    Parameters
    ----------
    flops : float
        Of a gradient.
    mail : mapping of int to Mailbox
        What has arrived at each node.
    spending : Spending
        Bills each worker for its seconds.
    note : callable
        Is told each op, with its node.

    Attributes
    ----------
    steps : list of int
        The first mini-batch that each worker has not begun.
    """

    def __init__(
        self,
        env: simpy.Environment,
        gradients: Gradients,
        flops: float,
        compute: Compute,
        mail: Mapping[int, Mailbox],
        spending: Spending,
        note: Callable[..., None],
    ) -> None:
        self.env, self.gradients, self.flops, self.compute = env, gradients, flops, compute
        self.mail, self.spending, self.note = mail, spending, note
        self.steps = [0] * len(spending.spent["compute"])

    def gradient(self, node: int, at: Tensor, step: int) -> Answer:
        """Compute a worker's gradient to its end, unless the worker crashes."""
        request, seconds = self._begin(node, at, step)
        try:
            yield self.env.timeout(seconds)
        except simpy.Interrupt:
            self.gradients.withdraw(request)
            raise
        self.spending.ends(node, self.env.now, seconds)
        return self.gradients.value(request)

    def attempt(self, node: int, at: Tensor, step: int) -> Answer:
        """Compute a worker's gradient, but stop with None when a message is there."""
        box = self.mail[node]
        if box.arrived:
            return None
        request, seconds = self._begin(node, at, step)
        try:
            done = yield from box.pause(self.env, seconds)
        except simpy.Interrupt:
            self.gradients.withdraw(request)
            raise
        if not done:
            self.note(node, "abandon", step=step)
            self.gradients.withdraw(request)
            self.spending.ends(node, self.env.now)
            return None
        self.spending.ends(node, self.env.now, seconds)
        return self.gradients.value(request)

    def work(self, node: int, kind: str, size: int) -> Answer:
        """Pass through memory."""
        self.note(node, "work", kind=kind, size=size)
        if node == SERVER:
            seconds = self.compute.server_seconds(size)
        else:
            seconds = float(self.compute.work_seconds(np.array([node]), size)[0])
        self.spending.begins(node, "encode", self.env.now)
        yield self.env.timeout(seconds)
        self.spending.ends(node, self.env.now, seconds)

    def _begin(self, node: int, at: Tensor, step: int) -> tuple[Any, float]:
        """Begin a gradient; give it with its price in seconds."""
        request = self.gradients.ask(at, node, step)
        self.note(node, "gradient", step=step)
        self.steps[node] = step + 1
        self.spending.begins(node, "compute", self.env.now)
        return request, float(self.compute.gradient_seconds(np.array([node]), step, self.flops)[0])
