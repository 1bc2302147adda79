"""What contention cost each worker, and what passed each link: by hand, and against real messages."""

from __future__ import annotations

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from network_models import SERVER, Network, Timing, star

FAST = 1e15


def pair(**network: float) -> Network:
    """Two workers of 1000 bit/s and 0.1 s."""
    return star(2, 1000, 1000, 0.1, **{"server_up_bps": FAST, "server_down_bps": FAST, **network})


def test_a_gather_on_a_server_that_never_limits_has_no_queue() -> None:
    timing, _ = pair().gather([0, 1], [0.0, 5.0], [125.0, 250.0])
    assert timing.queueing.tolist() == [0, 0] and timing.uplink == pytest.approx([1.1, 2.1])


def test_two_uploads_share_the_servers_link() -> None:
    # 1000 and 3000 bits from 0.1 s on, 1000 bit/s for both: half each until 2.1 s, when the first is through; the
    # other then has 2000 bits left and all of the link: 4.1 s. Alone: 1.1 s and 3.1 s. Each lost one second.
    timing, _ = pair(server_down_bps=1000).gather([0, 1], [0.0, 0.0], [125.0, 375.0])
    assert timing.finish == pytest.approx([2.1, 4.1])
    assert timing.queueing == pytest.approx([1.0, 1.0])


def test_two_downloads_share_the_servers_link_and_a_late_worker_is_billed_what_is_left() -> None:
    # 1000 bits to each from 10.1 s on, 1000 bit/s for both: 12.1 s instead of 11.1 s. Worker 1 looks at 11.6 s: of its
    # half a second all is queueing.
    timing = pair(server_up_bps=1000).broadcast([0, 1], [0.0, 11.6], 10.0, 125.0)
    assert timing.downlink == pytest.approx([2.1, 0.5]) and timing.queueing == pytest.approx([1.0, 0.5])
    assert timing.waiting == pytest.approx([10.0, 0.0])


def test_joined_collectives_add_their_queues_and_nothing_has_none() -> None:
    one = Timing(*np.ones((5, 3)), queueing=np.full(3, 0.25))
    assert one.then(one).queueing.tolist() == [0.5] * 3
    assert Timing.nothing(np.zeros(2)).queueing.tolist() == [0, 0]
    assert Timing(*np.ones((5, 3))).queueing.tolist() == [0, 0, 0]  # a schedule without contention need not say so


def test_a_message_that_stands_behind_another_on_its_channel_queues() -> None:
    # Two messages of 1000 bits handed over together share worker 0's uplink: both take 2.1 s, alone 1.1 s.
    env = simpy.Environment()
    network = pair().fluid(env)
    sent = [network.transfer(0, SERVER, 125), network.transfer(0, SERVER, 125)]
    env.run(until=env.all_of(sent))
    assert [event.value.alone_s for event in sent] == pytest.approx([1.1, 1.1])
    assert [event.value.queueing_s for event in sent] == pytest.approx([1.0, 1.0])
    alone = network.transfer(1, SERVER, 125)
    env.run(until=alone)
    assert alone.value.queueing_s == 0


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.floats(100, 5000), min_size=n, max_size=n),
            st.lists(st.floats(0, 3), min_size=n, max_size=n),
            st.lists(st.floats(1, 1000), min_size=n, max_size=n),
        )
    ),
    st.floats(100, 5000),
    st.sampled_from(["ring", "halving_doubling", "server"]),
)
def test_formulas_and_messages_agree_on_queues_and_bits(
    drawn: tuple[int, list[float], list[float], list[float]], server_bps: float, schedule: str
) -> None:
    n, rates, start, sizes = drawn
    networks = [
        star(n, rates, rates[::-1], 0.05, server_up_bps=server_bps, server_down_bps=server_bps, mode=mode,
             all_reduce=schedule)
        for mode in ("collapsed", "message")
    ]  # fmt: skip
    queues, bits = [], []
    for network in networks:
        carried = np.zeros_like(network.carried_bits)
        timings = []
        for call in (
            lambda network=network: network.gather(range(n), start, sizes)[0],
            lambda network=network: network.broadcast(range(n), start, 1.0, sizes[0]),
            lambda network=network: network.all_reduce(range(n), start, sizes, lambda count: 100.0 + count),
            lambda network=network: network.all_gather(range(n), start, sizes),
        ):
            timings.append(call())
            if schedule != "server" and network is networks[1]:  # it makes two networks, of which only one is kept
                carried += network._player._reference.network.carried_bits
        queues.append([timing.queueing for timing in timings])
        bits.append(network.carried_bits)
        if schedule != "server" and network is networks[1]:
            np.testing.assert_allclose(carried, network.carried_bits)
        for timing in timings:
            assert (timing.queueing <= timing.uplink + timing.downlink + 1e-9).all() and (timing.queueing >= 0).all()
    np.testing.assert_allclose(queues[0], queues[1], atol=1e-7)
    np.testing.assert_array_equal(bits[0], bits[1])


def test_carried_bits_by_hand_and_since_reset() -> None:
    # Resources of two workers and the server: ups 0, 1, 2, downs 3, 4, 5.
    network = pair()
    workers, ready = np.arange(2), np.zeros(2)
    for _ in range(3):
        network.gather(workers, ready, np.array([1.0, 2.0]))  # 8 and 16 bits
    assert network.carried_bits.tolist() == [24, 48, 0, 0, 0, 72]
    network.broadcast(workers, ready, 0.0, 10.0)  # 80 bits to each
    network.all_gather(workers, ready, np.array([3.0, 4.0]))  # each passes its own on, once
    assert network.carried_bits.tolist() == [24 + 24, 48 + 32, 160, 80 + 32, 80 + 24, 72]
    # a ring all-reduce of 2: two steps, half a payload each (10 bytes of its own, then 12 of the sum)
    network.all_reduce(workers, ready, np.full(2, 10.0), lambda count: 12.0)
    assert network.carried_bits[:2].tolist() == [48 + 40 + 48, 80 + 40 + 48]
    network.reset()
    assert network.carried_bits.tolist() == [0] * 6


def test_many_different_sets_of_participants_are_all_counted() -> None:
    network = pair()
    for round_ in range(100):
        network.gather(np.array([round_ % 2]), np.zeros(1), np.array([1.0]))
    assert network.carried_bits.tolist() == [400, 400, 0, 0, 0, 800]
