"""Transfers in a running clock: SimGrid's answers, order, ties, and the fast engine against the general one."""

import json
from pathlib import Path

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import SERVER, FluidNetwork, Network, Transfer, star
from network_models.sharing.maxmin import MaxMinSharing

SCENARIOS = json.loads((Path(__file__).parents[1] / "fixtures" / "simgrid_flows.json").read_text())["scenarios"]
Posts = list[tuple[float, int, int, float]]  # start, source, destination, bytes


def play(net: Network, posts: Posts, general: bool = False) -> list[Transfer]:
    env = simpy.Environment()
    network = FluidNetwork(env, net.paths, MaxMinSharing(net.paths.capacity_bps.tolist()) if general else None)
    records: dict[int, Transfer] = {}

    def post(number: int, start: float, source: int, destination: int, size: float):  # type: ignore[no-untyped-def]
        yield env.timeout(start)
        records[number] = yield network.transfer(source, destination, size)
        assert records[number].finish_s == env.now

    for number, (start, source, destination, size) in enumerate(posts):
        env.process(post(number, start, source, destination, size))
    env.run()
    assert sum(network.sent_bytes) == pytest.approx(sum(network.received_bytes))
    assert sum(network.sent_bytes) == pytest.approx(sum(size for *_, size in posts))
    return [records[number] for number in range(len(posts))]


@pytest.mark.parametrize("general", [False, True], ids=["clusters", "maxmin"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_simgrid(scenario: dict, general: bool) -> None:
    number = {node["name"]: i for i, node in enumerate(scenario["nodes"])}
    net = star(len(number), *([node[key] for node in scenario["nodes"]] for key in ("up_bps", "down_bps", "latency_s")))
    posts = [(flow["start_s"], number[flow["from"]], number[flow["to"]], flow["bytes"]) for flow in scenario["flows"]]
    # SimGrid's flows of one channel may overtake; ours drain as they do, and are handed over in order.
    durations = [record.drained_s - record.start_s for record in play(net, posts, general)]
    assert durations == pytest.approx(scenario["duration_s"], rel=1e-4)


@pytest.mark.parametrize("mode", ["collapsed", "message"])
@pytest.mark.parametrize("name", ["one", "incast", "stagger", "fanout"])
def test_simgrid_scenarios_that_are_collectives(name: str, mode: str) -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario["name"] == name)
    hub = scenario["flows"][0]["from" if name == "fanout" else "to"]
    nodes = {node["name"]: node for node in scenario["nodes"]}
    server = nodes.pop(hub)
    workers = [list(nodes).index(flow["to" if name == "fanout" else "from"]) for flow in scenario["flows"]]
    columns = ([node[key] for node in nodes.values()] for key in ("up_bps", "down_bps", "latency_s"))
    net = star(len(nodes), *columns, server["up_bps"], server["down_bps"], server["latency_s"], mode=mode)
    start = np.array([flow["start_s"] for flow in scenario["flows"]])
    sizes = [flow["bytes"] for flow in scenario["flows"]]
    if name == "fanout":
        finish = net.broadcast(workers, start, float(start[0]), sizes[0]).finish
    else:
        finish = net.gather(workers, start, sizes)[0].finish
    assert finish - start == pytest.approx(scenario["duration_s"], rel=1e-4)


def test_one_transfer_and_its_record() -> None:
    net = star(2, "8 Mbit/s", "8 Mbit/s", "10 ms", server_latency_s="5 ms")
    (record,) = play(net, [(1.0, 1, SERVER, 2_000_000)])
    assert (record.source, record.destination, record.size_bytes, record.sequence) == (1, SERVER, 2_000_000, 0)
    assert (record.start_s, record.latency_s) == (1.0, 0.015)
    assert record.finish_s == record.drained_s == pytest.approx(1.0 + 0.015 + 2.0, rel=1e-15)


def test_messages_of_a_channel_never_overtake() -> None:
    net = star(2, 80, 80, 0.0)
    # 100 and 10 bytes at 40 bit/s each: the small one has drained at 2 s, but is handed over after the large one, at
    # 11 s.
    large, small, other = play(net, [(0.0, 0, 1, 100), (0.0, 0, 1, 10), (0.0, 1, 0, 10)])
    assert (large.drained_s, large.finish_s) == (11.0, 11.0)
    assert (small.drained_s, small.finish_s) == (2.0, 11.0)
    assert other.finish_s == 1.0  # full duplex: the way back is another link


def test_ties_go_by_sequence() -> None:
    net, env, order = star(6, 80, 80, 0.5), simpy.Environment(), []
    network = net.fluid(env)
    for worker in (4, 2, 5, 0, 3, 1):
        network.transfer(worker, SERVER, 10).callbacks.append(lambda event: order.append(event.value.source))
    env.run()
    assert order == [4, 2, 5, 0, 3, 1] and env.now == 6.5


def test_empty_messages_and_unlimited_links_cost_only_latency() -> None:
    assert play(star(2, 8, 8, 0.5), [(0.0, 0, 1, 0)])[0].finish_s == 1.0
    assert play(star(2, "inf", "inf", 0.5), [(0.0, 0, 1, 1e12)])[0].finish_s == 1.0
    assert [record.finish_s for record in play(star(2, "inf", "inf", 0.0), [(2.0, 0, 1, 1e12)])] == [2.0]
    halves = play(star(3, "inf", 80, 0.0), [(0.0, 0, 2, 10), (0.0, 1, 2, 10)])
    assert [record.finish_s for record in halves] == [2.0, 2.0]


def test_a_process_may_answer_at_the_instant_of_arrival() -> None:
    net, env = star(2, 80, 80, 0.0), simpy.Environment()
    network, times = net.fluid(env), []

    def ping():  # type: ignore[no-untyped-def]
        for _ in range(3):
            yield network.transfer(0, SERVER, 10)
            yield network.transfer(SERVER, 0, 20)
            times.append(env.now)

    env.run(until=env.process(ping()))
    assert times == [3.0, 6.0, 9.0]


@pytest.mark.parametrize(
    ("source", "destination", "size", "message"),
    [
        (2, 0, 1, r"source: expected a worker in 0\.\.1 or SERVER \(-1\), got 2"),
        (0, -2, 1, r"destination: expected a worker .* got -2"),
        (0, 0, 1, "destination: expected another node than the source"),
        (0, 1, -1, "size_bytes: expected a finite number of at least 0, got -1"),
        (0, 1, float("nan"), "size_bytes: .* got nan"),
    ],
)
def test_bad_transfers(source: int, destination: int, size: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        star(2, 1, 1, 0).fluid(simpy.Environment()).transfer(source, destination, size)


NODES = st.integers(-1, 4)
POSTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5]) | st.floats(0, 2), NODES, NODES, st.sampled_from([0, 10**5]) | st.integers(0, 10**6)
    ).filter(lambda post: post[1] != post[2]),
    min_size=1,
    max_size=16,
)
FEW_RATES = st.lists(st.sampled_from([1e6, 3e6, 1e7, float("inf")]) | st.floats(1e5, 1e7), min_size=5, max_size=5)


@given(POSTS, FEW_RATES, FEW_RATES, st.sampled_from([0.0, 0.01]), st.sampled_from([2e6, 1e9]))
@settings(max_examples=60, deadline=None)
def test_clusters_agree_with_the_general_engine(
    posts: Posts, up: list[float], down: list[float], latency: float, server: float
) -> None:
    net = star(5, up, down, [latency, 0.0, 0.02, latency, 0.1], server, server)
    fast, slow = play(net, posts), play(net, posts, general=True)
    assert [record.drained_s for record in fast] == pytest.approx([record.drained_s for record in slow], rel=1e-9)
    assert [record.finish_s for record in fast] == pytest.approx([record.finish_s for record in slow], rel=1e-9)
    assert fast == play(net, posts)
    for record in fast:
        unhindered = (
            record.start_s
            + record.latency_s
            + 8 * record.size_bytes / net.fabric.path_bps(record.source, record.destination)
        )
        assert record.finish_s >= unhindered * (1 - 1e-9)
    channels: dict[tuple[int, int], float] = {}
    for record in sorted(fast, key=lambda record: record.sequence):
        key = (record.source, record.destination)
        assert record.finish_s >= channels.get(key, 0.0)
        channels[key] = record.finish_s


@given(st.integers(1, 40), st.floats(1e5, 1e8))
@settings(max_examples=20, deadline=None)
def test_pushes_into_the_server_agree_with_a_gather(workers: int, server: float) -> None:
    rng = np.random.default_rng(workers)
    net = star(workers, rng.uniform(1e6, 1e7, workers), 1e9, rng.uniform(0, 0.1, workers), 1e9, server)
    start, sizes = rng.uniform(0, 1, workers), rng.integers(0, 10**6, workers)
    posts = [(start[i], i, SERVER, float(sizes[i])) for i in range(workers)]
    finish = net.gather(range(workers), start, sizes)[0].finish
    assert [record.finish_s for record in play(net, posts)] == pytest.approx(finish, rel=1e-9)
