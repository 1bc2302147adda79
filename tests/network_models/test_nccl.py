"""The nccl profile: the double tree, the choice by size, and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import Timing, star
from network_models.paths import Paths
from network_models.profiles import Nccl, Profile, nccl_plans, profile
from network_models.profiles.plan import Software, play
from network_models.profiles.protocols import PROTOCOLS, framed
from network_models.profiles.rings import Ring
from network_models.schedules.call import Call

NCCL = Nccl(call_s=0)


def run(of: Profile, name: str, paths: Paths, start: np.ndarray, size: float, root: int = 0) -> Timing:
    call = Call(np.full(len(start), size), lambda count: size, root=root, servers=1)
    return of.collective(name, paths, np.arange(len(start)), start, call).timing


def all_reduce(ranks: int, size: float, latency: float = 1e-5, rate: float = 1e10) -> float:
    paths = star(ranks, rate, rate, latency / 2).paths
    return run(NCCL, "all_reduce", paths, np.zeros(ranks), size).finish.max()


def test_trees_by_hand() -> None:
    # By lowest set bit: 1 and 3 under 2, 5 and 7 under 6, 2 and 6 under 4, 4 under 0; and the mirror image.
    first, second = nccl_plans.double_tree(8)
    assert first == [-1, 2, 4, 2, 0, 6, 4, 6]
    assert second == [1, 3, 1, 7, 5, 3, 5, -1]
    assert nccl_plans.double_tree(3) == ([-1, 2, 0], [1, -1, 0])


@given(st.integers(2, 70))
def test_trees_span_and_complement_each_other(ranks: int) -> None:
    inside = []
    for parents in nccl_plans.double_tree(ranks):
        assert parents.count(-1) == 1
        for rank in range(ranks):
            steps, at = 0, rank
            while at >= 0:
                at, steps = parents[at], steps + 1
            assert steps <= (ranks - 1).bit_length() + 2
        assert max(parents.count(rank) for rank in range(ranks)) <= 2
        inside.append({parent for parent in parents if parent >= 0})
    if ranks % 2 == 0:
        assert len(inside[0] & inside[1]) <= 2  # roots


def test_the_choice_grows_with_the_size() -> None:
    def chosen(ranks: int, size: float) -> tuple[str, str]:
        paths = star(ranks, 1e10, 1e10, 5e-6).paths
        algorithm, protocol = NCCL.choose(paths, np.arange(ranks), size)
        return algorithm, next(name for name, of in PROTOCOLS.items() if of == protocol)

    chain = [chosen(64, size) for size in (1e3, 1e5, 4e6, 1e9)]
    assert chain == [("tree", "LL"), ("tree", "LL128"), ("ring", "LL128"), ("ring", "Simple")]
    assert chosen(256, 1e5)[0] == "tree" and chosen(2, 1e8) == ("ring", "Simple")


def test_ring_by_closed_form() -> None:
    # 16 ranks, 100 MB, Simple: 30 (10 + 6 us) + 30/16 * 0.08 s.
    assert all_reduce(16, 1e8) == pytest.approx(30 * 16e-6 + 30 / 16 * 0.08, rel=1e-9)


def test_a_small_tree_by_closed_form() -> None:
    # 4 ranks, 1 kB, LL: 500 bytes in each tree, 0.8 us of 10 Gbit/s at half efficiency; 11 us a hop. First tree 3, 1
    # under 2, 2 under 0; second 0, 2 under 1, 1 under 3. Up and down two levels: 4 hops, and on each of them the most
    # loaded link carries one message of this tree, on the way down two at the inner rank, side by side.
    assert NCCL.choose(star(4, 1e10, 1e10, 5e-6).paths, np.arange(4), 1e3)[0] == "tree"
    assert 4 * 11e-6 + 4 * 0.8e-6 < all_reduce(4, 1e3) < 4 * 11e-6 + 12 * 0.8e-6


@pytest.mark.parametrize("ranks", [4, 7, 16])
def test_a_large_tree_takes_about_two_payloads(ranks: int) -> None:
    paths, workers, size = star(ranks, 1e10, 1e10, 5e-6).paths, np.arange(ranks), 64e6
    posts = nccl_plans.all_reduce_tree(Call(np.full(ranks, size), lambda count: size))
    end = play(
        framed(paths, PROTOCOLS["Simple"]), workers, np.zeros(ranks), posts, False, Software()
    ).timing.finish.max()
    assert 0.95 * 2 * 8 * size / 1e10 < end < 1.5 * 2 * 8 * size / 1e10


@given(st.integers(2, 9), st.floats(1, 1e8))
@settings(max_examples=30, deadline=None)
def test_plans_move_what_the_collective_needs(ranks: int, size: float) -> None:
    call, moved = Call(np.full(ranks, size), lambda count: size), []
    for plan in (
        nccl_plans.all_reduce_ring(call),
        nccl_plans.all_reduce_tree(call),
        nccl_plans.all_gather(call),
        nccl_plans.reduce_scatter(call),
        nccl_plans.broadcast(call),
        nccl_plans.reduce(call),
    ):
        posts = plan.posts() if isinstance(plan, Ring) else plan
        assert all(earlier < number for number, post in enumerate(posts) for earlier in post.after)
        moved.append(sum(post.size_bytes for post in posts) / size)
    once = ranks - 1
    assert moved == pytest.approx([2 * once, 2 * once, ranks * once, once, once, once])


def test_a_chain_by_closed_form() -> None:
    # 4 ranks, 4 MB in 8 pieces of 500 kB, Simple: 3 hops of 16 us, and 8 + 2 pieces of 0.4 ms one after the other.
    paths = star(4, 1e10, 1e10, 5e-6).paths
    for name in ("broadcast", "reduce"):
        assert run(NCCL, name, paths, np.zeros(4), 4e6, root=2).finish.max() == pytest.approx(3 * 16e-6 + 10 * 0.4e-3)


def test_the_server_and_the_launch() -> None:
    net, of = star(4, 1e9, 1e9, 5e-5, server_latency_s=0.0), profile("nccl")
    assert of is not None
    workers, start, sizes = np.arange(4), np.zeros(4), np.full(4, 1e6)
    played, end = of.gather(net.paths, workers, start, sizes)
    timing = played.timing
    # 4 MB into 1 Gbit/s; launch 10 us, latency 50 us, Simple 6 us.
    assert end == pytest.approx(66e-6 + 0.032)
    assert timing.waiting == pytest.approx(np.full(4, 10e-6)) and timing.finish == pytest.approx(
        np.full(4, end - 56e-6)
    )
    back = of.broadcast(net.paths, workers, timing.finish, end, 1e6).timing
    assert back.finish == pytest.approx(np.full(4, 2 * end))
    gathered = run(of, "all_gather", net.paths, start, 1e6).finish
    assert gathered == pytest.approx(np.full(4, 10e-6 + 3 * (100e-6 + 6e-6 + 0.008)))


def test_a_rank_that_is_late_holds_the_others_up() -> None:
    paths, start = star(4, 1e9, 1e9, 5e-5).paths, np.array([0.0, 0.0, 1.0, 0.0])
    timing = run(NCCL, "all_reduce", paths, start, 1e6)
    assert (timing.finish > 1.0).all() and timing.waiting[0] > 0.9
    parts = timing.uplink + timing.downlink + timing.waiting
    np.testing.assert_allclose(timing.finish, start + parts, rtol=1e-12)
