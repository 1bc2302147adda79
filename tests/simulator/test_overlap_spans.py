"""Spans of two streams a worker: both tile or stay apart, and what a worker pays for sums to the timeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from network_models import star
from simulator.clock import Clock
from simulator.compute import Fixed, LogNormal
from simulator.spans import Spans
from simulator.trace import Entry, Header

N = 3


def clock_of(spans: Spans) -> Clock:
    compute = Fixed(workers=N, seconds_per_step=2.0, memory_bytes_per_s=1000.0, stragglers=LogNormal(0.5))
    network = star(N, [900, 1000, 1100], 1000, 0.1, server_down_bps=1500, server_up_bps=1500)
    return Clock(Header(N, 1, 1.0), network, compute, spans)


def rounds(count: int, **work: Any) -> list[Entry]:
    """Three buckets during each backward pass: one is encoded, one is worked on afterwards, one is all-reduced."""
    entries: list[Entry] = []
    for t in range(count):
        encode: Entry = {"op": "work", "kind": "encode", "size": 100}
        entries += [{"op": "gradient", "step": t}, {"op": "fork", "name": "a", "ready": 0.3}, encode]
        entries += [{"op": "gather", "size": 50}, {"op": "broadcast", "size": 60}, {"op": "end"}]
        entries += [{"op": "fork", "name": "b", "ready": 0.6}, {"op": "all_gather", "size": 20}, encode, {"op": "end"}]
        entries += [{"op": "fork", "name": "c", "ready": 1.0}, {"op": "all_reduce", "size": 80}, {"op": "end"}]
        entries += [{"op": "join", "name": name} for name in "abc"]
        entries += [encode | work, {"op": "gather", "size": 40}, {"op": "mark", "round": t + 1}]
    return entries


@pytest.mark.parametrize("pieces", [{}, {"pieces": 4}])
def test_what_is_paid_tiles_and_sums_and_the_links_rest_in_between(pieces: dict[str, int]) -> None:
    spans = Spans()
    clock = clock_of(spans)
    for entry in rounds(4, **pieces):
        clock.play(entry)
    spans.end(clock.now, clock.seconds)
    table, spent = spans.table().to_pylist(), clock.moment().spent
    assert spent["hidden"].min() > 0 and spent["queue"].max() > 0
    for worker in range(N):
        mine = [row for row in table if row["worker"] == worker and row["stream"] == "compute"]
        edges = [0.0, *(row["end_s"] for row in mine)]
        np.testing.assert_allclose([*(row["begin_s"] for row in mine), clock.seconds], edges, rtol=1e-12)
        for kind, expected in {
            "compute": spent["compute"], "encode": spent["encode"], "wait": spent["waiting"], "queue": spent["queue"],
            "uplink": spent["uplink"] - spent["uplink_queue"], "downlink": spent["downlink"] - spent["downlink_queue"],
        }.items():  # fmt: skip
            total = sum(row["end_s"] - row["begin_s"] for row in mine if row["kind"] == kind)
            assert total == pytest.approx(expected[worker], abs=1e-9), kind
        other = [row for row in table if row["worker"] == worker and row["stream"] == "network"]
        assert {row["kind"] for row in other} >= {"uplink", "downlink", "encode"}
        assert all(one["end_s"] <= two["begin_s"] + 1e-9 for one, two in zip(other, other[1:], strict=False))


def test_pieces_are_carried_once() -> None:
    # a message in pieces is tried whole and as its last piece: only the whole one moves
    carried = []
    for pieces in ({}, {"pieces": 4}):
        clock = clock_of(Spans())
        for entry in rounds(3, **pieces):
            clock.play(entry)
        carried.append(clock.moment().carried_bits)
    np.testing.assert_allclose(carried[0], carried[1])
    assert carried[0].max() > 0
