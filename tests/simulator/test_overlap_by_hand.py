"""Two streams a worker, by hand: buckets during the backward pass, pieces of a message, an exchange of the step before.

All links: 1000 bit/s, 0.1 s each, so that two workers are 0.2 s apart and all-reduce m bytes in 2 (0.2 + 4 m / 1000).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from network_models import star
from network_models.even import is_even
from simulator.clock import ADDED, SPENT, Clock
from simulator.compute import Fixed
from simulator.trace import Entry, Header

INFINITE = float("inf")


def clock_of(workers: int, seconds_per_step: float, **options: Any) -> Clock:
    """Make a clock whose memory passes through 100 bytes a second, unless told otherwise."""
    compute = Fixed(workers=workers, seconds_per_step=seconds_per_step, **{"memory_bytes_per_s": 100.0} | options)
    network = star(workers, 1000, 1000, 0.1, server_up_bps=1e12, server_down_bps=1e12, server_latency_s=0.1)
    return Clock(Header(workers, 1, 1.0), network, compute)


def play(clock: Clock, *entries: Entry) -> dict[str, np.ndarray]:
    """Play entries and give what each worker spent; it adds up to the makespan."""
    for entry in entries:
        clock.play(entry)
    spent = clock.moment().spent
    assert set(spent) == set(SPENT) and all((values >= 0).all() for values in spent.values())
    np.testing.assert_allclose(sum(spent[kind] for kind in ADDED), clock.seconds, rtol=1e-12)
    return spent


def branch(name: str, ready: float, *entries: Entry) -> list[Entry]:
    return [{"op": "fork", "name": name, "ready": ready}, *entries, {"op": "end"}]


def all_reduce(size: int) -> Entry:
    return {"op": "all_reduce", "size": size}


def work(size: int, **fields: Any) -> Entry:
    return {"op": "work", "kind": "encode", "size": size} | fields


def join(name: str) -> Entry:
    return {"op": "join", "name": name}


GRADIENT: Entry = {"op": "gradient", "step": 0}
# 125, 375 and 250 bytes: 1.4, 3.4 and 2.4 s
THREE = [*branch("a", 0.5, all_reduce(125)), *branch("b", 0.75, all_reduce(375)), *branch("c", 1.0, all_reduce(250))]
JOINS = [join("a"), join("b"), join("c")]


def test_three_buckets_of_two_workers() -> None:
    # worker 0 computes for 6 s, worker 1 for 12 s; buckets are ready at 3, 4.5, 6 and at 6, 9, 12
    clock = clock_of(2, 6.0, speed=[1.0, 0.5])
    play(clock, GRADIENT, *THREE)
    np.testing.assert_allclose(clock.now, [6, 12])
    # a: begins at 3 and 6, and ends 1.4 s after the later one: 7.4. Worker 0 sends until 3.7, sends (or receives) from
    #    6 until 6.7, and receives until 7.4. It is blocked from 6 on: on 0.7 up and 0.7 down
    spent = play(clock, JOINS[0])
    np.testing.assert_allclose(clock.now, [7.4, 12])
    np.testing.assert_allclose(spent["uplink"], [0.7, 0])
    np.testing.assert_allclose(spent["downlink"], [0.7, 0])
    np.testing.assert_allclose(spent["waiting"], [4.6, 0], atol=1e-12)  # 12 - 7.4, if it all ended here
    np.testing.assert_allclose(spent["hidden"], [0.7, 1.4])
    # b: begins at 7.4, when the link is free, and at 9; ends at 12.4. Worker 0 is blocked on all of it: up from 7.4 to
    #    9.1 and from 9 to 10.7, down until 12.4. Worker 1 from 12 on, 0.4 of the 1.7 s down
    spent = play(clock, JOINS[1])
    np.testing.assert_allclose(clock.now, [12.4, 12.4])
    np.testing.assert_allclose(spent["uplink"], [0.7 + 3.3, 0], atol=1e-12)
    np.testing.assert_allclose(spent["downlink"], [0.7 + 1.7, 0.4])
    np.testing.assert_allclose(spent["hidden"], [0.7, 1.4 + 3.0])
    # c: both from 12.4 to 14.8; one after the other they would have ended at 12 + 1.4 + 3.4 + 2.4 = 19.2
    spent = play(clock, JOINS[2])
    np.testing.assert_allclose(clock.now, [14.8, 14.8])
    np.testing.assert_allclose(spent["compute"], [6, 12])
    np.testing.assert_allclose(spent["uplink"], [0.7 + 3.3 + 1.2, 1.2])
    np.testing.assert_allclose(spent["downlink"], [0.7 + 1.7 + 1.2, 0.4 + 1.2])
    np.testing.assert_allclose(spent["waiting"], 0, atol=1e-12)
    np.testing.assert_allclose(spent["hidden"], [0.7, 4.4])
    # 0.2 s up and 0.2 s down each; worker 0 pays half of a's way up, worker 1 0.4 of b's 1.7 s down
    np.testing.assert_allclose(spent["latency"], [0.3 + 0.4 + 0.4, 0.2 * 0.4 / 1.7 + 0.4])
    assert clock.env.now == pytest.approx(14.8)


def test_encoding_in_a_branch_delays_the_backward_pass() -> None:
    # 6 s a gradient, 1 s of encoding a bucket. a: ready at 3, encoded until 4, sent 4..5.4. The backward pass goes on
    # until 7; b: encoded 7..8, sent 8..9.4
    clock = clock_of(2, 6.0)
    spent = play(clock, GRADIENT, *branch("a", 0.5, work(100), all_reduce(125)))
    assert clock.now.tolist() == [7, 7]
    play(clock, *branch("b", 1.0, work(100), all_reduce(125)))
    assert clock.now.tolist() == [8, 8]
    spent = play(clock, join("a"), join("b"))
    np.testing.assert_allclose(clock.now, 9.4)
    np.testing.assert_allclose(spent["encode"], 2)
    np.testing.assert_allclose(spent["hidden"], 1.4)


def test_what_follows_a_collective_stays_on_its_stream() -> None:
    # gathered 3..3 + 0.2 + 1 = 4.2, decoded for 2 s until 6.2, while the gradient takes until 6: 0.2 s are left
    clock = clock_of(2, 6.0)
    spent = play(clock, GRADIENT, *branch("a", 0.5, {"op": "all_gather", "size": 125}, work(200)))
    assert clock.now.tolist() == [6, 6] and (spent["encode"] == 0).all()
    spent = play(clock, join("a"))
    np.testing.assert_allclose(clock.now, 6.2)
    np.testing.assert_allclose(spent["encode"], 0.2)
    np.testing.assert_allclose(spent["hidden"], 1.2 + 1.8)


def test_a_server_in_a_branch() -> None:
    # up: 3 + 0.2 + 1 = 4.2 (worker 1: 7.2); the server averages 50 bytes in 0.5 s, until 7.7; down: 8.9 for both
    clock = clock_of(2, 6.0, speed=[1.0, 0.5])
    over = [{"op": "gather", "size": 125}, {"op": "at_server", "size": 50}, {"op": "broadcast", "size": 125}]
    spent = play(clock, GRADIENT, *branch("a", 0.5, *over))
    assert clock.server == 0 and clock.seconds == 12
    spent = play(clock, join("a"))
    np.testing.assert_allclose(clock.now, [8.9, 12])
    assert clock.server == pytest.approx(7.7)
    # worker 0 is blocked from 6 on: for 1.7 s until the server speaks, then on the way down; then it is 3.1 s ahead
    np.testing.assert_allclose(spent["waiting"][0], 1.7 + 3.1)
    np.testing.assert_allclose(spent["downlink"], [1.2, 0])


def test_what_is_forked_after_other_work_is_ready_at_once() -> None:
    clock = clock_of(2, 6.0)
    play(clock, GRADIENT, work(100), *branch("a", 0.5, all_reduce(125)), join("a"))
    np.testing.assert_allclose(clock.now, 7 + 1.4)


@pytest.mark.parametrize(
    ("size", "marks", "end"),
    [
        # 3 s a step against 1.4 s: each exchange is hidden but for the last
        (125, [3, 6, 9, 13.4], 13.4),
        # against 5.4 s (625 bytes): the links never rest from the first gradient on
        (625, [3, 8.4, 13.8, 24.6], 24.6),
    ],
)
def test_a_delayed_exchange(size: int, marks: list[float], end: float) -> None:
    clock, seen = clock_of(2, 3.0), []
    for t in range(4):
        waits = [join(str(t - 1))] * (t > 0) + [join("3")] * (t == 3)
        play(clock, GRADIENT, *branch(str(t), 1.0, all_reduce(size)), *waits)
        seen.append(clock.moment().seconds)
    np.testing.assert_allclose(seen, marks)
    np.testing.assert_allclose(clock.now, end)


@pytest.mark.parametrize(
    ("encoded", "size", "pieces", "end"),
    [
        # 2 s to encode, 0.2 + 4 s to send: sent without a pause from the first quarter, 0.5 s, on
        (200, 500, 4, 0.5 + 0.2 + 4),
        # 4 s to encode, 0.2 + 2 s to send: the last quarter leaves at 4 s and takes 0.5 s
        (400, 250, 4, 4 + 0.2 + 0.5),
        (400, 250, 1, 4 + 0.2 + 2),
    ],
)
def test_pieces_of_a_message(encoded: int, size: int, pieces: int, end: float) -> None:
    clock = clock_of(2, 0.0)
    fields = {"pieces": pieces} if pieces > 1 else {}
    spent = play(clock, work(encoded, **fields), {"op": "gather", "size": size})
    np.testing.assert_allclose(clock.now, end)
    np.testing.assert_allclose(spent["encode"], encoded / 100)
    np.testing.assert_allclose(spent["uplink"], end - encoded / 100)
    # all the time of the links is either paid or hidden: what the longer of the two took, pauses included
    np.testing.assert_allclose(spent["hidden"], (1.5 if encoded == 200 else 0.0) if pieces > 1 else 0.0)


def test_pieces_in_a_branch() -> None:
    # ready at 3, encoded until 5 in four pieces, the first sent at 3.5: 3.5 + 0.2 + 4 = 7.7; the gradient ends at 8
    clock = clock_of(2, 6.0)
    play(clock, GRADIENT, *branch("a", 0.5, work(200, pieces=4), {"op": "gather", "size": 500}), join("a"))
    np.testing.assert_allclose(clock.now, 8)
    np.testing.assert_allclose(clock.spent["hidden"], 4.2)


def test_only_the_message_that_was_just_encoded_goes_in_pieces() -> None:
    clock = clock_of(2, 0.0)
    play(clock, work(200, pieces=4), work(100), {"op": "gather", "size": 500})
    np.testing.assert_allclose(clock.now, 3 + 4.2)


def test_a_trace_that_does_not_fit_is_refused() -> None:
    clock = clock_of(2, 1.0)
    with pytest.raises(ValueError, match="expected a join of a branch under way, got 'x'"):
        clock.play(join("x"))
    with pytest.raises(ValueError, match="got one outside of any branch"):
        clock.play({"op": "end"})
    play(clock, *branch("a", 1.0, all_reduce(1)))
    with pytest.raises(ValueError, match="expected a new name for a branch, got 'a'"):
        play(clock, *branch("a", 1.0, all_reduce(1)))


def test_alike_workers_stay_one_number() -> None:
    clock = clock_of(1000, 6.0)
    play(
        clock,
        GRADIENT,
        *branch("a", 0.5, work(100), all_reduce(125)),
        *branch("b", 1.0, work(1, pieces=2), all_reduce(9)),
    )
    play(clock, join("a"), join("b"), work(100, pieces=2), all_reduce(9))
    assert all(is_even(values) for values in (clock.now, *clock.spent.values()))
