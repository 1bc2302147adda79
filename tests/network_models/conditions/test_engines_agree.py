"""Collectives under traces, jitter, outages and half duplex: formulas and simulated messages agree, and are pure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import Network, Timing, star
from network_models.conditions import Trace, fading, on_off

TRACES = [
    fading("1 Mbit/s", sigma=0.8, correlation=0.5, length_s=20, seed=1),
    on_off("2 Mbit/s", 0, mean_on_s=1.5, mean_off_s=1, length_s=30, step_s=0.5, seed=2),
    Trace([0, 3, 5], [3e5, 0.0, 1.5e6]),
]


@st.composite
def scenarios(draw: st.DrawFn) -> dict:
    n = draw(st.integers(1, 6))
    settings: dict = {"workers": n, "latency_s": draw(st.sampled_from([0.0, 0.01, 0.2]))}
    half = draw(st.booleans())
    rates = draw(st.lists(st.floats(2e5, 5e6), min_size=n, max_size=n))
    settings |= {"up_bps": rates, "down_bps": rates if half else [3 * rate for rate in rates]}
    if half:
        settings["half_duplex"] = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    for key in ("up_trace",) if half else ("up_trace", "down_trace"):
        if draw(st.booleans()):
            settings[key] = [draw(st.sampled_from([*TRACES, None])) for _ in range(draw(st.integers(1, n)))]
    settings["trace_offset_s"] = draw(st.lists(st.floats(0.0, 15.0), min_size=n, max_size=n))
    settings["server_up_bps"], settings["server_down_bps"] = draw(st.sampled_from([(1e9, 1e9), (1e6, 2e6)]))
    if draw(st.booleans()):
        settings["outages"] = [{"worker": 0, "start_s": 0.7, "end_s": 2.03}, {"link": "server down", "end_s": 0.41}]
    if draw(st.booleans()):
        settings |= {"jitter_s": 0.05, "jitter": draw(st.sampled_from(["uniform", "exponential", "lognormal"]))}
    settings["background_load"] = draw(st.sampled_from([0.0, 0.3]))
    w = draw(st.integers(1, n))
    return {
        "star": settings,
        "workers": draw(st.permutations(range(n)))[:w],
        "start": np.array(draw(st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 5.0), min_size=w, max_size=w))),
        "sizes": np.array(draw(st.lists(st.floats(1.0, 2e5), min_size=w, max_size=w))),
    }


def call(net: Network, case: dict, collective: str) -> list[Timing]:
    """Do it twice: the second finds other draws, the same in both engines."""
    workers, start, sizes = case["workers"], case["start"], case["sizes"]
    timings = []
    for _ in range(2):
        if collective == "gather":
            timings.append(net.gather(workers, start, sizes)[0])
        elif collective == "broadcast":
            timings.append(net.broadcast(workers, start, 1.3, float(sizes[0])))
        elif collective == "all_gather":
            timings.append(net.all_gather(workers, start, sizes))
        else:
            timings.append(net.all_reduce(workers, start, sizes, lambda count: float(sizes.max())))
        start = timings[-1].finish
    return timings


@pytest.mark.parametrize("collective", ["gather", "broadcast", "all_gather", "ring", "halving_doubling", "server"])
@given(case=scenarios())
@settings(max_examples=25)
def test_collapsed_equals_message_by_message(collective: str, case: dict) -> None:
    schedule = collective if collective in ("ring", "halving_doubling", "server") else "ring"
    nets = [star(**case["star"], all_reduce=schedule, mode=mode) for mode in ("collapsed", "message")]
    fast, slow = (call(net, case, collective) for net in nets)
    for quick, reference in zip(fast, slow, strict=True):
        for name in ("finish", "uplink", "downlink", "waiting", "latency"):
            got, expected = getattr(quick, name), getattr(reference, name)
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * reference.finish.max(), err_msg=name)
    nets[0].reset()
    again = call(nets[0], case, collective)
    assert [timing.finish.tobytes() for timing in again] == [timing.finish.tobytes() for timing in fast]


def test_half_duplex_by_hand() -> None:
    # Two workers, 1000 bit/s: an exchange of 125 bytes each way takes 1 s in full duplex and 2 s in half duplex.
    full, half = (star(2, 1000, 1000, 0.0, all_reduce="ring", half_duplex=value) for value in (False, True))
    for net, seconds in ((full, 1.0), (half, 2.0)):
        assert net.all_gather([0, 1], [0.0, 0.0], [125, 125]).finish.tolist() == [seconds, seconds]
    # One such worker among three: its neighbours in the ring wait for it.
    mixed = star(3, 1000, 1000, 0.0, half_duplex=[False, True, False])
    assert mixed.fabric.label(1) == "1 shared" and mixed.fabric.label(0) == "0 up"
    # Step 1: 0->1 and 1->2 share 1's link: 2 s; 2->0 takes 1 s. Step 2 starts at 2 s for 1 and 2; 0 waits for its
    # own message to arrive at 2 s. The same again: 4 s.
    assert mixed.all_gather([0, 1, 2], [0.0] * 3, [125] * 3).finish.tolist() == [4.0, 4.0, 4.0]
    # A gather is one way: no worker notices.
    assert half.gather([0, 1], [0.0, 0.0], [125, 125])[0].finish.tolist() == [2.0, 2.0]  # the server's 1000 bit/s
    wide = star(2, 1000, 1000, 0.0, 1e6, 1e6, half_duplex=True)
    assert wide.gather([0, 1], [0.0, 0.0], [125, 125])[0].finish.tolist() == [1.0, 1.0]


def test_jitter_is_drawn_anew_for_each_message_and_the_same_after_a_reset() -> None:
    net = star(8, 1e6, 1e6, 0.01, 1e9, 1e9, jitter_s="5 ms", seed=3)
    sizes = np.full(8, 1000)
    first, second = (net.gather(range(8), np.zeros(8), sizes)[0].finish for _ in range(2))
    assert (first != second).all() and (first > 0.018).all() and len(set(first)) == 8
    net.reset()
    assert net.gather(range(8), np.zeros(8), sizes)[0].finish.tobytes() == first.tobytes()
    assert not net.paths.plain


def test_a_narrow_server_shares_what_the_traces_would_give() -> None:
    # Uplinks of 8 bit/s until 1 s, then 2; the server takes 8: 4 each until 1 s, then 2 each. 6 bits: 1 + 2 / 2 = 2 s.
    trace = Trace([0, 1], [8.0, 2.0], 10.0)
    for mode in ("collapsed", "message"):
        net = star(2, 1, 1, 0.0, 8.0, 8.0, up_trace=trace, mode=mode)
        assert net.gather([0, 1], [0.0, 0.0], [0.75, 0.75])[0].finish.tolist() == [2.0, 2.0]
