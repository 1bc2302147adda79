"""Flows on links whose capacity changes: the engines, and a solver that knows nothing of them."""

from dataclasses import replace

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import SERVER, FluidNetwork, Network, star
from network_models.conditions import Trace
from network_models.sharing import Clusters, Flow, MaxMinSharing

Posts = list[tuple[float, int, int, float]]  # start, source, destination, bytes
WORKERS = 4


def network(rates: dict[int, Trace], constant: list[float], server: float) -> Network:
    """A star whose resources are 0..4 up and 5..9 down, the server's 4 and 9."""
    net = star(WORKERS, constant[:WORKERS], constant[WORKERS:], 0.0, server, server)
    up, down = net.fabric.up_bps.copy(), net.fabric.down_bps.copy()
    for at, trace in rates.items():
        (up if at < WORKERS + 1 else down)[at % (WORKERS + 1)] = trace.peak_bps
    return Network(replace(net.fabric, up_bps=up, down_bps=down, rates=rates))


def play(net: Network, posts: Posts, general: bool) -> list[float]:
    env = simpy.Environment()
    fluid = FluidNetwork(env, net.paths, MaxMinSharing(net.paths.capacity_bps.tolist()) if general else None)
    ends = [0.0] * len(posts)

    def post(number: int):  # type: ignore[no-untyped-def]
        start, source, destination, size = posts[number]
        yield env.timeout(start)
        ends[number] = (yield fluid.transfer(source, destination, size)).drained_s

    env.run(until=env.all_of([env.process(post(number)) for number in range(len(posts))]))
    return ends


def by_steps(net: Network, posts: Posts) -> list[float]:
    """Stop wherever anything at all changes, and fill all flows evenly until a link is full, again and again."""
    rates, ends, left = net.fabric.rates, [0.0] * len(posts), {}
    routes = [net.fabric.route(source, destination) for _, source, destination, _ in posts]
    now = 0.0
    while len(left) or any(start >= now and not ends[n] for n, (start, *_) in enumerate(posts)):
        for number, (start, _, _, size) in enumerate(posts):
            if start == now and not ends[number]:
                left[number] = 8 * size
        free = {
            at: rates[at].at(now) if at in rates else float(net.fabric.capacity_bps[at])
            for n in left
            for at in routes[n]
        }
        speed, filling = dict.fromkeys(left, 0.0), set(left)
        while filling:
            users = {at: sum(at in routes[n] for n in filling) for at in free}
            rise = min(free[at] / users[at] for at in free if users[at])
            for n in filling:
                speed[n] += rise
            full = {at for at in free if users[at] and free[at] / users[at] == rise}
            for at in free:
                free[at] -= rise * users[at]
            filling -= {n for n in filling if full & set(routes[n])}
        ahead = [start for start, *_ in posts if start > now]
        ahead += [trace.next_change(now) for trace in rates.values()]
        finishing = {n: now + left[n] / speed[n] if speed[n] else np.inf for n in left}
        then = min([*ahead, *finishing.values()])
        for n in list(left):
            left[n] -= speed[n] * (then - now)
            if finishing[n] == then:
                ends[n] = then
                del left[n]
        now = then
    return ends


RATES = st.sampled_from([0.0, 1e5, 3e5, 1e6]) | st.floats(1e4, 3e6)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Network, Posts]:
    rates = {}
    for at in draw(st.sets(st.integers(0, 2 * WORKERS + 1), min_size=1, max_size=6)):
        gaps = draw(st.lists(st.floats(0.05, 2.0), min_size=1, max_size=5))
        values = [draw(RATES) for _ in gaps]
        values[0] = values[0] or 2e5
        times = np.concatenate(([0.0], np.cumsum(gaps)[:-1]))
        rates[at] = Trace(times, values, sum(gaps), offset_s=draw(st.floats(0.0, 3.0)))
    constant = [draw(st.sampled_from([2e5, 1e6]) | st.floats(1e5, 3e6)) for _ in range(2 * WORKERS)]
    node = st.integers(SERVER, WORKERS - 1)
    one = st.tuples(st.sampled_from([0.0, 0.5]) | st.floats(0, 3), node, node | st.just(SERVER), st.floats(1e3, 3e5))
    posts = draw(st.lists(one.filter(lambda post: post[1] != post[2]), min_size=1, max_size=9))
    return network(rates, constant, draw(st.sampled_from([3e5, 1e6, 1e9]))), posts


@given(worlds())
@settings(max_examples=60)
def test_the_engines_and_a_plain_solver_agree(world: tuple[Network, Posts]) -> None:
    net, posts = world
    fast, slow, plain = play(net, posts, False), play(net, posts, True), by_steps(net, posts)
    assert fast == pytest.approx(slow, rel=1e-9)
    assert fast == pytest.approx(plain, rel=1e-9)
    assert fast == play(net, posts, False)


@given(st.data())
@settings(max_examples=60)
def test_capacities_that_change_under_the_engines(data: st.DataObject) -> None:
    """Starts and changes of capacity (0 stands still) at random times: the cluster engine ends all flows as max-min."""
    count = 6
    capacity = [data.draw(st.sampled_from([1e5, 1e6]) | st.floats(1e4, 1e6)) for _ in range(count)]
    actions = data.draw(st.lists(st.tuples(st.floats(0.0, 2.0), st.booleans()), min_size=1, max_size=14))
    engines = [Clusters(capacity, hot={0}), MaxMinSharing(capacity)]
    ends: list[dict[int, float]] = [{}, {}]

    def until(now: float) -> None:
        for engine, ended in zip(engines, ends, strict=True):
            while (time := engine.next_finish()) <= now and time < np.inf:
                ended.update({flow.sequence: time for flow in engine.finish(time)})

    for number, (now, starts) in enumerate(sorted(actions)):
        until(now)
        if starts:
            route = tuple(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True)))
            bits = data.draw(st.floats(1e3, 1e6))
            for engine in engines:
                engine.start(now, [Flow(number, route, bits)])
        else:
            changed = data.draw(st.dictionaries(st.integers(0, count - 1), RATES, min_size=1, max_size=3))
            for engine in engines:
                engine.recapacitate(now, changed)
    for engine in engines:
        engine.recapacitate(3.0, dict.fromkeys(range(count), 1e5))
    until(1e9)
    assert ends[0].keys() == ends[1].keys() and len(ends[0]) == sum(starts for _, starts in actions)
    assert list(ends[0].values()) == pytest.approx([ends[1][number] for number in ends[0]], rel=1e-9)


def test_an_outage_by_hand() -> None:
    # 1000 bit/s, nothing in [1, 3): 250 bytes are 2000 bits, the second thousand from 3 s on.
    outages = [{"worker": 0, "start_s": 1.0, "end_s": 3.0}]
    assert play(star(2, 1000, 1e9, 0.0, outages=outages), [(0.0, 0, SERVER, 250)], False) == [4.0]
    # Two messages share it: 500 bits each by 1 s; 500 more each by 4 s; then both are through.
    assert play(star(2, 1000, 1e9, 0.0, outages=outages), [(0.0, 0, 1, 125), (0.0, 0, SERVER, 125)], False) == [
        4.0,
        4.0,
    ]
    # The second comes in the outage: the first has 1000 bits left at 3 s, the second 500: 500 each by 4 s, then alone.
    late = [(0.0, 0, 1, 250), (2.0, 0, SERVER, 62.5)]
    for general in (False, True):
        assert play(star(2, 1000, 1e9, 0.0, outages=outages), late, general) == pytest.approx([4.5, 4.0], rel=1e-12)


@pytest.mark.parametrize("general", [False, True])
def test_what_can_never_finish_is_an_error_with_its_route(general: bool) -> None:
    net = star(2, 1000, 1e9, 0.0, outages=[{"worker": 0, "start_s": 1.0}])
    told = (
        r"transfer 0 -> server under way at .* can never finish: 0 up carries nothing from 1 s on "
        r"\(route: 0 up, server down\)"
    )
    assert play(net, [(0.0, 0, SERVER, 125)], general) == [1.0]
    with pytest.raises(ValueError, match=told):
        play(net, [(0.0, 0, SERVER, 126)], general)
    with pytest.raises(ValueError, match=told):  # each would be through by 1 s, but not both
        play(net, [(0.0, 0, SERVER, 100), (0.0, 0, SERVER, 100)], general)
    with pytest.raises(ValueError, match=told):
        net.gather([0, 1], [0.0, 0.0], [126, 1])
    with pytest.raises(ValueError, match="transfer server -> 0 .* 0 down carries nothing from 1 s on"):
        net.broadcast([0, 1], [0.0, 0.0], 2.0, 10)
    with pytest.raises(ValueError, match="transfer 0 -> 1 .* can never finish"):
        net.all_reduce([0, 1], [0.0, 0.0], [1000, 1000], lambda count: 1000)


def test_links_that_are_never_up_together() -> None:
    outages = [
        {"worker": 0, "start_s": 0, "end_s": 1, "repeat_s": 2},
        {"worker": 1, "start_s": 1, "end_s": 2, "repeat_s": 2},
    ]
    net = star(2, 1000, 1000, 0.0, outages=outages)
    with pytest.raises(ValueError, match="0 -> 1 .* can never finish: its links never carry anything at the same time"):
        play(net, [(0.0, 0, 1, 10)], False)
    assert play(net, [(0.0, 0, SERVER, 125)], False) == [2.0]


def test_a_lone_upload_takes_no_event_per_step() -> None:
    trace = Trace(np.arange(10_000) / 1000, np.tile([1e6, 2e6], 5000), 10.0)
    net, env = star(100, 1e6, 1e6, 0.0, 1e9, 1e9, up_trace=trace, trace_offset_s="spread"), simpy.Environment()
    fluid = net.fluid(env)
    sent = [fluid.transfer(worker, SERVER, 1e6) for worker in range(100)]
    steps = 0
    while not all(event.processed for event in sent):
        env.step()
        steps += 1
    assert steps < 500  # 8 Mbit at 1.5 Mbit/s pass 5,333 steps of each trace
    expected = trace.finish(np.array([net.fabric.rates[worker].offset_s for worker in range(100)]), 8e6)
    ends = [event.value.finish_s + net.fabric.rates[worker].offset_s for worker, event in enumerate(sent)]
    assert ends == pytest.approx(expected.tolist(), rel=1e-12)
