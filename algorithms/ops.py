"""What an algorithm may ask of the world: plain frozen data; awaiting it hands it to the driver, which answers.

Nothing here knows how an op is answered: a driver may compute values, advance a clock, talk to real processes, or be a
test that calls `send` by hand. An op whose answer may depend on time is *racy*; a program that awaits none cannot see
the network.

Legend: w rows hosted here, m workers active in the round, d coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from torch import Tensor

from algorithms.gathered import Gathered
from algorithms.payloads import Payload

T = TypeVar("T")
SERVER = -1


@dataclass(frozen=True, slots=True, eq=False)
class Op(Generic[T]):
    """One request; `await op` yields it to the driver and returns the driver's answer."""

    racy: ClassVar[bool] = False

    def __await__(self) -> Generator[Op[T], T, T]:
        return (yield self)


@dataclass(frozen=True, slots=True, eq=False)
class Gradient(Op[Tensor]):
    """Stochastic gradients of the hosted workers, shape (w, d), on their batch number `step`.

    `at` is one point for all of them, shape (d,), or one for each, shape (w, d).

    The answer's memory is the driver's and is written again by the next `Gradient`; it may be changed in place until
    then.
    """

    at: Tensor
    step: int


@dataclass(frozen=True, slots=True, eq=False)
class Attempt(Op[Tensor | None]):
    """A `Gradient` that is given up, and None, as soon as a message for the worker is there."""

    racy: ClassVar[bool] = True

    at: Tensor
    step: int


@dataclass(frozen=True, slots=True, eq=False)
class Work(Op[None]):
    """Computation of the hosted workers other than gradients: `size_bytes` of memory that each passes through.

    With several `pieces` the collective that comes next sends each piece while the one after it is worked on.
    """

    kind: str
    size_bytes: int
    pieces: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class AllReduce(Op[Payload]):
    """Sum the rows of all active workers; every worker receives the sum, one row. Only what can be summed fits."""

    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class AllGather(Op[Gathered]):
    """Every worker receives every active worker's row."""

    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class Gather(Op[Gathered]):
    """Each active worker sends its row to the server; the answer may only be opened by `AtServer`."""

    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class AtServer(Op[T]):
    """Run `function(gathered)` at the server, which passes through `size_bytes` of memory, and give its result.

    `function` must be deterministic: it runs once in a simulation and once on every rank of a distributed run.
    """

    function: Callable[[Gathered], T]
    gathered: Gathered
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Broadcast(Op[Payload]):
    """The server sends one row to every active worker."""

    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class Scatter(Op[Payload]):
    """The server sends each active worker a row of its own, m rows; the answer has those of the hosted workers, w."""

    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class Send(Op[None]):
    """Hand a one-row payload to the link towards `to` (a worker's number or SERVER) and go on at once."""

    to: int
    payload: Payload


@dataclass(frozen=True, slots=True, eq=False)
class Receive(Op[Payload]):
    """Wait for the next message from `source`; messages of one channel arrive in the order in which they were sent."""

    source: int


@dataclass(frozen=True, slots=True)
class Joined:
    """News for the server: a worker has come, or come back, and waits for a model."""

    worker: int


@dataclass(frozen=True, slots=True)
class Left:
    """News for the server: a worker is gone; nothing more that it sent, and nothing sent to it, will arrive."""

    worker: int


Heard: TypeAlias = tuple[int, Payload] | Joined | Left | None


@dataclass(frozen=True, slots=True, eq=False)
class ReceiveAny(Op[Heard]):
    """Wait for the next message from anyone: (source, payload); or for news of who is there (the server only).

    At `until_s`, a moment of simulated time, the answer is None if nothing has arrived by then.
    """

    racy: ClassVar[bool] = True

    until_s: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Now(Op[float]):
    """The simulated time in seconds."""

    racy: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, eq=False)
class Handle(Generic[T]):
    """A branch that was forked: its name, and what it returned, which only `Join` may look at."""

    name: str
    value: T


@dataclass(frozen=True, slots=True, eq=False)
class Fork(Op[Handle[T]]):
    """Start a branch that communicates while the program goes on computing.

    Branches use a worker's links one after the other, in the order in which they were forked. What a branch computes
    before its first collective is the computing stream's; what it computes later waits for that collective and so is
    the communication stream's. A branch forks and marks nothing.

    Parameters
    ----------
    branch : coroutine
        Awaits ops and returns the answer of `Join`. A driver without a clock may run it to its end at once, because a
        value cannot depend on time.
    name : str
        Not that of another branch under way; the same in a resumed run.
    ready : float
        The fraction of the latest gradient's operations after which what the branch sends is there, in [0, 1].
    """

    branch: Coroutine[Any, Any, T]
    name: str
    ready: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Join(Op[T]):
    """Wait until a forked branch is through, and give what it returned."""

    handle: Handle[T]


@dataclass(frozen=True, slots=True, eq=False)
class Mark(Op[None]):
    """A labelled point of progress and a barrier for a cohort's parts: `model` is the iterate after round `label`."""

    label: int
    model: Tensor


def where(program: Coroutine[Any, Any, Any]) -> str:
    """Name the function and line at which a suspended coroutine awaits its op, such as ``mean (server.py:41)``."""
    frame: FrameType | None = getattr(program, "cr_frame", None)
    inner: Any = program
    while (awaited := getattr(inner, "cr_await", None)) is not None:
        inner = awaited
        deeper = getattr(inner, "cr_frame", None)
        if deeper is not None:
            frame = deeper
    if frame is None:
        return "a finished program"
    return f"{frame.f_code.co_name} ({frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno})"
