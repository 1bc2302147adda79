"""Spans tile each worker's time and sum to the timeline, on the clock and in a co-simulation; a round by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from network_models import star
from simulator.clock import Clock
from simulator.compute import Fixed, LogNormal
from simulator.moment import ADDED
from simulator.spans import Spans
from simulator.trace import Entry, Header
from tests.simulator.cosimulations import asynchronous, simulator_of

KINDS = {"compute": "compute", "encode": "encode", "queue": "queue", "wait": "waiting"}


def rows(table: pa.Table, worker: int) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if row["worker"] == worker]


def tiles(table: pa.Table, workers: int, until: float) -> None:
    """Each worker's spans on its own stream begin at zero, meet, and end with the run."""
    for worker in range(workers):
        mine = [row for row in rows(table, worker) if row["stream"] == "compute"]
        edges = [0.0, *(row["end_s"] for row in mine)]
        np.testing.assert_allclose([*(row["begin_s"] for row in mine), until], edges, rtol=1e-12, atol=1e-12)
        assert all(row["end_s"] > row["begin_s"] for row in mine)


def sums(table: pa.Table, worker: int, kind: str) -> float:
    return sum(row["end_s"] - row["begin_s"] for row in rows(table, worker) if row["kind"] == kind)


ROUND: list[Entry] = [
    {"op": "gradient", "step": 0},
    {"op": "gather", "size": [125, 375]},
    {"op": "at_server", "size": 500},
    {"op": "broadcast", "size": 125},
    {"op": "mark", "round": 1},
]


def test_a_round_by_hand() -> None:
    # Two workers of 1000 bit/s, no latency, and a server that takes in 1000 bit/s and sends without limit; 1 s of
    # gradient each. From 1 s on 1000 and 3000 bits share the server: the first is up at 3 s (alone: 2), the second at
    # 5 s (alone: 4). The server works 0.5 s; 1000 bits come down in 1 s. So the run ends at 6.5 s.
    spans = Spans()
    compute = Fixed(workers=2, seconds_per_step=1.0, memory_bytes_per_s=1000)
    network = star(2, 1000, 1000, 0, server_down_bps=1000, server_up_bps=1e15)
    clock = Clock(Header(2, 1, 1.0), network, compute, spans)
    for entry in ROUND:
        clock.play(entry)
    spans.end(clock.now, clock.seconds)
    table = spans.table()
    expected = {
        0: [("compute", 0, 1), ("uplink", 1, 2), ("queue", 2, 3), ("wait", 3, 5.5), ("downlink", 5.5, 6.5)],
        1: [("compute", 0, 1), ("uplink", 1, 4), ("queue", 4, 5), ("wait", 5, 5.5), ("downlink", 5.5, 6.5)],
        -1: [("server", 5, 5.5), ("mark", 6.5, 6.5)],
    }
    for worker, want in expected.items():
        found = [(row["kind"], row["begin_s"], row["end_s"]) for row in rows(table, worker)]
        assert [kind for kind, *_ in found] == [kind for kind, *_ in want]
        np.testing.assert_allclose([times for _, *times in found], [times for _, *times in want])
    assert [row["op"] for row in rows(table, 0)] == ["gradient", "gather", "gather", "broadcast", "broadcast"]
    assert {row["round"] for row in table.to_pylist()} == {1}
    # the server's downlink (resource 5) is full from 1 s to 5 s; its uplink sends 2000 bits from 5.5 s to 6.5 s
    rates = spans.rates()
    np.testing.assert_allclose(rates[5], [[1, 5], [1000, 0]])
    np.testing.assert_allclose(rates[2], [[5.5, 6.5], [2000, 0]])


@pytest.mark.parametrize("schedule", ["ring", "halving_doubling", "server"])
def test_spans_tile_the_clock_and_sum_to_the_timeline(schedule: str) -> None:
    generator = np.random.default_rng(3)
    compute = Fixed(workers=7, seconds_per_step=0.3, memory_bytes_per_s=1e4, stragglers=LogNormal(0.7))
    network = star(
        7, list(generator.uniform(500, 5000, 7)), list(generator.uniform(500, 5000, 7)),
        list(generator.uniform(0, 0.1, 7)), server_up_bps=3000, server_down_bps=2000, all_reduce=schedule,
    )  # fmt: skip
    spans = Spans()
    clock = Clock(Header(7, 1, 1.0), network, compute, spans)
    for t in range(10):
        active = sorted(generator.choice(7, size=int(generator.integers(1, 8)), replace=False).tolist())
        sizes = generator.integers(1, 500, len(active)).tolist()
        for entry in (
            {"op": "active", "workers": active}, {"op": "broadcast", "size": 50}, {"op": "gradient", "step": t},
            {"op": "work", "kind": "encode", "size": 99}, {"op": "gather", "size": sizes},
            {"op": "at_server", "size": 9}, {"op": "all_reduce", "size": 40}, {"op": "all_gather", "size": sizes},
            {"op": "mark", "round": t + 1},
        ):  # fmt: skip
            clock.play(entry)
    spans.end(clock.now, clock.seconds)
    table, spent = spans.table(), clock.moment().spent
    tiles(table, 7, clock.seconds)
    for worker in range(7):
        for kind, column in KINDS.items():
            assert sums(table, worker, kind) == pytest.approx(spent[column][worker], abs=1e-9), kind
        for way in ("uplink", "downlink"):
            moved = spent[way][worker] - spent[f"{way}_queue"][worker]
            assert sums(table, worker, way) == pytest.approx(moved, abs=1e-9)
    assert spent["queue"].sum() > 1  # the case is worth its name
    np.testing.assert_allclose(spent["queue"], spent["uplink_queue"] + spent["downlink_queue"])
    # what moved, by the curves, is what the links carried
    carried = np.zeros(len(network.carried_bits))
    for resource, (when, level) in spans.rates().items():
        carried[resource] = np.dot(np.diff(when), level[:-1])
    np.testing.assert_allclose(carried, network.carried_bits, rtol=1e-6)


def test_spans_of_a_cosimulation_tile_its_workers_time() -> None:
    n, bps = 4, 1000.0
    compute = Fixed(workers=n, seconds_per_step=0.1, memory_bytes_per_s=1e4, stragglers=LogNormal(0.5))
    spans = Spans()
    spans.by_time = True
    simulator = simulator_of(n, star(n, bps, bps, 0.01, server_down_bps=bps, server_up_bps=bps), compute, rounds=6)
    simulator.spending.spans = spans
    asynchronous(simulator, 6)
    makespan = simulator.env.now
    simulator.spending.close(makespan, simulator.carrier.flying)
    table, spent = spans.table(until=makespan), simulator.spending.spent
    tiles(table, n, makespan)
    for worker in range(n):
        for kind, column in KINDS.items():
            assert sums(table, worker, kind) == pytest.approx(spent[column][worker], abs=1e-9), kind
        assert sum(spent[kind][worker] for kind in ADDED) == pytest.approx(makespan)
    assert spent["queue"].sum() > 1
    assert {row["kind"] for row in rows(table, -1)} == {"server", "mark"}
    ended = [0.0, *(row["end_s"] for row in rows(table, -1) if row["kind"] == "mark"), makespan]
    for row in (row for worker in range(n) for row in rows(table, worker)):  # a span is of the round it begins in
        assert ended[row["round"] - 1] <= row["begin_s"] <= ended[row["round"]]


def test_a_listener_changes_nothing() -> None:
    moments = []
    for listener in (None, Spans()):
        compute = Fixed(workers=2, seconds_per_step=1.0, memory_bytes_per_s=1000)
        clock = Clock(Header(2, 1, 1.0), star(2, 1000, 2000, 0.1), compute, listener)
        for entry in ROUND:
            clock.play(entry)
        moments.append(clock.moment())
    assert moments[0].seconds == moments[1].seconds
    for kind, values in moments[0].spent.items():
        assert values.tolist() == moments[1].spent[kind].tolist()


def test_only_the_chosen_rounds_and_workers_are_kept_and_streams_stay_apart() -> None:
    spans = Spans(first=2, last=3, workers=[1])
    for t in range(1, 5):
        spans.entry({"op": "gradient", "step": t})
        spans.span("compute", np.arange(3), np.full(3, t - 1.0), np.full(3, float(t)))
        spans.span("downlink", np.arange(3), np.full(3, t - 0.5), np.full(3, t + 0.5), stream="network")
        spans.span("server", np.array([-1]), np.array([t - 1.0]), np.array([t - 1.0]))  # takes no time: no span
        spans.entry({"op": "mark", "round": t})
        spans.mark(t, float(t))
    table = spans.table()
    assert table["worker"].to_pylist() == [-1] * 2 + [1] * 4 and table["round"].to_pylist() == [2, 3] * 3
    assert table["stream"].to_pylist() == ["compute"] * 4 + ["network"] * 2
    assert table["kind"].to_pylist() == ["mark"] * 2 + ["compute"] * 2 + ["downlink"] * 2
    assert len(Spans().table()) == 0
