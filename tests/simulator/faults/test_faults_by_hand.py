"""Crashes, rejoins, losses and retries against times by hand, one worker at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from algorithms.async_sgd import async_sgd
from algorithms.backup_sgd import backup_sgd
from algorithms.ops import SERVER, Left, Receive, ReceiveAny, Send
from algorithms.payloads import Dense
from simulator.compute import Fixed
from simulator.drivers.cosimulate import Deadlock, Stranded
from simulator.faults import Faults, crashes, elastic, scheduled
from tests.simulator.cosimulations import D, played, simulator_of, switch, task_of

# A step takes 0.5 s, a message 0.01 s of latency and 176 bits at 1000 bit/s: 0.186 s. Nothing else takes time.
STEP, TRAVEL = 0.5, 0.186
FREE = float("inf")


def world(faults: Faults, *step_s: float, rounds: int = 2, memory: float = FREE) -> Any:
    """Make workers of these step times, one of half a second unless told."""
    steps = step_s or (STEP,)
    compute = Fixed(workers=len(steps), seconds_per_step=1.0, memory_bytes_per_s=memory, speed=[1 / s for s in steps])
    return simulator_of(len(steps), switch(len(steps)), compute, rounds=rounds, faults=faults)


def outages(*rows: Sequence[Any], workers: int = 1) -> Faults:
    return scheduled(workers=workers, seed=0, outages=rows)


def marks(simulator: Any) -> list[float]:
    return [row["seconds"] for row in simulator.listener.timeline]


def one(faults: Faults, rounds: int = 2, **options: Any) -> tuple[Any, Any]:
    """Run asynchronous SGD on one worker."""
    simulator = world(faults, rounds=rounds, **options)
    return simulator, played(simulator, async_sgd(lr=0.25), rounds)


def test_a_crash_in_the_middle_of_a_gradient() -> None:
    # pushed at 0.5, applied at 0.686, answered at 0.872; its second step is under way at 1 s and lost. Up again at 2 s,
    # the model comes at 2.186, the step ends at 2.686, the push arrives at 2.872
    simulator, algorithm = one(outages([0, 1.0, 2.0]))
    assert marks(simulator) == pytest.approx([0.686, 2.872])
    assert algorithm.staleness == Counter({0: 2})
    assert simulator.processors.steps == [3]  # step 1 was begun in vain
    assert simulator.listener.metrics[-1]["samples"] == 2
    assert simulator.spending.spent["compute"].tolist() == pytest.approx([STEP + (1.0 - 0.872) + STEP])
    counts = simulator.counts()
    assert (counts["crashes"], counts["rejoins"], counts["messages_cut"]) == (1, 1, 0)
    assert counts["absent_s"] == pytest.approx(1.0)


def test_a_crash_loses_what_was_on_its_way_up() -> None:
    # the push of 0.5 s never arrives; the model that is fetched at 0.7 comes at 0.886, its push at 1.572
    simulator, _ = one(outages([0, 0.6, 0.7]), rounds=1)
    assert marks(simulator) == pytest.approx([1.572])
    assert simulator.counts()["messages_cut"] == 1


def test_a_crash_loses_what_was_on_its_way_down_which_keeps_its_share_of_the_link() -> None:
    # the answer of 0.686 flows from 0.696; the one of 0.8 from 0.81, when 62 bits of the first are left: both at half
    # the rate until 0.934, then the second's last 114 bits alone until 1.048; push at 1.548, applied at 1.734
    simulator, algorithm = one(outages([0, 0.7, 0.8]))
    assert marks(simulator) == pytest.approx([0.686, 1.734])
    assert algorithm.staleness == Counter({0: 2})


def test_what_the_server_sends_before_it_hears_of_a_crash_reaches_nobody() -> None:
    # applying takes 3 * 4 floats at 48 bytes/s = 1 s, until 1.686: in the meantime the worker crashed and came back.
    # The answer goes to the dead worker; the next one, sent at once, shares the link with it: 2 * 0.176 + 0.01 s
    simulator, algorithm = one(outages([0, 0.7, 0.8]), memory=48.0)
    assert marks(simulator) == pytest.approx([1.686, 1.686 + 0.362 + STEP + TRAVEL + 1.0])
    assert algorithm.staleness == Counter({0: 2})
    assert simulator.counts()["messages_cut"] == 1


class Stumbling:
    """Loses the first message of worker 0, twice; waits 0.1 s and then 0.2 s."""

    def lost(self, source: int, to: int, number: int, attempt: int) -> bool:
        return source == 0 and number == 0 and attempt < 2

    def wait_s(self, attempt: int) -> float:
        return 0.1 * 2**attempt


LOSSY = Faults("stumbling", None, Stumbling())  # type: ignore[arg-type]


def test_a_lost_message_is_sent_again_and_counts_each_time() -> None:
    # sent at 0.5, 0.786 and 1.172; arrived at 1.358
    simulator, _ = one(LOSSY, rounds=1)
    assert marks(simulator) == pytest.approx([1.358])
    assert simulator.listener.metrics[-1]["uplink_wire_bytes"] == 3 * 22
    counts = simulator.counts()
    assert (counts["messages_lost"], counts["retries"], counts["retransmitted_bytes"]) == (2, 2, 44)
    assert simulator.listener.timeline[-1]["uplink_s"] == pytest.approx([1.358 - 0.5])


def test_messages_behind_a_lost_one_wait_for_it() -> None:
    heard: list[float] = []

    async def sender() -> None:
        for i in range(3):
            await Send(SERVER, Dense(torch.full((1, D), float(i))))

    async def server() -> None:
        for _ in range(3):
            heard.append(float((await Receive(0)).dense()[0, 0]))

    simulator = world(LOSSY)
    simulator.run({SERVER: server(), 0: sender()})
    assert heard == [0, 1, 2] and simulator.env.now > 0.3


def test_who_joins_late_fetches_the_model_and_who_leaves_is_not_missed() -> None:
    # worker 1 comes at 1 s: model at 1.186, push at 1.872. Worker 0 leaves at 1.6, after two pushes (0.686, 1.558)
    faults = elastic(workers=2, seed=0, joins=[[1, 1.0]], leaves=[[0, 1.6]])
    simulator = world(faults, STEP, STEP)
    algorithm = played(simulator, async_sgd(lr=0.25), 2)
    # four gradients: 0.686, 1.558 | 1.872, 2.744
    assert marks(simulator) == pytest.approx([1.558, 2.744])
    assert algorithm.staleness == Counter({0: 3, 1: 1})  # worker 1 read version 1 and was applied to version 2
    counts = simulator.counts()
    assert (counts["joins"], counts["leaves"], counts["crashes"]) == (1, 1, 0)


def test_backup_workers_give_up_at_the_next_model() -> None:
    # worker 0 sets the pace, 0.872 s a step; worker 1 would need 2 s and gives up at each model; what it says instead,
    # a header of 48 bits, comes 0.058 s after the model
    simulator = world(Faults(), STEP, 2.0, rounds=4)
    algorithm = played(simulator, backup_sgd(workers=2, backups=1, lr=0.25), 4)
    assert marks(simulator) == pytest.approx([0.686 + 0.872 * t for t in range(4)])
    assert algorithm.dropped == 3 and algorithm.staleness == Counter({0: 4})
    # given up at 0.872, 1.744 and 2.616; the fourth is under way at the end, 3.302
    assert simulator.spending.spent["compute"][1] == pytest.approx(3 * 0.872)
    assert simulator.racy is not None and simulator.racy.startswith("ReceiveAny in server (backup_sgd.py")
    model, task = task_of(2).initial(0), task_of(2)
    for _ in range(4):
        gradient = torch.zeros(1, D)
        task.gradient(model, torch.tensor([0]), 0, gradient)
        model = model - 0.25 * gradient[0]
    torch.testing.assert_close(algorithm.model, model)


def test_the_server_waits_in_vain_when_all_are_lost() -> None:
    simulator = world(outages([0, 1.0, None], [1, 0.2, None], workers=2), STEP, STEP, rounds=5)
    with pytest.raises(Stranded, match=r"faults: at 1 s every worker is gone, .* still waits in server \(async_sgd"):
        played(simulator, async_sgd(lr=0.25), 5)


def test_crashes_without_end_do_not_hide_a_deadlock() -> None:
    async def deaf() -> None:
        await Receive(0)

    async def mute() -> None:
        await Receive(SERVER)

    simulator = world(crashes(workers=1, seed=0, mttf_s=1.0, mttr_s=0.1))
    with pytest.raises(Deadlock, match=r"server: Receive in deaf \(test_faults_by_hand\.py:\d+\)"):
        simulator.run({SERVER: deaf(), 0: mute()}, lambda worker, step: mute())


def test_workers_that_come_and_go_during_long_work_are_no_deadlock() -> None:
    # applying takes 100 s, in which the worker fails about a hundred times
    simulator = world(crashes(workers=1, seed=0, mttf_s=0.9, mttr_s=0.1), rounds=1, memory=0.48)
    played(simulator, async_sgd(lr=0.25), 1)
    assert simulator.counts()["crashes"] > 50


def test_news_is_for_who_listens_to_anyone() -> None:
    # worker 1 is gone from the start; the server reads two messages of worker 0 by name before it hears of that
    heard: list[Any] = []

    async def sender() -> None:
        for _ in range(2):
            await Send(SERVER, Dense(torch.zeros(1, D)))

    async def server() -> None:
        for _ in range(2):
            await Receive(0)
        heard.append(await ReceiveAny())
        heard.append(await ReceiveAny(until_s=7.5))

    simulator = world(outages([1, 0.0, None], workers=2), STEP, STEP)
    simulator.run({SERVER: server(), 0: sender(), 1: sender()})
    assert heard == [Left(1), None] and simulator.env.now == 7.5
