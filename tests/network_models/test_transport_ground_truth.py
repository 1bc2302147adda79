"""Transports against packet-level and measured figures, and the same in every engine."""

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import SERVER, Network, star

MODES = pytest.mark.parametrize("mode", ["collapsed", "message"])


def gathered(senders: int, size: float, rate: float, latency: float, **settings: object) -> float:
    net = star(senders, rate, rate, latency, server_latency_s=None, **settings)
    return net.gather(range(senders), np.zeros(senders), np.full(senders, size))[1]


def sent(net: Network, *messages: tuple[float, int, int, float]) -> list[float]:
    """Durations of messages given as start, source, destination, bytes."""
    env, ends = simpy.Environment(), [0.0] * len(messages)
    network = net.fluid(env)

    def send(number: int, start: float, source: int, destination: int, size: float):  # type: ignore[no-untyped-def]
        yield env.timeout(start)
        yield network.transfer(source, destination, size)
        ends[number] = env.now - start

    for number, message in enumerate(messages):
        env.process(send(number, *message))
    env.run()
    return ends


# ns-3 (shared figures): senders, bytes of each, bits/s, latency of each link, seconds, tolerance.
NS3 = [
    (1, 10e6, 1e9, 50e-6, 0.08350, 0.003),
    (4, 5e6, 1e9, 50e-6, 0.16628, 0.003),
    (8, 2e6, 1e9, 50e-6, 0.13309, 0.003),
    (4, 5e6, 1e8, 5e-3, 1.71981, 0.03),
]


@MODES
@pytest.mark.parametrize(("senders", "size", "rate", "latency", "seconds", "tolerance"), NS3)
def test_ns3(
    senders: int, size: float, rate: float, latency: float, seconds: float, tolerance: float, mode: str
) -> None:
    assert gathered(senders, size, rate, latency, transport="tcp", mode=mode) == pytest.approx(seconds, rel=tolerance)
    if latency < 1e-3:  # the same with frames as real Ethernet counts them
        real = {"name": "tcp", "frame_bytes": 1514}
        assert gathered(senders, size, rate, latency, transport=real, mode=mode) == pytest.approx(seconds, rel=0.02)


@pytest.mark.parametrize("latency", [0.005, 0.02])
def test_a_small_message_on_a_new_connection_takes_three_latencies(latency: float) -> None:
    # Measured at L = 5 ms: cold 16.4 ms, warm (raw incast) 7.6 ms, of which software and 10 kB are 1 to 2 ms.
    net = star(2, 1e8, 1e8, latency / 2, transport="tcp", server_latency_s=None)
    wire = 1e4 * 8 * 1502 / 1448 / 1e8
    first, again, back = sent(net, (0.0, 0, SERVER, 1e4), (0.1, 0, SERVER, 1e4), (0.2, SERVER, 0, 1e4))
    assert (first, again, back) == pytest.approx((3 * latency + wire, latency + wire, latency + wire))
    quic = star(2, 1e8, 1e8, latency / 2, transport="quic", server_latency_s=None)
    first, later = sent(quic, (0.0, 0, SERVER, 1e4), (100.0, 0, SERVER, 1e4))
    assert first - later == pytest.approx(2 * latency)


def test_the_way_back_is_open_but_in_slow_start() -> None:
    # RTT 40 ms at 100 Mbit/s: 500 kB fill the path. 100 kB: 103.7 kB of frames need windows of 15, 30, 60 kB.
    net = star(2, 1e8, 1e8, 0.01, transport="tcp", server_latency_s=None)
    wire, waits = 1e5 * 8 * 1502 / 1448 / 1e8, 2 * 0.04 - 8 * 3 * 15_020 / 1e8
    there, back = sent(net, (0.0, 0, SERVER, 1e5), (0.2, SERVER, 0, 1e5))
    assert there == pytest.approx(0.04 + 0.02 + waits + wire)
    assert back == pytest.approx(0.02 + waits + wire)


def test_a_message_behind_another_waits_for_its_connection_only() -> None:
    # 100 ms round trip. The second message is handed over 1 ms after the first, in the middle of the set-up: both flow
    # when the connection is open, at t = 150 ms, and share the link: 2 * 12.02 kB at 1 Mbit/s.
    net = star(2, 1e6, 1e6, 0.025, transport={"name": "tcp", "payload_bytes": 1502}, server_latency_s=None)
    one, other = sent(net, (0.0, 0, SERVER, 12_020), (0.001, 0, SERVER, 12_020))
    assert (one, other) == pytest.approx((0.15 + 2 * 0.09616, 0.149 + 2 * 0.09616))


@MODES
def test_idle_connections_start_again(mode: str) -> None:
    net = star(4, 1e8, 1e8, 0.01, transport={"name": "tcp", "frame_bytes": 1514}, server_latency_s=None, mode=mode)
    workers, sizes = np.arange(4), np.full(4, 1e6)
    times, now = [], 0.0
    for pause in (0.0, 0.01, 1.0, 0.01):
        end = net.gather(workers, np.full(4, now + pause), sizes)[1]
        times.append(end - now - pause)
        now = end
    cold, warm, idle, again = times
    assert (warm, again) == pytest.approx((0.02 + 4 * 8e6 * 1514 / 1448 / 1e8,) * 2)
    assert warm < idle < cold
    # After 1 s four timeouts of 240 ms have passed: 500 kB became 31.25 kB, and windows of 31, 62, 125 and 250 kB wait.
    assert idle - warm == pytest.approx(4 * 0.04 - 15 * 31_250 * 8 / 1e8)
    net.reset()
    assert net.gather(workers, np.zeros(4), sizes)[1] == pytest.approx(cold, rel=1e-12)


def test_a_ring_of_messages_pays_its_set_up_once() -> None:
    # 4 ranks, path 20 ms, 40 kB: 10 kB segments fit the initial window, so only the first step has 40 ms more.
    net = star(4, 1e8, 1e8, 0.01, transport="tcp", mode="message")
    wire = 1e4 * 8 * 1502 / 1448 / 1e8
    times = [net.all_reduce(range(4), np.full(4, now), np.full(4, 4e4), lambda count: 4e4).finish for now in (0.0, 0.3)]
    assert times[0] == pytest.approx(np.full(4, 0.04 + 6 * (0.02 + wire)))
    assert times[1] - 0.3 == pytest.approx(np.full(4, 6 * (0.02 + wire)))


def test_a_window_bounds_a_long_path() -> None:
    # 64 KiB a round trip of 100 ms: 5.24 Mbit/s of a gigabit link.
    net = star(1, 1e9, 1e9, 0.05, transport={"name": "tcp", "window_bytes": 65_536})
    size = 1e7 * 1448 / 1502
    assert sent(net, (0.0, 0, SERVER, size), (20.0, 0, SERVER, size))[1] == pytest.approx(
        0.05 + 8e7 / 5_242_880, rel=0.02
    )


@given(
    st.integers(1, 6),
    st.sampled_from(["tcp", "lv08", "quic"]),
    st.lists(st.floats(1e6, 1e9), min_size=6, max_size=6),
    st.lists(st.floats(0, 0.1), min_size=6, max_size=6),
    st.lists(st.integers(0, 10**7), min_size=6, max_size=6),
    st.floats(1e6, 1e9),
    st.floats(0, 3),
)
@settings(max_examples=50, deadline=None)
def test_collapsed_equals_message(
    workers: int,
    transport: str,
    rates: list[float],
    latencies: list[float],
    sizes: list[int],
    server: float,
    pause: float,
) -> None:
    nets = [
        star(
            workers,
            rates[:workers],
            rates[:workers],
            latencies[:workers],
            server,
            server,
            mode=mode,
            transport=transport,
        )
        for mode in ("collapsed", "message")
    ]
    start = np.linspace(0, 0.5, workers)
    finish = np.zeros((2, 3, workers))
    for row, net in zip(finish, nets, strict=True):
        timing, end = net.gather(range(workers), start, sizes[:workers])
        row[0] = timing.finish
        row[1] = net.broadcast(range(workers), timing.finish, end, 10**6).finish
        row[2] = net.gather(range(workers), row[1] + pause, sizes[:workers])[0].finish
    assert finish[0] == pytest.approx(finish[1], rel=1e-9)
