"""The gloo profile: measured times of the real library, its laws, and its plans."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import Network, Timing, star
from network_models.paths import Paths
from network_models.profiles import Gloo, direct, gloo_plans, profile
from network_models.profiles.plan import Post, Software, play
from network_models.profiles.rings import Ring
from network_models.schedules.call import Call

GLOO, BARE = Gloo(), Gloo(call_s=0, message_s=0)
FOUR, NOW = np.arange(4), np.zeros(4)


def run(
    of: Gloo,
    name: str,
    paths: Paths,
    start: np.ndarray,
    sizes: float | np.ndarray,
    merged: Callable[[int], float] | None = None,
    root: int = 0,
    **more: object,
) -> Timing:
    """Time a collective among the first ranks; payloads do not grow unless it is said how."""
    each = np.broadcast_to(np.asarray(sizes, dtype=float), len(start))
    call = Call(each, merged or (lambda count: float(each.max())), root=root, servers=1, **more)  # type: ignore[arg-type]
    return of.collective(name, paths, np.arange(len(start)), start, call).timing


def network(latency: float, **settings: object) -> Network:
    """Four hosts at 100 Mbit/s, `latency` from host to host, with real Ethernet's frames and open connections."""
    return star(4, 1e8, 1e8, latency / 2, server_latency_s=None, **settings)


def calls(of: Gloo, latency: float, size: float) -> dict[str, float]:
    paths = network(latency).paths
    pushed, end = of.gather(paths, FOUR[:3], NOW[:3], np.full(3, size))
    pulled = of.broadcast(paths, FOUR[:3], pushed.timing.finish, end, size)
    names = ("all_reduce", "all_gather", "reduce", "broadcast", "gather", "scatter", "all_to_all")
    timings = {name: run(of, name, paths, NOW, size) for name in names}
    timings["p2p"] = run(of, "gather", paths, NOW[:2], size)
    timings["ps_round"] = pulled.timing
    return {call: float(timing.finish.max()) for call, timing in timings.items()}


# 10 kB between 4 ranks at 100 Mbit/s, measured on shaped links, in ms.
MEASURED = {
    0.005: {"all_reduce": 64.5, "all_gather": 33.9, "reduce": 42.9, "broadcast": 17.1, "gather": 13.35, "p2p": 11.4,
            "ps_round": 20.6},
    0.020: {"all_reduce": 246.7, "all_gather": 125.7, "reduce": 163.6, "broadcast": 63.1, "gather": 43.0, "p2p": 41.8,
            "ps_round": 65.7},
}  # fmt: skip


@pytest.mark.parametrize("latency", MEASURED)
def test_small_messages_as_measured(latency: float) -> None:
    times = calls(GLOO, latency, 1e4)
    for call, milliseconds in MEASURED[latency].items():
        assert times[call] * 1e3 == pytest.approx(milliseconds, rel=0.07), call


@pytest.mark.parametrize("latency", [0.005, 0.02])
def test_the_laws_of_empty_messages(latency: float) -> None:
    latencies = {"all_reduce": 12, "all_gather": 6, "reduce": 8, "broadcast": 3, "gather": 2, "scatter": 2,
                 "all_to_all": 2, "p2p": 2, "ps_round": 3}  # fmt: skip
    times = calls(BARE, latency, 0.0)
    assert {call: time / latency for call, time in times.items()} == pytest.approx(latencies, rel=1e-9)


@given(st.integers(2, 9), st.floats(1e-4, 0.1))
@settings(max_examples=20, deadline=None)
def test_the_laws_for_any_number_of_ranks(ranks: int, latency: float) -> None:
    paths, now = star(ranks, 1e8, 1e8, latency / 2).paths, np.zeros(ranks)
    ends = [run(BARE, name, paths, now, 0.0).finish.max() for name in ("all_reduce", "all_gather", "broadcast")]
    levels = max(rank.bit_count() for rank in range(ranks))  # rank 0b101 is two hops from the root
    assert np.array(ends) / latency == pytest.approx([4 * (ranks - 1), 2 * (ranks - 1), 2 + levels - 1], rel=1e-9)


def test_large_all_reduce_as_measured() -> None:
    # 10 MB: 1.282 s; 2 (w-1)/w n (1514/1448) / B = 1.255 s.
    paths = network(0.0002, transport={"name": "tcp", "frame_bytes": 1514}).paths
    timing = run(GLOO, "all_reduce", paths, NOW, 1e7)
    assert timing.finish == pytest.approx(np.full(4, 1.282), rel=0.03)
    assert (timing.finish > 1.5 * 8e7 * 1514 / 1448 / 1e8).all()


def test_a_broadcast_takes_three_times_its_bytes() -> None:
    # The root's two sends share its uplink until both are through, and then rank 1 sends on: 3 n / B.
    end = run(BARE, "broadcast", network(0.0).paths, NOW, 1e6).finish
    assert end.tolist() == pytest.approx([0.16, 0.24, 0.16, 0.24])


def test_pauses_restart_slow_start_as_measured() -> None:
    # 20 ms: all-reduce of 1 MB 331 -> 429 ms, broadcast of 100 kB 85 -> 284 ms with pauses of a second.
    paths = network(0.02, transport={"name": "tcp", "frame_bytes": 1514}).paths
    reduces, broadcasts, now = [], [], 0.0
    for pause in (0.0, 0.01, 1.0):
        end = run(GLOO, "all_reduce", paths, NOW + now + pause, 1e6).finish.max()
        reduces.append(end - now - pause)
        now = end
    for pause in (0.01, 0.01, 1.0):
        end = run(GLOO, "broadcast", paths, NOW + now + pause, 1e5).finish.max()
        broadcasts.append(end - now - pause)
        now = end
    assert reduces[1:] == pytest.approx([0.331, 0.429], rel=0.1)
    assert broadcasts[1:] == pytest.approx([0.085, 0.284], rel=0.2)


def test_a_late_receiver_holds_the_data_back() -> None:
    # Posted at 1 s, the note is there at 1.1 s, the data (8 bits at 8 bit/s) at 2.2 s; the sender is through at 2.1 s.
    paths = star(2, 8, 8, 0.05).paths
    timing = play(paths, np.arange(2), np.array([0.0, 1.0]), [Post(0, 1, 1.0)], True, Software()).timing
    assert timing.finish.tolist() == pytest.approx([2.1, 2.2])
    assert timing.waiting.tolist() == pytest.approx([1.1, 0.1]) and timing.downlink.tolist() == pytest.approx(
        [1.0, 1.1]
    )
    assert timing.latency.tolist() == pytest.approx([0.1, 0.1])
    eager = play(paths, np.arange(2), np.array([0.0, 1.0]), [Post(0, 1, 1.0)], False, Software(0.5, 0.25)).timing
    assert eager.finish.tolist() == pytest.approx([1.75, 1.85])  # 0.5 + 0.25 + 0.1 + 1


def test_messages_of_a_pair_follow_one_another() -> None:
    # Two messages of 8 bits at 8 bit/s: one after the other, not both at half the rate.
    posts = [Post(0, 1, 1.0), Post(0, 1, 1.0)]
    played = play(star(2, 8, 8, 0.0).paths, np.arange(2), np.zeros(2), posts, False, Software())
    assert played.arrived.tolist() == [1.0, 2.0]


@given(st.integers(2, 6), st.floats(1, 2e7), st.data())
@settings(max_examples=25, deadline=None)
def test_plans_move_what_the_collective_needs(ranks: int, size: float, data: st.DataObject) -> None:
    root = data.draw(st.integers(0, ranks - 1))
    sizes = np.array(data.draw(st.lists(st.floats(0, 1e6), min_size=ranks, max_size=ranks)))

    def received(plan: list[Post] | Ring) -> np.ndarray:
        total, posts = np.zeros(ranks), plan.posts() if isinstance(plan, Ring) else plan
        for number, post in enumerate(posts):
            assert all(earlier < number for earlier in (*post.after, *post.posted_after))
            total[post.destination] += post.size_bytes
        return total

    unlike = Call(sizes, lambda count: float(sizes.max()), root=root)
    assert received(gloo_plans.all_gather(unlike)) == pytest.approx(sizes.sum() - sizes, abs=1e-6)
    alike = Call(np.full(ranks, size), lambda count: size, root=root)
    share, others = np.full(ranks, (ranks - 1) / ranks * size), np.arange(ranks) != root
    assert received(gloo_plans.all_gather(alike)) == pytest.approx(ranks * share)
    assert received(gloo_plans.all_reduce(alike)) == pytest.approx(2 * share)
    assert received(gloo_plans.reduce_scatter(alike)) == pytest.approx(share)
    assert received(gloo_plans.broadcast(alike)) == pytest.approx(size * others)
    assert received(gloo_plans.reduce(alike)) == pytest.approx(share + share * ~others)
    assert received(direct.gather(unlike)) == pytest.approx((sizes.sum() - sizes[root]) * ~others, abs=1e-6)
    assert received(direct.scatter(unlike)) == pytest.approx(sizes * others)
    assert received(direct.all_to_all(unlike)) == pytest.approx(sizes.sum() - sizes, abs=1e-6)
    assert gloo_plans.segments_per_rank(size, ranks) * ranks >= max(size / 2**20, 2 * ranks)


def test_parts_add_up_with_unlike_hosts() -> None:
    paths = star(4, [1e8, 1e7, 1e8, 5e7], 1e8, [0.0, 0.01, 0.02, 0.0]).paths
    start = np.array([0.0, 0.5, 0.1, 0.2])
    timing = run(GLOO, "all_reduce", paths, start, 1e6, lambda count: 1e6 * (1 + count))
    total = timing.uplink + timing.downlink + timing.waiting
    np.testing.assert_allclose(timing.finish, start + total, rtol=1e-12)
    assert (timing.latency <= timing.uplink + timing.downlink).all() and timing.waiting.min() > 0
    again = run(GLOO, "all_reduce", paths, start, 1e6, lambda count: 1e6 * (1 + count))
    assert again.finish.tobytes() == timing.finish.tobytes()


def test_one_rank_needs_no_time_and_names_are_read() -> None:
    paths = network(0.01).paths
    assert run(GLOO, "all_reduce", paths, NOW[:1] + 3, 1e6).finish.tolist() == [3.0]
    assert profile("gloo") == GLOO and profile({"name": "gloo", "call_s": "1 ms"}) == Gloo(call_s="1 ms")
    assert profile() is profile("ideal") is None and profile(GLOO) is GLOO
    for value, message in (
        ("mpi", r"network\.profile: expected one of ideal, gloo, nccl, got 'mpi'"),
        (7, r"network\.profile: expected one of ideal, gloo, nccl, got 7"),
        ({"name": "gloo", "calls": 1}, r"network\.profile\.calls: expected one of call_s, message_s for gloo"),
        ({"name": "gloo", "message_s": -1}, r"network\.profile\.message_s: expected a duration >= 0"),
    ):
        with pytest.raises(ValueError, match=message):
            profile(value)  # type: ignore[arg-type]
