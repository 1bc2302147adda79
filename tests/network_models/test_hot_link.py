"""Water filling against the general solver, and the closed forms of sharing one link."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import star
from network_models.sharing import Flow
from network_models.sharing.draining import drained
from network_models.sharing.hot_link import HotLink
from network_models.sharing.maxmin import MaxMinSharing, fair_rates

CAPS = st.sampled_from([1e6, 2e6, 5e6]) | st.floats(1e4, 1e7)
FLOWS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]) | st.floats(0, 3), st.sampled_from([1e6, 3e6]) | st.floats(1, 1e7), CAPS),
    min_size=1,
    max_size=14,
)


def by_general_solver(flows: list[tuple[float, float, float]], capacity: float) -> list[float]:
    caps = [cap for _, _, cap in flows]
    sharing = MaxMinSharing(star(len(flows), caps, 1e9, 0.0, 1e9, capacity).fabric.capacity_bps.tolist())
    waiting = sorted(
        ((start, Flow(i, (i, 2 * len(flows) + 1), bits)) for i, (start, bits, _) in enumerate(flows)),
        key=lambda x: x[0],
    )
    ends = [0.0] * len(flows)
    while waiting or sharing.next_finish() < np.inf:
        if waiting and waiting[0][0] < sharing.next_finish():
            start, flow = waiting.pop(0)
            sharing.start(start, [flow])
        else:
            time = sharing.next_finish()
            for flow in sharing.finish(time):
                ends[flow.sequence] = time
    return ends


@given(FLOWS, st.sampled_from([1e6, 1e7]) | st.floats(1e4, 1e8))
@settings(max_examples=80, deadline=None)
def test_drained_agrees_with_the_general_solver(flows: list[tuple[float, float, float]], capacity: float) -> None:
    ends = drained(*np.array(flows).T, capacity)
    assert ends == pytest.approx(by_general_solver(flows, capacity), rel=1e-9)


@given(FLOWS, st.sampled_from([1e6, 1e7]) | st.floats(1e4, 1e8))
@settings(max_examples=50, deadline=None)
def test_hot_link_agrees_with_the_general_solver(flows: list[tuple[float, float, float]], capacity: float) -> None:
    link, ends, waiting = HotLink(capacity), [0.0] * len(flows), sorted(range(len(flows)), key=lambda i: flows[i][0])
    while waiting or len(link):
        if waiting and flows[waiting[0]][0] < link.next_finish():
            key = waiting.pop(0)
            link.add(flows[key][0], key, flows[key][1], min(flows[key][2], capacity))
        else:
            time = link.next_finish()
            for key in link.pop():
                ends[key] = time
    assert ends == pytest.approx(by_general_solver(flows, capacity), rel=1e-9)


def test_identical_flows_travel_as_one_group() -> None:
    grouped, single = HotLink(10.0), HotLink(10.0)
    grouped.add(0.0, 0, 8.0, 4.0, count=5)
    for key in range(5):
        single.add(0.0, key, 8.0, 4.0)
    assert grouped.next_finish() == single.next_finish() == 4.0
    assert grouped.pop() == [0] and single.pop() == [0, 1, 2, 3, 4]


def test_what_is_left_when_a_link_lets_go() -> None:
    link = HotLink(10.0)
    link.add(0.0, 0, 20.0, 2.0)  # runs at its cap of 2
    link.add(0.0, 1, 20.0, 10.0)  # gets the other 8
    assert link.drain(1.0) == {0: 18.0, 1: 12.0}


def test_a_long_run_forgets_what_has_ended() -> None:
    link, now = HotLink(100.0), 0.0
    for key in range(3000):  # new caps at every arrival, so that flows move to and fro between claiming and sharing
        link.add(now, key, 50.0 + key % 7, 5.0 + key % 41)
        if len(link) > 20:
            now = link.next_finish()
            link.pop()
    assert sum(len(heap) for heap in (link._by_work, link._by_cap, link._by_time, link._by_claim)) < 1000


def test_fair_rates_by_hand() -> None:
    # Links: 0 and 1 have 10, 2 has 4. Flow a on 0 and 2, b on 0, c on 1 and 2, d on 1: 2 gives 2 each; the rest 8 each.
    assert fair_rates([(0, 2), (0,), (1, 2), (1,)], [10, 10, 4]) == [2, 8, 2, 8]
    assert fair_rates([(0,), (0,), (0, 1)], [9, 1]) == [4, 4, 1]
    assert fair_rates([], [1]) == []


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=12),
    st.lists(CAPS, min_size=6, max_size=6),
)
@settings(max_examples=50, deadline=None)
def test_max_min_by_definition(routes: list[tuple[int, ...]], capacity: list[float]) -> None:
    # Feasible, and every flow has a bottleneck: a full link on which nobody is faster.
    rates = fair_rates(routes, capacity)
    load = [sum(rate for rate, route in zip(rates, routes, strict=True) if link in route) for link in range(6)]
    assert all(used <= limit * (1 + 1e-9) for used, limit in zip(load, capacity, strict=True))
    for rate, route in zip(rates, routes, strict=True):
        assert any(
            load[link] >= capacity[link] * (1 - 1e-9)
            and all(rate >= other * (1 - 1e-9) for other, way in zip(rates, routes, strict=True) if link in way)
            for link in route
        )
