"""What stops a co-simulation says where, what makes it racy is named, and messages of one channel keep their order."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from algorithms.async_sgd import Asynchronous, async_sgd
from algorithms.ops import SERVER, AllReduce, Gradient, Now, Receive, ReceiveAny, Send
from algorithms.payloads import Dense
from network_models import Network, star
from simulator.compute import Fixed
from simulator.drivers.cosimulate import Deadlock
from simulator.records.recording import Diverged
from tests.simulator.cosimulations import MESSAGE_BITS, D, asynchronous, cohort, plain, simulator_of, switch, task_of


def line_of(function: Any, text: str) -> str:
    lines, first = inspect.getsourcelines(function)
    number = first + next(i for i, line in enumerate(lines) if text in line)
    return f"{function.__name__} (test_cosimulate_stops.py:{number})"


async def mute() -> None:
    await Receive(SERVER)


async def expectant() -> None:
    await listening()


async def listening() -> None:
    await Receive(0)


def test_a_deadlock_names_every_op_function_and_line() -> None:
    with pytest.raises(Deadlock) as error:
        plain().run({SERVER: expectant(), 0: mute()})  # type: ignore[dict-item]
    message = str(error.value)
    assert f"server: Receive in {line_of(listening, 'await Receive')}" in message
    assert f"worker 0: Receive in {line_of(mute, 'await Receive')}" in message


async def collective() -> None:
    await AllReduce(Dense(torch.zeros(1, D)))


def test_a_collective_is_refused_with_its_line() -> None:
    with pytest.raises(Deadlock, match="AllReduce is a collective") as error:
        plain().run({SERVER: expectant(), 0: collective()})  # type: ignore[dict-item]
    assert line_of(collective, "await AllReduce") in str(error.value)


async def impatient(heard: list[Any]) -> None:
    heard.append(await Now())
    heard.append(await Receive(0))
    heard.append(await Now())


async def sender(*sizes: int) -> None:
    for i, size in enumerate(sizes):
        await Send(SERVER, Dense(torch.full((1, size), float(i))))


def test_the_first_racy_op_is_the_reason() -> None:
    simulator, heard = plain(), []
    simulator.run({SERVER: impatient(heard), 0: sender(D)})  # type: ignore[dict-item]
    assert simulator.racy == f"Now in {line_of(impatient, 'heard.append(await Now())')}"
    assert heard[0] == 0 and heard[2] == pytest.approx(0.01 + MESSAGE_BITS / 1000)

    simulator = simulator_of(2, switch(2), Fixed(workers=2, seconds_per_step=0.5))
    asynchronous(simulator, 1)
    lines, first = inspect.getsourcelines(Asynchronous.server)
    number = first + next(i for i, line in enumerate(lines) if "await ReceiveAny()" in line)
    assert simulator.racy == f"ReceiveAny in server (async_sgd.py:{number})"


def test_a_program_that_cannot_see_time_is_not_racy() -> None:
    simulator = plain()
    simulator.run({SERVER: listening(), 0: sender(D)})  # type: ignore[dict-item]
    assert simulator.racy is None


@pytest.mark.parametrize("anyone", [False, True])
@pytest.mark.parametrize("network", [switch(1), star(1, float("inf"), float("inf"), 0.0)], ids=["finite", "infinite"])
def test_messages_of_one_channel_keep_their_order(network: Network, anyone: bool) -> None:
    # the short ones are held back behind the long one and arrive together with it
    sizes, heard = (50, 1, 1, 2, 1, 1, 3), []

    async def listener() -> None:
        for _ in sizes:
            payload = (await ReceiveAny())[1] if anyone else await Receive(0)
            heard.append(float(payload.dense()[0, 0]))

    simulator = simulator_of(1, network, Fixed(workers=1, seconds_per_step=0.5))
    simulator.run({SERVER: listener(), 0: sender(*sizes)})  # type: ignore[dict-item]
    assert heard == [0, 1, 2, 3, 4, 5, 6]


def test_a_gradient_at_a_point_of_its_own() -> None:
    # `at` may have a row for each hosted worker, here one; an asynchronous method with local steps uses that
    task, answers = task_of(2), []

    async def worker(w: int) -> None:
        for at in (torch.ones(D), torch.ones(1, D)):
            answers.append((w, (await Gradient(at, step=0)).clone()))
        await Send(SERVER, Dense(torch.zeros(1, D)))

    async def server() -> None:
        await Receive(0)
        await Receive(1)

    simulator = simulator_of(2, switch(2), Fixed(workers=2, seconds_per_step=0.5, speed=[1.0, 0.4]))
    simulator.run({SERVER: server(), 0: worker(0), 1: worker(1)})  # type: ignore[dict-item]
    for w, answer in answers:
        expected = torch.zeros(1, D)
        task.gradient(torch.ones(D), torch.tensor([w]), 0, expected)
        torch.testing.assert_close(answer, expected)
    assert len(answers) == 4


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    simulator = plain(2)
    algorithm = async_sgd(lr=0.1)
    algorithm.begin(torch.full((D,), float("nan")))
    programs: dict[int, Any] = {SERVER: algorithm.server(cohort(2), 3)}
    programs |= {w: algorithm.worker(cohort(2, only=w), 3) for w in range(2)}
    with pytest.raises(Diverged, match=r"got nan on worker 0 at step 0; try a smaller algorithm\.lr"):
        simulator.run(programs)
    assert all(inspect.getcoroutinestate(program) == inspect.CORO_CLOSED for program in programs.values())
