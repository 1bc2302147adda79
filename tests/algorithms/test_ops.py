"""Ops are plain data that a coroutine yields; `where` names the line at which one is awaited."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest
import torch

from algorithms import ops
from algorithms.ops import AllReduce, Attempt, Gradient, Mark, Now, Op, Receive, ReceiveAny, Send, Work, where
from algorithms.payloads import Dense
from tests.algorithms.by_hand import Hand


async def inner() -> Any:
    return await Receive(3)


async def outer() -> Any:
    await Work("think", 8)
    return await inner()


def line_of(function: Any, text: str) -> int:
    """Find the line of this file on which a function contains a text."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


def test_where_names_the_innermost_await() -> None:
    program: Any = outer()
    program.send(None)
    assert where(program) == f"outer (test_ops.py:{line_of(outer, 'await Work')})"
    program.send(None)
    assert where(program) == f"inner (test_ops.py:{line_of(inner, 'await Receive')})"
    with pytest.raises(StopIteration) as end:
        program.send("message")
    assert end.value.value == "message"
    assert where(program) == "a finished program"


def test_where_of_a_program_that_has_not_begun_is_its_head() -> None:
    program: Any = outer()
    assert where(program) == f"outer (test_ops.py:{line_of(outer, 'async def')})"
    program.close()


def test_an_answer_is_what_await_gives() -> None:
    async def program() -> Any:
        return (await Gradient(torch.zeros(2), step=4)) + (await Now())

    hand = Hand(program())
    assert hand.meets(Gradient).step == 4
    hand.answers(1.5)
    hand.meets(Now)
    hand.answers(2.0)
    assert hand.ends() == 3.5


def test_only_ops_that_see_time_are_racy() -> None:
    kinds = [kind for _, kind in inspect.getmembers(ops, inspect.isclass) if issubclass(kind, Op) and kind is not Op]
    assert len(kinds) >= 12
    assert {kind for kind in kinds if kind.racy} == {Attempt, ReceiveAny, Now}


def test_ops_are_frozen() -> None:
    payload = Dense(torch.zeros(1, 2))
    for op in (Work("a", 1), Send(0, payload), AllReduce(payload), Mark(1, torch.zeros(2))):
        field = dataclasses.fields(op)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(op, field, None)
