"""Profiles in a network: the recurrence equals the flows, every collective goes through, and what is carried counts."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import Network, star
from network_models.profiles import gloo_plans, nccl_plans
from network_models.profiles.plan import Software, play
from network_models.profiles.recurrence import recurrence
from network_models.profiles.rings import play_ring
from network_models.schedules.call import Call

PLANS = [gloo_plans.all_reduce, gloo_plans.all_gather, gloo_plans.reduce_scatter]
PLANS += [nccl_plans.all_reduce_ring, nccl_plans.all_gather, nccl_plans.reduce_scatter]
PROFILES = pytest.mark.parametrize("profile", ["gloo", "nccl"])


@given(st.sampled_from(PLANS), st.integers(3, 7), st.booleans(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_recurrence_equals_the_flows(plan: object, ranks: int, alike: bool, data: st.DataObject) -> None:
    def each(of: st.SearchStrategy) -> list[float]:
        return [data.draw(of)] * ranks if alike else data.draw(st.lists(of, min_size=ranks, max_size=ranks))

    rates, latency, start = each(st.floats(1e6, 1e9)), each(st.floats(0, 0.05)), each(st.floats(0, 1))
    sizes = np.array(each(st.floats(0, 3e6)))
    growth = data.draw(st.sampled_from([0.0, 0.5]))
    call = Call(sizes, lambda count: float(sizes.max()) * (1 + growth * (count - 1)))
    software = Software(*data.draw(st.sampled_from([(0.0, 0.0), (4e-4, 1.5e-4)])))
    paths, ring = star(ranks, rates, 1e8, latency).paths, plan(call)  # type: ignore[operator]
    workers = np.array(data.draw(st.permutations(range(ranks))))
    fast = recurrence(paths, workers, np.array(start), ring, software)
    slow = play(paths, workers, np.array(start), ring.posts(), ring.rendezvous, software).timing
    for name in ("finish", "uplink", "downlink", "waiting", "latency"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_shared_link_is_played_as_flows() -> None:
    # Connections that remember, and two ranks that share one, are no recurrence.
    paths, software = star(4, 1e8, 1e8, 1e-4).paths, Software()
    ring = gloo_plans.all_reduce(Call(np.full(4, 4e6), lambda count: 4e6))
    fast = play_ring(paths, np.arange(4), np.zeros(4), ring, software)
    assert len(fast.arrived) == 0  # no message was simulated
    remembering = star(4, 1e8, 1e8, 1e-4, transport="tcp").paths
    assert len(play_ring(remembering, np.arange(4), np.zeros(4), ring, software).arrived) == 48
    two = gloo_plans.all_reduce(Call(np.full(2, 4e6), lambda count: 4e6))
    assert len(play_ring(paths, np.arange(2), np.zeros(2), two, software).arrived) == 8


@PROFILES
def test_every_collective_goes_through_the_library(profile: str) -> None:
    def networks() -> list[Network]:
        return [star(4, 1e8, 1e8, 0.005, server_latency_s=None, profile=of) for of in (profile, "ideal")]

    sizes, now = np.full(4, 1e5), np.zeros(4)
    for name in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "reduce", "scatter"):
        library, ideal = networks()
        timing = getattr(library, name)(range(4), now, sizes)
        getattr(ideal, name)(range(4), now, sizes)
        assert timing.finish.max() > 0.01, name
        if name not in ("reduce", "scatter"):  # where a tree carries more
            assert library.wire_bytes == pytest.approx(ideal.wire_bytes), name
    library, ideal = networks()
    ends = [net.gather(range(4), now, sizes)[1] for net in (library, ideal)]
    assert ends[0] > ends[1] and library.carried_bits == pytest.approx(ideal.carried_bits)
    pulls = [net.broadcast(range(4), now, end, 1e5).finish for net, end in zip((library, ideal), ends, strict=True)]
    assert (pulls[0] > pulls[1]).all() and library.wire_bytes == pytest.approx(8e5)
    edges = ([0, 1, 2], [1, 2, 3])
    assert library.neighbours(range(4), now, sizes, edges).finish.max() > 0.01
    assert library.all_reduce([2], 1.0, [5.0]).finish.tolist() == [1.0]


@PROFILES
def test_all_reduce_at_the_server_and_settings(profile: str) -> None:
    net = star(4, 1e8, 1e8, 0.005, server_latency_s=None, profile={"name": profile, "call_s": 0}, all_reduce="server")
    up, end = net.gather(range(4), np.zeros(4), np.full(4, 1e5))
    down = net.broadcast(range(4), up.finish, end, 1e5).finish
    assert net.all_reduce(range(4), np.zeros(4), np.full(4, 1e5)).finish == pytest.approx(down)
    with pytest.raises(ValueError, match=r"network\.profile: expected one of ideal, gloo, nccl, got 'mpi'"):
        star(2, 1e8, 1e8, 0.0, profile="mpi")


@pytest.mark.parametrize("profile", ["gloo", "nccl"])
def test_alike_ranks_are_cheap(profile: str) -> None:
    net, sizes = star(128, 1e9, 1e9, 1e-4, profile=profile), np.full(128, 1e8)
    net.all_reduce(None, 0.0, sizes)
    begin = time.process_time()
    net.all_reduce(None, 0.0, sizes)
    assert time.process_time() - begin < 0.3  # about 30 ms; 130,000 messages one by one take seconds


@PROFILES
def test_a_new_run_draws_and_remembers_nothing_of_the_last(profile: str) -> None:
    net = star(4, 1e8, 1e8, 0.005, transport="tcp", jitter_s="2 ms", profile=profile)

    def run() -> list[list[float]]:
        net.reset()
        return [net.all_reduce(range(4), now, np.full(4, 1e5)).finish.tolist() for now in (0.0, 1.0, 2.0)]

    first, again = run(), run()
    assert first == again
    assert len({round(finish[0] - now, 9) for finish, now in zip(first, (0.0, 1.0, 2.0), strict=True)}) == 3
