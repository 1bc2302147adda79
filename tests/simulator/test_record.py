"""The recording driver's reports, and programs that talk by messages without looking at time."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import TopK, compress
from algorithms.ops import SERVER, AllReduce, Broadcast, Fork, Gather, Gradient, Mark, Now, Receive, Send, Work
from algorithms.payloads import Dense
from network_models import Network, star
from simulator.compute import Fixed, LogNormal
from simulator.drivers.cosimulate import Cosimulator
from simulator.drivers.outstanding import Outstanding
from simulator.drivers.record import Deadlock, Part, Recorder
from simulator.drivers.replay import retimed
from simulator.records.recording import Cadence, Recording
from simulator.tasks.synthetic import Quadratic
from simulator.trace import Header, TraceWriter

N = 4


def task() -> Quadratic:
    return Quadratic(workers=N, batch=1, seed=1, dimensions=6, noise=0.1, device="cpu")


def recorder(*programs: Any) -> Recorder:
    """Make a recorder of parts whose `run` is given."""
    made = task()
    parts = [
        Part(SimpleNamespace(run=program), Cohort(N, made.layout, chunk=1, part=i, parts=len(programs)), 3)  # type: ignore[arg-type]
        for i, program in enumerate(programs)
    ]
    return Recorder(parts, made, Recording(made, Cadence(3, 1, 100)))


def test_parts_that_meet_at_different_places_are_named_with_their_lines() -> None:
    async def gathers(cohort: Cohort, rounds: int) -> None:
        await Gather(Dense(torch.zeros(cohort.size, 6)))

    async def reduces(cohort: Cohort, rounds: int) -> None:
        await AllReduce(Dense(torch.zeros(cohort.size, 6)))

    with pytest.raises(Deadlock, match=r"Gather in gathers \(test_record.py:\d+\); AllReduce in reduces \(test_rec"):
        recorder(gathers, reduces).run()


def test_a_part_that_ends_early_is_a_deadlock() -> None:
    async def ends(cohort: Cohort, rounds: int) -> None:
        return

    async def goes_on(cohort: Cohort, rounds: int) -> None:
        await Broadcast(Dense(torch.zeros(1, 6)))

    with pytest.raises(Deadlock, match="a finished program; Broadcast in goes_on"):
        recorder(ends, goes_on).run()


@pytest.mark.parametrize("op", [Now(), Receive(0)])
def test_an_op_that_needs_a_clock_is_refused_with_its_line(op: Any) -> None:
    async def looks(cohort: Cohort, rounds: int) -> None:
        await op

    with pytest.raises(Deadlock, match=rf"{type(op).__name__} in looks \(test_record.py:\d+\)"):
        recorder(looks).run()


def test_only_what_can_be_summed_fits_an_all_reduce() -> None:
    async def reduces(cohort: Cohort, rounds: int) -> None:
        await AllReduce(await compress(cohort, TopK(k=2), torch.ones(cohort.size, 6)))

    with pytest.raises(TypeError, match=r"can be summed on the way, got Sparse.*reduces \(test_record.py"):
        recorder(reduces).run()


def by_messages(at: Tensor, rounds: int) -> dict[int, Any]:
    """Synchronous SGD written with Send and Receive: the server takes the workers in order."""

    async def worker(r: int) -> None:
        model = at
        for t in range(rounds):
            gradient = await Gradient(model, t)
            await Work("encode", 24)
            await Send(SERVER, Dense(gradient.clone()))
            model = (await Receive(SERVER)).dense()[0]

    async def server() -> None:
        model = at.clone()
        for t in range(rounds):
            received = [await Receive(r) for r in range(N)]
            model = model - 0.3 * torch.cat([payload.dense() for payload in received]).mean(0)
            for r in range(N):
                await Send(r, Dense(model[None]))
            await Mark(t + 1, model)

    return {SERVER: server()} | {r: worker(r) for r in range(N)}


def cosimulated(folder: Path, network: Network) -> tuple[list[Any], Recording, Fixed]:
    """Run the messages on a network and leave a trace."""
    made, compute = task(), Fixed(workers=N, seconds_per_step=0.2, stragglers=LogNormal(0.5))
    header = Header(N, 1, made.flops_per_step)
    folder.mkdir()
    recording = Recording(made, Cadence(5, 1, 100), trace=TraceWriter(folder / "trace.jsonl", header))
    simulator = Cosimulator(
        Outstanding(made, recording, N, 2), made.flops_per_step, network, compute, recording, workers=N, seed=3
    )
    simulator.run(by_messages(made.initial(1), 5))
    assert simulator.racy is None
    assert recording.trace is not None
    recording.trace.close()
    return recording.timeline, recording, compute


def test_messages_that_never_look_at_time_are_retimed_exactly(tmp_path: Path) -> None:
    slow = star(N, [1e3, 2e3, 3e3, 4e3], 5e3, 0.05)
    fast = star(N, 1e6, 1e6, 0.01)
    there, recorded, compute = cosimulated(tmp_path / "slow", slow)
    here, again, _ = cosimulated(tmp_path / "fast", fast)
    assert recorded.metrics == again.metrics and there != here
    for path in ("slow", "fast"):
        moments = retimed(tmp_path / path / "trace.jsonl", slow, compute, set(range(1, 6)))
        assert [moment.seconds for _, moment in moments] == [row["seconds"] for row in there]
        last = moments[-1][1]
        for kind, values in last.spent.items():
            assert values.tolist() == there[-1][f"{kind}_s"]
    ops = {json.loads(line)["op"] for line in (tmp_path / "slow" / "trace.jsonl").read_text().splitlines()[1:]}
    assert ops == {"gradient", "work", "send", "receive", "mark"}


def test_sums_ignore_how_rows_are_hosted() -> None:
    async def sums(cohort: Cohort, rounds: int) -> None:
        rows = torch.randn(N, 6, generator=torch.Generator().manual_seed(5))[cohort.workers]
        total = await AllReduce(Dense(rows))
        await Mark(1, total.dense()[0])

    models = []
    for hosts in (1, 2, 4):
        made = recorder(*[sums] * hosts)
        made.recording.mark = lambda t, model, *_: models.append(model)  # type: ignore[method-assign,misc]
        made.run()
    assert len(models) == 3 and all(torch.equal(models[0], model) for model in models)


@pytest.mark.parametrize("op", ["Fork", "Gradient", "Mark"])
def test_what_a_branch_may_not_do_is_refused_with_its_line(op: str) -> None:
    async def nothing() -> None:
        await Work("encode", 1)

    inside = {"Fork": Fork(nothing(), "b"), "Gradient": Gradient(torch.zeros(6), 0), "Mark": Mark(1, torch.zeros(6))}

    async def strays() -> None:
        await inside[op]

    async def forks(cohort: Cohort, rounds: int) -> None:
        await Fork(strays(), "a")

    with pytest.raises(Deadlock, match=rf"{op} in strays \(test_record.py:\d+\): .* inside of a branch, .* of 'a'"):
        recorder(forks).run()
    inside["Fork"].branch.close()  # type: ignore[attr-defined]
