"""Max-min fair rates, one by one and in rounds, against filling in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models.sharing.filling import NOWHERE, fill, reached, water_level
from network_models.sharing.maxmin import fair_rates

LINKS = 6
ROUTES = st.lists(st.integers(0, LINKS - 1), min_size=1, max_size=4, unique=True).map(tuple)
GROUPS = st.lists(
    st.tuples(ROUTES, st.sampled_from([1.0, 2.0, float("inf")]) | st.floats(0.1, 10), st.integers(1, 5)),
    min_size=1,
    max_size=14,
)
CAPACITIES = st.lists(st.sampled_from([0.0, 3.0, 10.0]) | st.floats(0.5, 30), min_size=LINKS, max_size=LINKS)


def textbook(routes: list[tuple[int, ...]], capacity: list[float], caps: list[float], counts: list[int]) -> list[float]:
    """Raise all flows together; stop those that meet a full link or their cap; repeat. Exact."""
    rates = [Fraction(0)] * len(routes)
    rising = set(range(len(routes)))
    while rising:
        room = []
        for link in range(len(capacity)):
            on = [flow for flow in range(len(routes)) if link in routes[flow]]
            free = Fraction(capacity[link]) - sum(rates[flow] * counts[flow] for flow in on)
            if weight := sum(counts[flow] for flow in on if flow in rising):
                room.append((free / weight, [flow for flow in on if flow in rising]))
        room += [(Fraction(caps[flow]) - rates[flow], [flow]) for flow in rising if caps[flow] < float("inf")]
        step = min(more for more, _ in room)
        for flow in rising:
            rates[flow] += step
        rising -= {flow for more, flows in room if more == step for flow in flows}
    return [float(rate) for rate in rates]


def in_rounds(routes: list[tuple[int, ...]], capacity: list[float], caps: list[float], counts: list[int]) -> np.ndarray:
    width = max(map(len, routes))
    ways = np.array([[link + 1 for link in route] + [NOWHERE] * (width - len(route)) for route in routes])
    free = np.array([np.inf, *capacity])
    return fill(ways, np.array(counts, dtype=float), np.array(caps), free, one_by_one=1)


def test_by_hand() -> None:
    # Links of 10, 10 and 4: two flows of group a and one of c meet on link 2: 4/3 each. On link 0 a takes 8/3, and what
    # is left, 22/3, is b's; on link 1 c takes 4/3, and d could have 26/3 but for its cap of 5.
    routes, caps, counts = [(0, 2), (0,), (1, 2), (1,)], [float("inf"), float("inf"), float("inf"), 5.0], [2, 1, 1, 1]
    for rates in (fair_rates(routes, [10, 10, 4], caps, counts), in_rounds(routes, [10, 10, 4], caps, counts)):
        assert list(rates) == pytest.approx([4 / 3, 22 / 3, 4 / 3, 5.0], rel=1e-15)


@given(GROUPS, CAPACITIES)
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_textbook(groups: list[tuple[tuple[int, ...], float, int]], capacity: list[float]) -> None:
    routes, caps, counts = (list(column) for column in zip(*groups, strict=True))
    expected = textbook(routes, capacity, caps, counts)
    assert fair_rates(routes, capacity, caps, counts) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert in_rounds(routes, capacity, caps, counts) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(GROUPS, CAPACITIES)
@settings(max_examples=50, deadline=None)
def test_a_group_is_so_many_flows(groups: list[tuple[tuple[int, ...], float, int]], capacity: list[float]) -> None:
    routes, caps, counts = (list(column) for column in zip(*groups, strict=True))
    single = [(route, cap) for route, cap, count in groups for _ in range(count)]
    each = iter(fair_rates([route for route, _ in single], capacity, [cap for _, cap in single]))
    for rate, count in zip(fair_rates(routes, capacity, caps, counts), counts, strict=True):
        assert [next(each) for _ in range(count)] == pytest.approx([rate] * count, rel=1e-9, abs=1e-12)


def test_a_chain_of_bottlenecks_longer_than_the_rounds_allow() -> None:
    # Flow i uses links i and i + 1; link i has capacity 2 i + 1, so it is full when flow i - 1 has i and flow i has
    # i + 1; every link must wait for the one before it.
    flows = 200
    routes = [(i, i + 1) for i in range(flows)]
    capacity = [2.0 * i + 1 for i in range(flows)] + [1e9]
    rates = in_rounds(routes, capacity, [float("inf")] * flows, [1] * flows)
    assert rates == pytest.approx(np.arange(1, flows + 1), rel=1e-12)


def test_water_level_by_hand() -> None:
    # 2 flows stop at 1, 1 at 4; three more rise on: 12 - 2 - 4 = 6, so they are at 2 < 4: all four above 1 share 10.
    rates, counts = np.array([4.0, 1.0, 9.0]), np.array([1.0, 2.0, 3.0])
    assert water_level(rates, counts, 12.0) == 2.5
    assert water_level(rates, counts, 2 + 4 + 3 * 5.0) == 5.0
    assert water_level(rates, counts, 2 + 4 + 3 * 9.0 + 0.1) == np.inf
    assert water_level(rates, counts, 0.0) == 0.0


def test_what_is_connected() -> None:
    ways = np.array([[1, 2], [2, 3], [4, NOWHERE], [3, 5], [6, NOWHERE]])
    assert reached(ways, np.array([1]), 7).tolist() == [True, True, False, True, False]
    within = np.array([True, False, True, True, True])
    assert reached(ways, np.array([1, 6]), 7, within).tolist() == [True, False, False, False, True]
    assert reached(ways, np.array([1]), 7, rounds=2).all()  # not settled: all of them, to be safe
