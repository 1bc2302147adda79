"""Formulas and simulated messages agree to 1e-9 on random, unlike workers; both are pure and conserve bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import Timing, star
from network_models.engines.reference import Reference
from network_models.schedules.call import Call
from network_models.schedules.halving_doubling import all_reduce_halving_doubling
from network_models.schedules.ring import all_gather_ring, all_reduce_ring

RATES = st.sampled_from([1e6, 2e6, 1e7]) | st.floats(1e5, 1e8) | st.just(float("inf"))
LATENCIES = st.sampled_from([0.0, 0.01]) | st.floats(0.0, 0.3)
STARTS = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 5.0)
SIZES = st.sampled_from([0, 10**5]) | st.integers(0, 10**6)


@st.composite
def scenarios(draw: st.DrawFn) -> dict:
    n = draw(st.integers(1, 8))

    def each(of: st.SearchStrategy) -> st.SearchStrategy:
        return of.map(lambda value: [value] * n) | st.lists(of, min_size=n, max_size=n)

    workers = draw(st.permutations(range(n)))[: draw(st.integers(1, n))]
    w = len(workers)
    growth = draw(st.sampled_from([0.0, 0.5, 3.0]))
    size = draw(st.integers(1, 10**6))
    return {
        "star": (
            n,
            draw(each(RATES)),
            draw(each(RATES)),
            draw(each(LATENCIES)),
            draw(RATES),
            draw(RATES),
            draw(LATENCIES),
        ),
        "workers": workers,
        "start": draw(each(STARTS))[:w],
        "sizes": draw(each(SIZES))[:w],
        "size": size,
        "server_start": draw(STARTS),
        "merged": lambda count: size * (1 + growth * (count - 1)),
    }


def call(case: dict, collective: str, **settings: str) -> tuple[Timing, float]:
    net = star(*case["star"], **settings)
    start = np.array(case["start"])
    if collective == "gather":
        return net.gather(case["workers"], start, case["sizes"])
    if collective == "broadcast":
        return net.broadcast(case["workers"], start, case["server_start"], case["size"]), 0.0
    if collective == "all_gather":
        return net.all_gather(case["workers"], start, case["sizes"]), 0.0
    return net.all_reduce(case["workers"], start, case["sizes"], case["merged"]), 0.0


def check(case: dict, collective: str, **settings: str) -> None:
    fast, server = call(case, collective, mode="collapsed", **settings)
    slow, reference = call(case, collective, mode="message", **settings)
    start = np.array(case["start"])
    scale = max(float(np.max(slow.finish)), 1e-3)
    assert server == pytest.approx(reference, rel=1e-9)
    for name in ("finish", "uplink", "downlink", "waiting", "latency"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-9, atol=1e-9 * scale, err_msg=name)
    for timing in (fast, slow):
        np.testing.assert_allclose(
            timing.finish, start + timing.uplink + timing.downlink + timing.waiting, rtol=1e-12, atol=1e-12
        )
        assert min(timing.uplink.min(), timing.downlink.min(), timing.waiting.min(), timing.latency.min()) >= 0
        assert (timing.latency <= timing.uplink + timing.downlink + 1e-12).all()
        assert (timing.finish >= start).all()
    again, _ = call(case, collective, mode="collapsed", **settings)
    for name in ("finish", "uplink", "downlink", "waiting", "latency"):
        assert getattr(fast, name).tobytes() == getattr(again, name).tobytes()


@given(scenarios())
@settings(max_examples=70, deadline=None)
def test_gather(case: dict) -> None:
    check(case, "gather")


@given(scenarios())
@settings(max_examples=30, deadline=None)
def test_broadcast(case: dict) -> None:
    check(case, "broadcast")


@given(scenarios())
@settings(max_examples=30, deadline=None)
def test_all_gather(case: dict) -> None:
    check(case, "all_gather")


@pytest.mark.parametrize("all_reduce", ["ring", "halving_doubling", "server", "auto"])
@given(case=scenarios())
@settings(max_examples=30, deadline=None)
def test_all_reduce(all_reduce: str, case: dict) -> None:
    check(case, "all_reduce", all_reduce=all_reduce)


@given(scenarios())
@settings(max_examples=30, deadline=None)
def test_bytes_in_are_bytes_out(case: dict) -> None:
    engine = Reference(star(*case["star"]).paths)
    workers, start, sizes = np.array(case["workers"]), np.array(case["start"]), np.array(case["sizes"], dtype=float)
    w, merged = len(workers), case["merged"]

    def carried() -> np.ndarray:
        assert sum(engine.network.sent_bytes) == pytest.approx(sum(engine.network.received_bytes), rel=1e-12)
        return np.array([engine.network.sent_bytes, engine.network.received_bytes])

    engine.gather(workers, start, sizes)
    sent, received = carried()
    assert sent[workers] == pytest.approx(sizes) and received[-1] == pytest.approx(sizes.sum()) and sent[-1] == 0
    engine.broadcast(workers, start, 0.0, 77)
    sent, received = carried()
    assert sent[-1] == 77 * w and (received[workers] == 77).all()
    if w == 1:
        return
    engine.play(workers, start, all_gather_ring(Call(sizes, merged)))
    sent, received = carried()
    assert received[workers] == pytest.approx(sizes.sum() - sizes)
    engine.play(workers, start, all_reduce_ring(Call(sizes, merged)))
    sent, received = carried()
    expected = (sizes + sum(merged(count) for count in range(2, w)) + (w - 1) * merged(w)) / w
    assert sent[workers] == pytest.approx(expected)
    engine.play(workers, start, all_reduce_halving_doubling(Call(sizes, lambda count: case["size"])))
    sent, received = carried()
    if w in (2, 4, 8) and (sizes == case["size"]).all():
        assert sent[workers] == pytest.approx(np.full(w, 2 * (1 - 1 / w) * case["size"]))
