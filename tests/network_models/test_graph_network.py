"""Networks over graphs: messages share the links of their routes, by any engine, and closed forms hold."""

import time
from pathlib import Path

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from network_models import FluidNetwork, graph, star
from network_models.conditions import Trace
from network_models.sharing import MaxMinSharing
from network_models.topologies import dumbbell, expander, fat_tree, racks, ring, sharded_servers, torus, tree

LINK = {"bps": 8e6, "latency_s": 0.01}  # 1 MB takes a second


def durations(net: FluidNetwork, messages: list[tuple[int, int, float, float]]) -> list[float]:
    """Send (source, destination, bytes, start) each, and say how long each took."""
    events = {}

    def send(number: int) -> object:
        source, destination, size, start = messages[number]
        yield net.env.timeout(start)
        events[number] = yield net.transfer(source, destination, size)

    net.env.run(until=net.env.all_of([net.env.process(send(number)) for number in range(len(messages))]))
    return [events[number].finish_s - events[number].start_s for number in range(len(messages))]


def test_messages_share_the_bottleneck_by_hand() -> None:
    topology = dumbbell(4, bottleneck_bps=8e6, bottleneck_latency_s=0.1, **LINK)
    net = graph(topology, 4, mode="message").fluid(simpy.Environment())
    # 0 -> 2 and 1 -> 3 share the bottleneck, 2 -> 0 has the other direction for itself
    assert durations(net, [(0, 2, 1e6, 0), (1, 3, 1e6, 0), (2, 0, 1e6, 0)]) == pytest.approx([2.12, 2.12, 1.12])


def test_a_graph_that_is_a_star_times_as_the_star_does() -> None:
    settings = {"up_bps": [1e6, 2e6, 3e6], "down_bps": [4e6, 3e6, 2e6], "latency_s": [0.01, 0.02, 0.0]}
    servers = {"server_up_bps": 5e6, "server_down_bps": 2.5e6, "server_latency_s": 0.003}
    one = graph(sharded_servers(3, 1, **settings, **servers), 3, mode="message", all_reduce="ring")
    other = star(3, **settings, **servers, mode="message", all_reduce="ring")
    start, sizes = np.array([0.0, 0.5, 0.2]), np.array([1e5, 2e5, 3e5])
    calls = (
        lambda net: net.gather(range(3), start, sizes)[0],
        lambda net: net.broadcast(range(3), start, 0.3, 1e5),
        lambda net: net.all_reduce(range(3), start, sizes, lambda count: 3e5),
        lambda net: net.all_gather(range(3), start, sizes),
    )
    for call in calls:
        for field in ("finish", "uplink", "downlink", "waiting", "latency"):
            assert getattr(call(one), field) == pytest.approx(getattr(call(other), field), rel=1e-12), field


def test_ring_all_reduce_on_a_ring_is_the_closed_form() -> None:
    # every step uses each link once: 2 (n - 1) (a + m / (n B))
    net = graph(ring(5, **LINK), 5, mode="message")
    timing = net.all_reduce(range(5), np.zeros(5), np.full(5, 1e6), lambda count: 1e6)
    assert timing.finish == pytest.approx(np.full(5, 2 * 4 * (0.01 + 1 / 5)), rel=1e-12)


def test_only_the_messages_between_racks_wait_for_the_uplink() -> None:
    # four racks of two, uplinks of 2 x 1 MB/s / 4: half of the steps' messages cross, one out of each rack
    net = graph(racks(8, racks=4, oversubscription=4, **LINK), 8, mode="message")
    timing = net.all_gather(range(8), np.zeros(8), np.full(8, 1e6))
    assert timing.finish.max() == pytest.approx(7 * (0.04 + 2), rel=1e-9)
    # the other order sends every message out of its rack, two at a time
    across = [0, 2, 4, 6, 1, 3, 5, 7]
    assert net.all_gather(across, np.zeros(8), np.full(8, 1e6)).finish.max() == pytest.approx(7 * (0.04 + 4), rel=1e-9)


TOPOLOGIES = [
    tree(7, arity=2, servers=1, **LINK),
    torus(7, sides=[2, 4], servers=2, **LINK),
    fat_tree(7, servers=1, **LINK),
    expander(7, degree=4, seed=2, servers=1, **LINK),
    racks(7, racks=3, oversubscription=3, servers=1, **LINK),
]
NODES = st.integers(-1, 6)
MESSAGES = st.tuples(NODES, NODES, st.integers(0, 10**6), st.sampled_from([0.0, 0.5]) | st.floats(0, 3))


@given(st.sampled_from(TOPOLOGIES), st.lists(MESSAGES.filter(lambda m: m[0] != m[1]), min_size=1, max_size=12))
def test_the_fast_sharing_engine_equals_the_reference_on_graphs(topology: object, messages: list) -> None:
    net = graph(topology, 7, mode="message")
    fast = durations(net.fluid(simpy.Environment()), messages)
    reference = FluidNetwork(simpy.Environment(), net.paths, MaxMinSharing(net.paths.capacity_bps.tolist()))
    assert fast == pytest.approx(durations(reference, messages), rel=1e-9)


def test_a_traced_edge_delivers_the_integral_of_its_rate(tmp_path: Path) -> None:
    # 8 Mbit/s in the first second of every two, 2 in the other: from 0.5 s on, 4 + 2 + 2 Mbit need 1.75 s
    topology = ring(2, latency_s=0, bps=1)
    del topology.edges[0, 1]["bps"]
    topology.edges[0, 1]["rate"] = Trace([0, 1], [8e6, 2e6], period_s=2)
    for mode in ("collapsed", "message"):
        net = graph(topology, 2, mode=mode)
        assert net.fabric.path_bps(0, 1) == 8e6 and len(net.fabric.rates) == 2
        timing = net.all_gather(range(2), np.full(2, 0.5), np.full(2, 1e6))
        assert timing.finish == pytest.approx([2.25, 2.25], rel=1e-9)
    # the same from a Mahimahi file: one packet in every millisecond is 12 Mbit/s
    file = tmp_path / "steady.trace"
    file.write_text("".join(f"{millisecond}\n" for millisecond in range(1, 11)), encoding="utf-8")
    topology.edges[0, 1]["rate"] = str(file)
    assert graph(topology, 2).fabric.path_bps(0, 1) == 12e6
    topology.edges[0, 1]["rate"] = "missing.trace"
    with pytest.raises(ValueError, match="edge 0 - 1: rate: expected a trace file, got missing.trace"):
        graph(topology, 2)


def test_jitter_delays_the_messages_of_a_graph_too() -> None:
    still, shaken, again = (graph(ring(5, **LINK), 5, jitter_s=jitter, seed=3) for jitter in (0, "5 ms", "5 ms"))
    call = (range(5), np.zeros(5), np.full(5, 1e5), lambda count: 1e5)
    assert (shaken.all_reduce(*call).finish > still.all_reduce(*call).finish).all()
    again.all_reduce(*call)
    assert (shaken.all_reduce(*call).finish == again.all_reduce(*call).finish).all()
    with pytest.raises(ValueError, match="network.jitter"):
        graph(ring(5, **LINK), 5, jitter_s=1, jitter="sometimes")


def test_the_number_of_workers_must_be_the_topologys() -> None:
    with pytest.raises(ValueError, match="network.workers: expected as many as the topology has, 5, got 4"):
        graph(ring(5, **LINK), 4)
    with pytest.raises(ValueError, match="network.ecmp_seed: expected a whole number"):
        graph(ring(5, **LINK), 5, ecmp_seed=-1)
    with pytest.raises(ValueError, match="this topology has no server"):
        graph(ring(5, **LINK), 5).fluid(simpy.Environment()).transfer(0, -1, 1)


def test_a_thousand_workers_are_no_burden() -> None:
    workers = np.arange(1000)
    for topology in (fat_tree(1000, servers=1, **LINK), racks(1000, racks=25, servers=1, **LINK)):
        began = time.process_time()
        fabric = graph(topology, 1000).fabric
        for ends in ((workers, np.roll(workers, 1)), (workers, -1), (-1, workers)):
            assert (fabric.path_bps(*ends) == 8e6).all()
        # 0.5 s and 0.1 s here; a search for each pair would take a minute
        assert time.process_time() - began < 8
