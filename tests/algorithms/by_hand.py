"""Drive a program by hand: each op is met by name and answered by the test, with no driver in between."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.gathered import Gathered
from algorithms.layout import Layout
from algorithms.ops import (
    AllGather,
    AllReduce,
    AtServer,
    Broadcast,
    Fork,
    Gather,
    Gradient,
    Handle,
    Join,
    Mark,
    Op,
    Work,
)
from algorithms.payloads import Payload
from algorithms.synchronous import Synchronous

O = TypeVar("O", bound=Op[Any])  # noqa: E741 - the op that is met


def rows(*values: list[float]) -> Tensor:
    """Write a matrix as its rows, float32."""
    return torch.tensor(values, dtype=torch.float32)


def cohort_of(n: int, d: int, **options: Any) -> Cohort:
    """Make a cohort of n workers and d coordinates."""
    return Cohort(n, Layout.flat(d), **options)


class Hand:
    """One coroutine, advanced from op to op."""

    def __init__(self, program: Coroutine[Any, Any, Any]) -> None:
        self.program, self._answer, self.result = program, None, None

    def meets(self, kind: type[O]) -> O:
        """Advance to the next op, which must be of this kind; work is passed over unless it is asked for."""
        op = self.program.send(self._answer)
        while isinstance(op, Work) and kind is not Work:
            op = self.program.send(None)
        assert type(op) is kind, f"expected {kind.__name__}, met {op}"
        self._answer = None
        return op

    def answers(self, answer: Any) -> None:
        """Set what the op that was met last evaluates to."""
        self._answer = answer

    def ends(self) -> Any:
        """Advance to the end, which must come next; give what the program returned."""
        try:
            op = self.program.send(self._answer)
        except StopIteration as end:
            return end.value
        raise AssertionError(f"expected the end, met {op}")


def gathered(payload: Payload, cohort: Cohort) -> Gathered:
    """Answer a gather of everybody's rows."""
    return Gathered(payload, cohort.active, cohort.weights, cohort.all_chunks)


def settle(program: Coroutine[Any, Any, Any], cohort: Cohort) -> Any:
    """Answer every collective of an exchange over one whole cohort, and give what it returns."""
    answer: Any = None
    while True:
        try:
            op = program.send(answer)
        except StopIteration as end:
            return end.value
        match op:
            case Work():
                answer = None
            case Fork(branch=branch, name=name):
                answer = Handle(name, settle(branch, cohort))
            case Join(handle=handle):
                answer = handle.value
            case Gather(payload=payload) | AllGather(payload=payload):
                answer = gathered(payload, cohort)
            case AtServer(function=function, gathered=met):
                answer = function(met)
            case Broadcast(payload=payload):
                answer = payload
            case AllReduce(payload=payload):
                answer = payload.fold(list(cohort.all_chunks))  # type: ignore[attr-defined]
            case _:
                raise AssertionError(f"an exchange met {op}")


def over_server(hand: Hand, cohort: Cohort, gradients: Tensor) -> tuple[Payload, Payload]:
    """Play a round over a server up to its broadcast: give what went up and what came down."""
    hand.meets(Gradient)
    hand.answers(gradients.clone())
    sent = hand.meets(Gather).payload
    hand.answers(gathered(sent, cohort))
    at_server = hand.meets(AtServer)
    hand.answers(at_server.function(at_server.gathered))
    down = hand.meets(Broadcast).payload
    hand.answers(down)
    return sent, down


def marked(hand: Hand, label: int) -> Tensor:
    """Meet the mark that ends a round and give the model after it."""
    mark = hand.meets(Mark)
    assert mark.label == label
    return mark.model.clone()


def begun(algorithm: Synchronous, cohort: Cohort, rounds: int, model: Tensor | None = None) -> Hand:
    """Start a synchronous algorithm, from zero unless told otherwise."""
    algorithm.begin(torch.zeros(cohort.layout.size, dtype=cohort.dtype) if model is None else model)
    return Hand(algorithm.run(cohort, rounds))
