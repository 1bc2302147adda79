"""Every schedule on unlike workers: vectors, events of flows and reference processes give the same times to 1e-9."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import Links, Network, Timing
from network_models.conditions import Trace
from network_models.engines import events, vector
from network_models.engines.contention import contended, incidence
from network_models.engines.reference import Reference
from network_models.paths import Paths
from network_models.schedules.call import Call
from network_models.schedules.registry import SCHEDULES
from network_models.schedules.step import Program
from network_models.transports import Tcp

EVERY = [(collective, name) for collective, schedules in SCHEDULES.items() for name in schedules]
RATES = st.sampled_from([1e6, 2e6, 1e7]) | st.floats(1e5, 1e8) | st.just(float("inf"))
LATENCIES = st.sampled_from([0.0, 0.01]) | st.floats(1e-6, 0.3)
STARTS = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 5.0)
SIZES = st.sampled_from([0, 10**5]) | st.integers(0, 10**6)
FIELDS = ("finish", "uplink", "downlink", "waiting", "latency", "queueing")
# Programs whose messages never meet on a star of full-duplex links, whatever these are.
APART = {
    ("all_reduce", "ring"),
    ("all_reduce", "segmented_ring"),
    ("all_reduce", "halving_doubling"),
    ("all_reduce", "rabenseifner"),
    ("all_reduce", "recursive_doubling"),
    ("all_reduce", "binomial_tree"),
    ("all_reduce", "hierarchical"),
    ("all_reduce", "torus_2d"),
    ("all_gather", "ring"),
    ("all_gather", "bruck"),
    ("all_gather", "recursive_doubling"),
    ("reduce_scatter", "ring"),
    ("reduce_scatter", "recursive_halving"),
    ("broadcast", "binomial"),
    ("broadcast", "pipelined_chain"),
    ("all_to_all", "pairwise"),
    ("reduce", "binomial"),
    ("gather", "binomial"),
    ("scatter", "binomial"),
}


class Jitter:
    """A few milliseconds that depend on who, to whom, and when."""

    def delay_s(self, source: np.ndarray, destination: np.ndarray, key: int) -> np.ndarray:
        return np.asarray((source * 7 + destination * 3 + key % 1000 * 5) % 11) * 1e-3


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[Paths, np.ndarray, np.ndarray, Callable[[str, str], Program]]:
    n = draw(st.integers(2, 7))

    def each(of: st.SearchStrategy, count: int) -> np.ndarray:
        same = draw(st.booleans())
        return np.array([draw(of)] * count if same else [draw(of) for _ in range(count)], dtype=float)

    up, down = each(RATES, n + 1), each(RATES, n + 1)
    half = np.array([draw(st.booleans()) for _ in range(n + 1)]) if draw(st.integers(0, 3)) == 0 else None
    if half is not None:
        down = np.where(half, up, down)
    rates = {}
    if draw(st.integers(0, 3)) == 0:  # some links have half a second of one rate, one of another, and again
        for node in draw(st.sets(st.integers(0, n - 1), min_size=1)):
            rates[node] = Trace([0.0, 0.5], [draw(st.sampled_from([1e6, 4e6])), 2e6], period_s=1.5)
            up[node] = rates[node].peak_bps
            if half is not None and half[node]:
                down[node] = up[node]
    links = Links(up, down, each(LATENCIES, n + 1), half_duplex=half, rates=rates)
    transport, jitter = draw(st.sampled_from([None, None, Tcp()])), draw(st.sampled_from([None, Jitter()]))
    paths = Paths(links, transport, jitter)
    workers = np.array(draw(st.permutations(range(n)))[: draw(st.integers(1, n))])
    w = len(workers)
    growth, size = draw(st.sampled_from([0.0, 0.5, 3.0])), draw(st.integers(1, 10**6))
    groups = tuple(np.array_split(np.arange(w), draw(st.integers(1, w))))
    root, segments = draw(st.integers(0, w - 1)), draw(st.integers(1, 3))
    edges = np.array([(a, b) for a in range(w) for b in range(w) if a != b and draw(st.booleans())]).reshape(-1, 2).T
    call = Call(
        each(SIZES, w),
        lambda count: size * (1 + growth * (count - 1)),
        segments=segments,
        groups=groups,
        root=root,
        edges=(edges[0].astype(int), edges[1].astype(int)),
    )
    return paths, workers, each(STARTS, w), lambda collective, name: SCHEDULES[collective][name](call)


def alike(one: Timing, other: Timing) -> None:
    scale = max(float(np.max(other.finish)), 1e-3)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-9 * scale, err_msg=name)


def sound(timing: Timing, start: np.ndarray) -> None:
    moved = timing.uplink + timing.downlink
    np.testing.assert_allclose(timing.finish, start + moved + timing.waiting, rtol=1e-12, atol=1e-12)
    assert min(float(getattr(timing, name).min()) for name in FIELDS[1:]) >= 0
    assert (timing.latency <= moved + 1e-12).all() and (timing.queueing <= moved + 1e-12).all()


@pytest.mark.parametrize(("collective", "name"), EVERY)
@given(case=scenarios())
@settings(max_examples=20, deadline=None)
def test_engines_agree(collective: str, name: str, case: tuple) -> None:
    paths, workers, start, ask = case
    program = ask(collective, name)
    reference = Reference(paths)
    paths.reset()
    expected = reference.play(workers, start, program)
    sound(expected, start)
    paths.reset()
    by_events = events.play(paths, workers, start, program)
    alike(by_events, expected)
    if not contended(program, paths, workers):
        paths.reset()
        fast = vector.play(paths, workers, start, program)
        alike(fast, expected)
        sound(fast, start)
    elif len(workers) > 1:
        meeting = paths.fabric.half_duplex is not None or paths.transport.remembers  # they share a connection
        assert (collective, name) not in APART or meeting
    assert sum(reference.network.sent_bytes) == pytest.approx(program.total_bytes())
    assert sum(reference.network.received_bytes) == pytest.approx(program.total_bytes())


@given(case=scenarios())
@settings(max_examples=60, deadline=None)
def test_what_is_counted_is_what_the_reference_carried(case: tuple) -> None:
    paths, workers, start, _ = case
    net = Network(paths.fabric, all_reduce="recursive_doubling", all_to_all="direct")
    sizes = np.arange(1.0, len(workers) + 1) * 1000
    net.all_reduce(workers, start, sizes)
    net.all_to_all(workers, start, sizes)
    net.gather(workers, start, sizes)
    net.broadcast(workers, start, 0.0, 500.0)
    engine, call = Reference(net.paths), Call(sizes, lambda count: float(sizes.max()))
    carried = np.zeros(len(net.paths.capacity_bps))
    for program in (SCHEDULES["all_reduce"]["recursive_doubling"](call), SCHEDULES["all_to_all"]["direct"](call)):
        engine.play(workers, start, program)
        carried += engine.network.carried_bits
    engine.gather(workers, start, sizes)
    carried += engine.network.carried_bits
    engine.broadcast(workers, start, 0.0, 500.0)
    carried += engine.network.carried_bits
    np.testing.assert_allclose(net.carried_bits, carried, rtol=1e-9)
    net.reset()
    assert not net.carried_bits.any() and not net.wire_bytes


@given(case=scenarios())
@settings(max_examples=60, deadline=None)
def test_the_resources_of_many_messages_are_those_of_each(case: tuple) -> None:
    fabric = case[0].fabric
    ends = np.array([(a, b) for a in range(-1, fabric.workers) for b in range(-1, fabric.workers) if a != b]).T
    message, resource = incidence(fabric, *ends)
    for number, (source, destination) in enumerate(ends.T.tolist()):
        assert sorted(resource[message == number]) == sorted(fabric.route(source, destination))
