"""Schedules on topologies whose links several workers share: events of flows against the reference, and by hand."""

import numpy as np
import pytest

from network_models import Network, graph, star, topologies
from network_models.schedules.registry import SCHEDULES

SHAPES = {
    "racks": lambda: topologies.racks(6, "10 Mbit/s", "1 ms", racks=2, oversubscription=4),
    "ring": lambda: topologies.ring(6, "10 Mbit/s", "1 ms"),
    "torus": lambda: topologies.torus(6, "10 Mbit/s", "1 ms"),
    "fat_tree": lambda: topologies.fat_tree(6, "10 Mbit/s", "1 ms", k=4),
    "dumbbell": lambda: topologies.dumbbell(6, "10 Mbit/s", "1 ms", "15 Mbit/s", "5 ms"),
}
FIELDS = ("finish", "uplink", "downlink", "waiting", "latency", "queueing")
EVERY = [(collective, name) for collective, schedules in SCHEDULES.items() for name in schedules]


@pytest.mark.parametrize("shape", SHAPES)
def test_events_agree_with_the_reference(shape: str) -> None:
    rng = np.random.default_rng(1)
    start, sizes = rng.uniform(0.0, 0.2, 6), rng.integers(10**3, 10**5, 6).astype(float)
    edges = np.array([0, 1, 2, 3, 4]), np.array([1, 5, 0, 4, 3])
    for collective, name in EVERY:
        pair = []
        for mode in ("collapsed", "message"):
            net = graph(SHAPES[shape](), 6, mode=mode, group_size=3, **{collective: name})
            pair.append(net.collective(collective, None, start, sizes, lambda count: 1e5 + count, edges=edges))
        for field in FIELDS:
            fast, slow = (getattr(timing, field) for timing in pair)
            np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-9, err_msg=f"{collective} {name} {field}")


def hops(net: Network, size: float) -> float:
    return float(net.all_reduce(None, 0.0, np.full(net.workers, size)).finish.max())


def test_an_oversubscribed_uplink_is_shared_and_the_queue_shows_it() -> None:
    # Two racks of two; 8 Mbit/s links, uplinks of 16 / 4 = 4 Mbit/s, no latency. Pairwise all-to-all of 1 MB: step 1
    # (0>1 1>2 2>3 3>0): 1>2 and 3>0 cross one way each at 4 Mbit/s: 2 s; step 2 (r > r+2) all cross, two in each
    # direction at 2 Mbit/s: 4 s; step 3 (r > r+3) as step 1: 2 s. Alone each would have taken 1 or 2 s.
    net = graph(topologies.racks(4, "8 Mbit/s", 0, racks=2, oversubscription=4), 4, all_to_all="pairwise")
    timing = net.all_to_all(None, 0.0, np.full(4, 1e6))
    assert timing.finish == pytest.approx([8.0] * 4) and timing.queueing == pytest.approx([2.0] * 4)
    assert net.wire_bytes == 12e6
    up = [net.carried_bits[i] for i in range(len(net.carried_bits)) if "rack" in net.fabric.label(i).split(" -> ")[0]]
    assert max(up) == 8 * 4e6  # over each uplink: one, two and one messages


def test_racks_are_the_groups_of_a_hierarchy() -> None:
    # Two racks of two, 8 Mbit/s, uplinks as fast: 2 (1 s / 2) within and 2 (1 s / 4) across = 1.5 s.
    flat = graph(topologies.racks(4, "8 Mbit/s", 0, racks=2, oversubscription=1), 4, all_reduce="hierarchical")
    assert [group.tolist() for group in flat.schedules.groups(flat.fabric, np.arange(4))] == [[0, 1], [2, 3]]
    assert [group.tolist() for group in flat.schedules.groups(flat.fabric, np.array([3, 0, 1]))] == [[1, 2], [0]]
    assert hops(flat, 1e6) == pytest.approx(1.5)
    # Ten to one: an uplink of 1.6 Mbit/s carries both ranks' quarters, 2 Mbit each: 2 x 2.5 s; within 2 x 0.5 s.
    thin = graph(topologies.racks(4, "8 Mbit/s", 0, racks=2, oversubscription=10), 4, all_reduce="hierarchical")
    assert hops(thin, 1e6) == pytest.approx(1.0 + 2 * 2.5)
    # A plain ring in the order of the racks crosses with one quarter at a time: 1.25 s a step, 6 steps.
    ring = graph(topologies.racks(4, "8 Mbit/s", 0, racks=2, oversubscription=10), 4, all_reduce="ring")
    assert hops(ring, 1e6) == pytest.approx(6 * 1.25)


def test_auto_counts_what_links_carry() -> None:
    shape = topologies.racks(8, "8 Mbit/s", "1 ms", racks=2, oversubscription=10)
    took = {
        name: hops(graph(shape, 8, all_reduce=name), 1e6) for name in SCHEDULES["all_reduce"] if "sharded" not in name
    }
    assert hops(graph(shape, 8, all_reduce="auto"), 1e6) == pytest.approx(min(took.values()))


def test_sharded_servers_have_a_shard_each() -> None:
    # Two servers of 8 Mbit/s, four workers: each gets half a megabyte from each: 4 x 0.5 s up, as long down.
    shape = topologies.sharded_servers(4, 2, "8 Mbit/s", "8 Mbit/s", 0)
    assert hops(graph(shape, 4, all_reduce="sharded_server"), 1e6) == pytest.approx(4.0)


@pytest.mark.parametrize("schedule", ["binomial", "pipelined_chain"])
def test_a_broadcast_from_the_server_down_a_tree(schedule: str) -> None:
    # 8 bit/s, no latency: bytes are seconds. Server > 0, then (0 > 2 and server > 1), then 1 > 3 ... : with 3 workers
    # the tree has two levels; the chain in one piece has three hops.
    for mode in ("collapsed", "message"):
        net = star(3, 8, 8, 0.0, broadcast=schedule, segments=1, mode=mode)
        timing = net.broadcast(None, 0.0, 5.0, 2.0)
        assert timing.finish == pytest.approx([9.0, 9.0, 9.0] if schedule == "binomial" else [9.0, 11.0, 11.0])
        assert timing.waiting[0] == pytest.approx(5.0) and not timing.uplink.any()
