"""Golden timings worked by hand, closed forms, and where the time goes."""

import json
from pathlib import Path

import numpy as np
import pytest

from network_models import Timing, star

MODES = pytest.mark.parametrize("mode", ["collapsed", "message"])
FACTS = json.loads((Path(__file__).parents[1] / "fixtures" / "simgrid_flows.json").read_text())["all_reduce"]


def parts(timing: Timing) -> list[list[float]]:
    return [
        np.round(of, 12).tolist()
        for of in (timing.finish, timing.uplink, timing.downlink, timing.waiting, timing.latency)
    ]


@MODES
def test_gather_where_one_worker_is_slow(mode: str) -> None:
    # Server 10 bit/s down; workers 10, 2 bit/s; latency 1 s in all. Both send 40 bits (5 bytes) from t = 0, so flow
    # from t = 1. Level: the slow one takes 2, the fast one 8 bit/s: 40 / 8 = 5 s -> t = 6. The slow one alone keeps
    # 2: 20 s -> t = 21.
    net = star(2, [10, 2], 10, 0.75, 10, 10, 0.25, mode=mode)
    timing, server = net.gather([0, 1], [0.0, 0.0], [5, 5])
    assert parts(timing) == [[6, 21], [6, 21], [0, 0], [0, 0], [1, 1]]
    assert server == 21


@MODES
def test_gather_of_a_late_second_worker(mode: str) -> None:
    # 10 bit/s everywhere, no latency. Worker 0 sends 80 bits at 0; worker 1 sends 20 at 4 s: 40 bits left, both at 5
    # bit/s; worker 1 ends at 8, when 20 bits are left, which take 2 s: 10.
    net = star(2, 10, 10, 0.0, mode=mode)
    timing, server = net.gather([0, 1], [0.0, 4.0], [10, 2.5])
    assert parts(timing) == [[10, 8], [10, 4], [0, 0], [0, 0], [0, 0]]
    assert server == 10


@MODES
def test_broadcast_and_who_waits(mode: str) -> None:
    # Server 10 bit/s up at t = 2, latency 1: 2 copies of 20 bits at 5 bit/s from t = 3 -> 7. Worker 0 has waited
    # since 0; worker 1 is ready at 2.5, half a second into the propagation.
    net = star(2, 10, 10, 1.0, mode=mode)
    timing = net.broadcast([0, 1], [0.0, 2.5], 2.0, 2.5)
    assert parts(timing) == [[7, 7], [0, 0], [5, 4.5], [2, 0], [1, 0.5]]


@MODES
def test_a_broadcast_does_not_wait_for_the_worker(mode: str) -> None:
    timing = star(2, 10, 10, 1.0, mode=mode).broadcast([0, 1], [0.0, 50.0], 2.0, 2.5)
    assert parts(timing) == [[7, 50], [0, 0], [5, 0], [2, 0], [1, 0]]


@MODES
def test_ring_of_three_with_a_late_one(mode: str) -> None:
    # m = 30 bytes: segments of 80 bits, 10 bit/s, so 8 s; path latency 2 s: c = 10 s a step, 4 steps. Rank 1 starts
    # at 4. Ends of steps: E0 = 10 24 34 44; E1 = 14 24 34 44; E2 = 14 24 34 44: rank 0 waits for rank 2, which waited
    # for rank 1.
    net = star(3, 10, 10, 1.0, mode=mode)
    timing = net.all_reduce([0, 1, 2], [0.0, 4.0, 0.0], [30, 30, 30], lambda count: 30)
    # Rank 0: step 1 is [0, 10]; step 2 its own [10, 20] and rank 2's [14, 24]: busy to 24. Rank 2: step 1 its own [0,
    # 10], rank 1's [4, 14]. Nobody ever stands still: transfers under way cover all the time.
    assert parts(timing) == [[44] * 3, [24, 20, 24], [20] * 3, [0] * 3, [8] * 3]


@MODES
def test_ring_waits_for_one_that_is_very_late(mode: str) -> None:
    # Two ranks, segments of 10 bits at 10 bit/s, no latency; rank 1 is 5 s late. Rank 0 sends [0, 1], waits to 5,
    # receives [5, 6].
    net = star(2, 10, 10, 0.0, mode=mode)
    timing = net.all_reduce([0, 1], [0.0, 5.0], [2.5, 2.5], lambda count: 2.5)
    assert parts(timing) == [[7, 7], [2, 1], [1, 1], [4, 0], [0, 0]]


@MODES
def test_merged_payloads_grow_on_their_way(mode: str) -> None:
    # 3 ranks, 8 bit/s: bytes = seconds. Reduce-scatter sends 6/3 then merged(2)/3 = 3, all-gather twice merged(3)/3 =
    # 4.
    net = star(3, 8, 8, 0.0, mode=mode)
    timing = net.all_reduce([0, 1, 2], [0.0] * 3, [6, 6, 6], {2: 9, 3: 12}.__getitem__)
    assert parts(timing) == [[13] * 3, [5] * 3, [8] * 3, [0] * 3, [0] * 3]


@MODES
def test_halving_doubling_folds_what_is_no_power_of_two(mode: str) -> None:
    # 3 ranks, 8 bit/s: rank 1 folds 6 bytes into rank 0 [0, 6]; ranks 0 and 2 swap halves: merged(2)/2 = 4 s one way,
    # 3 s the other [6, 10]; halves of merged(3) = 5 s [10, 15]; rank 1 gets 10 bytes [15, 25].
    net = star(3, 8, 8, 0.0, all_reduce="halving_doubling", mode=mode)
    timing = net.all_reduce([0, 1, 2], [0.0] * 3, [6, 6, 6], {2: 8, 3: 10}.__getitem__)
    assert parts(timing) == [[25, 25, 15], [10, 6, 4], [15, 10, 5], [0, 9, 6], [0] * 3]


@MODES
def test_all_reduce_at_the_server(mode: str) -> None:
    # 8 bit/s: two uploads of 4 bytes share the server: 8 s; the merged 5 bytes twice: 10 s. Latency 1 + 1 each way.
    net = star(2, 8, 8, 1.0, server_latency_s=1.0, all_reduce="server", mode=mode)
    timing = net.all_reduce([0, 1], [0.0, 0.0], [4, 4], lambda count: 5)
    assert parts(timing) == [[22, 22], [10, 10], [12, 12], [0, 0], [4, 4]]


@MODES
def test_all_gather_of_unlike_payloads(mode: str) -> None:
    # 8 bit/s: step 1 sends 1, 2, 6 bytes; step 2 what came: 6, 1, 2. E0 = max(1, 6) = 6 -> max(6+6, 6+2) = 12;
    # E1 = max(2, 1) = 2 -> max(2+1, 6+6) = 12; E2 = max(6, 2) = 6 -> max(6+2, 2+1) = 8. Rank 1 is idle from 3 to 6.
    timing = star(3, 8, 8, 0.0, mode=mode).all_gather([0, 1, 2], [0.0] * 3, [1, 2, 6])
    assert parts(timing) == [[12, 12, 8], [0] * 3, [12, 9, 8], [0, 3, 0], [0] * 3]


@MODES
@pytest.mark.parametrize("all_reduce", ["ring", "halving_doubling", "server", "auto"])
def test_alone_nothing_needs_to_be_reduced(mode: str, all_reduce: str) -> None:
    net = star(5, 10, 10, 1.0, all_reduce=all_reduce, mode=mode)
    for timing in (net.all_reduce([3], [7.0], [100], lambda count: 100), net.all_gather([3], [7.0], [100])):
        assert parts(timing) == [[7.0], [0], [0], [0], [0]]


@pytest.mark.parametrize("workers", [2, 3, 8, 16])
def test_closed_forms_of_alike_workers(workers: int) -> None:
    size, rate, latency = 1e6, 1e8, 1e-3
    everyone, start = np.arange(workers), np.full(workers, 3.0)
    sizes = np.full(workers, size)

    def reduced(all_reduce: str) -> float:
        net = star(workers, rate, rate, latency, all_reduce=all_reduce)
        return float(net.all_reduce(everyone, start, sizes, lambda count: size).finish.max() - 3.0)

    bits = 8 * size
    ring = 2 * (workers - 1) * (2 * latency + bits / workers / rate)
    assert reduced("ring") == pytest.approx(ring, rel=1e-12)
    at_server = 2 * (latency + workers * bits / rate)
    assert reduced("server") == pytest.approx(at_server, rel=1e-12)
    levels = workers.bit_length() - 1
    butterfly = 4 * levels * latency + 2 * (1 - 0.5**levels) * bits / rate
    if workers & (workers - 1):
        butterfly += 4 * latency + 2 * bits / rate
    assert reduced("halving_doubling") == pytest.approx(butterfly, rel=1e-12)
    others = [reduced(name) for name in ("recursive_doubling", "segmented_ring", "binomial_tree", "torus_2d")]
    assert reduced("auto") == pytest.approx(min(ring, at_server, butterfly, *others), rel=1e-12)
    net = star(workers, rate, rate, latency)
    gathered, server = net.gather(everyone, start, sizes)
    assert server == pytest.approx(3.0 + latency + workers * bits / rate, rel=1e-12)
    around = net.all_gather(everyone, start, sizes).finish
    assert around - 3.0 == pytest.approx((workers - 1) * (2 * latency + bits / rate), rel=1e-12)


def test_one_transfer_is_latency_plus_bits_over_bandwidth() -> None:
    net = star(4, 2e6, [4e6, 3e6, 2e6, 1e6], 0.25, 1e9, 1e9, 0.5)
    assert net.gather([2], [1.0], [1e6])[1] == pytest.approx(1.75 + 8 / 2, rel=1e-15)
    assert net.broadcast([3], [1.0], 1.0, 1e6).finish[0] == pytest.approx(1.75 + 8 / 1, rel=1e-15)


@pytest.mark.parametrize("merged", [1e4, 1e6, 1e9])
@pytest.mark.parametrize("workers", [3, 4, 7])
def test_auto_is_the_cheapest(workers: int, merged: float) -> None:
    times = {}
    tried = ("ring", "halving_doubling", "server", "recursive_doubling", "segmented_ring", "binomial_tree", "torus_2d")
    for all_reduce in (*tried, "auto"):
        net = star(workers, "100 Mbit/s", "100 Mbit/s", "10 ms", "1 Gbit/s", "1 Gbit/s", all_reduce=all_reduce)
        timing = net.all_reduce(range(workers), np.zeros(workers), np.full(workers, 1e6), lambda count: merged)
        times[all_reduce] = timing.finish.max()
    assert times.pop("auto") == min(times.values())


@pytest.mark.parametrize(("key", "tolerance"), [("25 MB", 2e-3)])
def test_simgrid_collectives(key: str, tolerance: float) -> None:
    # SMPI adds software costs to small messages that a fluid model does not have, so only the large ones are
    # comparable.
    facts = FACTS[key]
    for schedule, name in (("ring", "ring"), ("halving_doubling", "rabenseifner")):
        for ranks, expected in zip(FACTS["ranks"], facts[name], strict=True):
            net = star(ranks, "1 Gbit/s", "1 Gbit/s", "50 us", all_reduce=schedule)
            sizes = np.full(ranks, float(facts["bytes"]))
            finish = net.all_reduce(range(ranks), np.zeros(ranks), sizes, lambda count: facts["bytes"]).finish
            assert finish[0] == pytest.approx(expected, rel=tolerance)


def test_small_messages_are_never_slower_than_smpi() -> None:
    facts = FACTS["4 kB"]
    for ranks, ring in zip(FACTS["ranks"], facts["ring"], strict=True):
        net = star(ranks, "1 Gbit/s", "1 Gbit/s", "50 us")
        finish = net.all_reduce(range(ranks), np.zeros(ranks), np.full(ranks, 4000.0), lambda count: 4000).finish[0]
        assert 0.8 * ring < finish < 1.01 * ring


@MODES
def test_infinite_bandwidth_leaves_only_the_wait(mode: str) -> None:
    net = star(4, "inf", "inf", 0.0, mode=mode)
    start = np.array([3.0, 1.0, 4.0, 1.5])
    timing, server = net.gather(range(4), start, [1e9] * 4)
    assert server == 4.0 and (timing.finish == start).all()
    assert (net.broadcast(range(4), start, 4.0, 1e9).finish == 4.0).all()
    for all_reduce in ("ring", "halving_doubling", "server"):
        net = star(4, "inf", "inf", 0.0, all_reduce=all_reduce, mode=mode)
        timing = net.all_reduce(range(4), start, [1e9] * 4, lambda count: 1e9)
        assert (timing.finish == 4.0).all() and (timing.waiting == 4.0 - start).all()


@MODES
def test_only_participants_matter_and_their_order_shapes_the_ring(mode: str) -> None:
    net = star(5, [1e3, 8, 1e3, 8, 1e3], [1e3, 1e3, 8, 8, 1e3], 0.0, mode=mode)
    quick, _ = net.gather([0, 2, 4], [0.0] * 3, [100] * 3)
    assert quick.finish.max() == pytest.approx(2.4)
    # From 1 to 2, slow up and slow down are one path.
    together = net.all_gather([0, 1, 2, 4], [0.0] * 4, [1] * 4).finish
    apart = net.all_gather([0, 2, 1, 4], [0.0] * 4, [1] * 4).finish
    assert together.max() == pytest.approx(3.0) and apart.max() == pytest.approx(3.0)
    assert not np.array_equal(together, apart)
