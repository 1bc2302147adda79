"""The clock against rounds worked by hand: latency + bits / bandwidth, who waits for whom, and where the time went."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from network_models import star
from network_models.even import is_even
from simulator.clock import SPENT, Clock
from simulator.compute import Fixed, LogNormal, Periodic
from simulator.trace import Entry, Header

FAST = 1e12  # a server link that never limits


def clock_of(workers: int, compute: Any, **network: Any) -> Clock:
    """Make a clock of some workers, 1 flop a step."""
    return Clock(Header(workers, 1, 1.0), star(workers, **network), compute)


def play(clock: Clock, *entries: Entry) -> None:
    for entry in entries:
        clock.play(entry)


def adds_up(clock: Clock) -> None:
    """What each worker spent sums to the makespan; latency is contained in the links' time."""
    spent = clock.moment().spent
    assert set(spent) == set(SPENT)
    total = sum(spent[kind] for kind in ("compute", "encode", "uplink", "downlink", "waiting"))
    np.testing.assert_allclose(total, clock.seconds, rtol=1e-12, atol=1e-12)
    assert all((values >= 0).all() for values in spent.values())
    assert (spent["latency"] <= spent["uplink"] + spent["downlink"] + 1e-12).all()


def unequal_pair() -> Clock:
    """Worker 0 has 1000 bit/s up, 2000 down, 0.1 s; worker 1 half of the rates, twice the latency, half the speed."""
    compute = Fixed(workers=2, seconds_per_step=1.0, memory_bytes_per_s=1000, speed=[1.0, 0.5])
    return clock_of(
        2, compute, up_bps=[1000, 500], down_bps=[2000, 1000], latency_s=[0.1, 0.2],
        server_up_bps=FAST, server_down_bps=FAST,
    )  # fmt: skip


ROUND: list[Entry] = [
    {"op": "gradient", "step": 0},  # 1, 2
    {"op": "work", "kind": "encode", "size": 100},  # 1.1, 2.2
    {"op": "gather", "size": 125},  # 1000 bits: 1.1 + 0.1 + 1 = 2.2 and 2.2 + 0.2 + 2 = 4.4
    {"op": "at_server", "size": 600},  # the server goes on at 4.4 + 0.6 = 5
    {"op": "broadcast", "size": 250},  # 2000 bits: 5 + 0.1 + 1 and 5 + 0.2 + 2
    {"op": "mark", "round": 1},
]


def test_a_round_over_a_star() -> None:
    clock = unequal_pair()
    play(clock, *ROUND)
    spent = clock.moment().spent
    expected = {
        "compute": [1, 2], "encode": [0.1, 0.2], "uplink": [1.1, 2.2], "downlink": [1.1, 2.2],
        # from the end of the own upload until the server speaks; worker 0 is through 1.1 before worker 1
        "waiting": [2.8 + 1.1, 0.6],
        "latency": [0.2, 0.4],
    }  # fmt: skip
    for kind, values in expected.items():
        np.testing.assert_allclose(spent[kind], values, err_msg=kind)
    np.testing.assert_allclose(clock.now, [6.1, 7.2])
    assert clock.server == pytest.approx(5) and clock.seconds == pytest.approx(7.2)
    assert clock.env.now == pytest.approx(7.2)
    adds_up(clock)


def test_workers_begin_the_next_round_when_they_are_released() -> None:
    clock = unequal_pair()
    play(clock, *ROUND, *ROUND)
    # gradient and encoding: 6.1 + 1.1 = 7.2 and 7.2 + 2.2 = 9.4; uploads end at 8.3 and 11.6; the server at 12.2
    np.testing.assert_allclose(clock.now, [13.3, 14.4])
    np.testing.assert_allclose(clock.spent["waiting"], [2.8 + 3.9, 0.6 + 0.6])
    adds_up(clock)


def test_a_moment_is_a_copy() -> None:
    clock = unequal_pair()
    before = clock.moment()
    play(clock, *ROUND)
    assert before.seconds == 0 and all((values == 0).all() for values in before.spent.values())


def test_messages_of_different_size_share_the_servers_link() -> None:
    # 1000 bit/s into the server, equal workers, 1000 and 3000 bits at once: half the rate each until the first is
    # through at 2 s; the second then has 2000 bits left and the link alone: 4 s
    compute = Fixed(workers=2, seconds_per_step=0.0)
    clock = clock_of(2, compute, up_bps=1000, down_bps=1000, latency_s=0, server_down_bps=1000)
    play(clock, {"op": "gather", "size": [125, 375]})
    np.testing.assert_allclose(clock.now, [2, 4])
    assert clock.server == pytest.approx(4)
    adds_up(clock)


def test_only_active_workers_are_billed() -> None:
    compute = Fixed(workers=3, seconds_per_step=1.0, memory_bytes_per_s=float("inf"))
    clock = clock_of(3, compute, up_bps=1000, down_bps=1000, latency_s=0, server_up_bps=FAST, server_down_bps=FAST)
    download: Entry = {"op": "broadcast", "size": 125}
    upload: Entry = {"op": "gather", "size": 125}
    play(clock, {"op": "active", "workers": [1]}, download, {"op": "gradient", "step": 0}, upload)
    assert clock.now.tolist() == [0, 3, 0] and clock.server == 3
    # the next round's download leaves the server at 3 s: worker 2, which sat out, has waited for it since 0
    play(clock, {"op": "active", "workers": [0, 1, 2]}, download)
    assert clock.now.tolist() == [4, 4, 4]
    assert clock.spent["waiting"].tolist() == [3, 0, 3] and clock.spent["compute"].tolist() == [0, 1, 0]
    adds_up(clock)


@pytest.mark.parametrize("grows", [False, True])
def test_all_reduce_sends_what_was_merged(grows: bool) -> None:
    # Ring over n = 4, B = 1000 bit/s, path latency a = 0.2: in step s of the reduce-scatter a quarter of a payload in
    # which s were merged travels, then in 3 steps a quarter of the whole.
    clock = clock_of(4, Fixed(workers=4, seconds_per_step=0.5), up_bps=1000, down_bps=1000, latency_s=0.1)
    merged = [100, 200, 250, 300] if grows else [100] * 4
    entry: Entry = {"op": "all_reduce", "size": 100} | ({"merged": merged} if grows else {})
    play(clock, {"op": "gradient", "step": 0}, entry)
    steps = [*merged[:3], *[merged[3]] * 3]
    seconds = sum(0.2 + 8 * size / 4 / 1000 for size in steps)
    np.testing.assert_allclose(clock.now, [0.5 + seconds] * 4)
    np.testing.assert_allclose(clock.spent["uplink"], [sum(0.2 + 8 * s / 4000 for s in steps[:3])] * 4)
    np.testing.assert_allclose(clock.spent["downlink"], [sum(0.2 + 8 * s / 4000 for s in steps[3:])] * 4)
    np.testing.assert_allclose(clock.spent["latency"], [1.2] * 4)
    assert (clock.spent["waiting"] == 0).all()
    adds_up(clock)


def test_an_all_reduce_waits_for_the_last() -> None:
    compute = Fixed(workers=3, seconds_per_step=1.0, speed=[1.0, 1.0, 0.2])
    clock = clock_of(3, compute, up_bps=1000, down_bps=1000, latency_s=0)
    play(clock, {"op": "gradient", "step": 0}, {"op": "all_reduce", "size": 300})
    assert (clock.now >= 5).all() and clock.spent["waiting"][2] < clock.spent["waiting"][:2].min()
    adds_up(clock)


def test_all_gather_is_a_ring() -> None:
    # (n - 1) (a + 8 m / B) = 2 (0.2 + 1)
    clock = clock_of(3, Fixed(workers=3), up_bps=1000, down_bps=1000, latency_s=0.1)
    play(clock, {"op": "all_gather", "size": 125})
    np.testing.assert_allclose(clock.now, [2.4] * 3)
    np.testing.assert_allclose(clock.spent["downlink"], [2.4] * 3)
    adds_up(clock)


def test_on_an_infinite_network_the_slowest_computation_is_left() -> None:
    workers, rounds = 5, 6
    compute = Fixed(
        workers=workers, seconds_per_step=0.5, memory_bytes_per_s=float("inf"), stragglers=LogNormal(0.5), seed=3
    )
    clock = clock_of(workers, compute, up_bps=float("inf"), down_bps=float("inf"), latency_s=0.0)
    critical = 0.0
    for t in range(rounds):
        play(clock, {"op": "gradient", "step": t}, {"op": "gather", "size": 10**9}, {"op": "broadcast", "size": 10**9})
        critical += float(compute.gradient_seconds(np.arange(workers), t, 1.0).max())
    np.testing.assert_allclose(clock.now, critical)
    adds_up(clock)


@pytest.mark.parametrize("schedule", ["ring", "halving_doubling", "server", "auto"])
def test_everything_adds_up(schedule: str) -> None:
    generator = np.random.default_rng(0)
    compute = Fixed(workers=7, seconds_per_step=0.3, memory_bytes_per_s=1e4, speed=list(generator.uniform(0.5, 2, 7)),
                    stragglers=Periodic(3, 1, 4.0))  # fmt: skip
    clock = clock_of(
        7, compute, up_bps=list(generator.uniform(500, 5000, 7)), down_bps=list(generator.uniform(500, 5000, 7)),
        latency_s=list(generator.uniform(0, 0.1, 7)), server_latency_s=0.05, all_reduce=schedule,
    )  # fmt: skip
    last = 0.0
    for t in range(12):
        active = sorted(generator.choice(7, size=int(generator.integers(1, 8)), replace=False).tolist())
        sizes = generator.integers(1, 500, len(active)).tolist()
        play(
            clock, {"op": "active", "workers": active}, {"op": "broadcast", "size": 50}, {"op": "gradient", "step": t},
            {"op": "work", "kind": "encode", "size": 99}, {"op": "gather", "size": sizes},
            {"op": "at_server", "size": 9}, {"op": "all_reduce", "size": 40}, {"op": "all_gather", "size": sizes},
            {"op": "mark", "round": t + 1},
        )  # fmt: skip
        adds_up(clock)
        assert clock.seconds >= last
        last = clock.seconds


def test_the_servers_time_never_runs_backwards() -> None:
    # a long task of the server is not undone by messages that arrive before it ends
    clock = clock_of(1, Fixed(workers=1, memory_bytes_per_s=100.0), up_bps=1000, down_bps=1000, latency_s=0)
    play(clock, {"op": "gather", "size": 125}, {"op": "at_server", "size": 1000})
    assert clock.server == pytest.approx(11)
    play(clock, {"op": "gather", "size": 125})
    assert clock.server >= 11


class Written:
    """No stragglers either, but a factor for each worker."""

    def factors(self, seed: int, workers: np.ndarray, step: int) -> np.ndarray:
        return np.ones(len(workers))


@pytest.mark.parametrize("schedule", ["ring", "server"])
def test_alike_workers_are_kept_as_one_number_and_change_nothing(schedule: str) -> None:
    links = {"up_bps": 3e3, "down_bps": 7e3, "latency_s": 0.1, "all_reduce": schedule}
    clocks = [clock_of(5, Fixed(workers=5, stragglers=stragglers), **links) for stragglers in (None, Written())]
    entries: list[Entry] = [
        {"op": "gradient", "step": 0}, {"op": "work", "kind": "encode", "size": 999}, {"op": "all_reduce", "size": 123},
        {"op": "gather", "size": 77}, {"op": "at_server", "size": 5}, {"op": "broadcast", "size": 99},
        {"op": "active", "workers": [1, 3]}, {"op": "gradient", "step": 1}, {"op": "all_gather", "size": [1, 2]},
        {"op": "active", "workers": [0, 1, 2, 3, 4]}, {"op": "all_reduce", "size": 10},
    ]  # fmt: skip
    for number, entry in enumerate(entries):
        for clock in clocks:
            clock.play(entry)
        kept, written = (clock.moment() for clock in clocks)
        assert kept.seconds == written.seconds
        for kind in SPENT:
            assert kept.spent[kind].tobytes() == written.spent[kind].tobytes(), (number, kind)
    assert is_even(clocks[0].compute.gradient_seconds(np.arange(5), 0, 1.0))
