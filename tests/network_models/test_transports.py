"""Each transport's closed forms, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models import star
from network_models.transports import Ideal, Lv08, Quic, Tcp, transport
from network_models.transports.contract import UNUSED_S

COLD, WARM = np.array([np.inf]), np.array([0.0])


def stall(of: Tcp | Quic, size: float, latency: float, rate: float, idle: float = np.inf) -> float:
    return float(of.stall_s(np.array([size]), np.array([latency]), np.array([rate]), np.array([idle]))[0])


def ceiling(of: Tcp | Lv08 | Quic, latency: float, loss: float = 0.0) -> float:
    return float(of.ceiling_bps(np.array([latency]), np.array([loss]))[0])


# A frame of 100 bytes without headers, windows from 10 of them: 1000, 2000, 4000, ... bytes.
PLAIN = Tcp(frame_bytes=100, payload_bytes=100, window_bytes=None)


@pytest.mark.parametrize(
    ("size", "stalls"),
    [
        # RTT 1 s, 64 kbit/s: the path holds 8000 bytes, so rounds of 1000, 2000 and 4000 wait 7/8, 6/8 and 4/8 s.
        (1000, 0.0),  # one round and nothing left
        (1001, 0.875),
        (3000, 0.875),
        (3001, 0.875 + 0.75),
        (7001, 0.875 + 0.75 + 0.5),
        (10**9, 0.875 + 0.75 + 0.5),  # from 8000 on the path is full
    ],
)
def test_slow_start_by_hand(size: float, stalls: float) -> None:
    assert stall(PLAIN, size, 0.5, 64e3) == pytest.approx(1.0 + stalls, rel=1e-12)  # and 1 RTT of set-up
    assert stall(PLAIN, size, 0.5, 64e3, idle=0.3) == 0.0


@given(st.floats(1, 1e9), st.floats(0, 1), st.floats(1e3, 1e11))
def test_slow_start_equals_its_rounds_added_up(size: float, latency: float, rate: float) -> None:
    expected, window, left = 0.0, 1000.0, size
    while window * 8 < rate * 2 * latency and left > window * (1 + 1e-9):
        expected, left, window = expected + 2 * latency - 8 * window / rate, left - window, 2 * window
    assert stall(PLAIN, size, latency, rate) == pytest.approx(2 * latency + expected, rel=1e-6, abs=1e-9)


def test_an_idle_window_halves_every_timeout() -> None:
    # RTT 1 s: the timeout is 1.2 s, the open window 8000 bytes. 1.2 s of idleness leave 4000 bytes: a round that waits
    # 4/8 s; 2.4 s leave 2000; 3.6 s and more leave the initial 1000.
    waits = [stall(PLAIN, 1e6, 0.5, 64e3, idle) for idle in (1.19, 1.21, 2.41, 3.61, 1e6)]
    assert waits == pytest.approx([0, 0.5, 1.25, 2.125, 2.125])


def test_set_up_and_closing() -> None:
    assert stall(Tcp(), 10, 0.05, 1e9) == pytest.approx(0.1)
    assert stall(Tcp(setup_round_trips=2), 10, 0.05, 1e9) == pytest.approx(0.2)
    assert stall(Tcp(), 10, 0.05, 1e9, idle=1e4) == 0.0
    closing = Tcp(close_after_s="60 s")
    assert [stall(closing, 10, 0.05, 1e9, idle) for idle in (59.0, 61.0, UNUSED_S)] == pytest.approx([0, 0.1, 0])
    assert stall(Quic(), 10, 0.05, 1e9) == pytest.approx(0.1)
    assert stall(Quic(), 10, 0.05, 1e9, idle=61.0) == 0.0  # 0-RTT
    assert stall(Quic(), 1e6, 0.05, 1e9, idle=61.0) == pytest.approx(stall(Quic(), 1e6, 0.05, 1e9) - 0.1)
    slow_again = Tcp(frame_bytes=1514, payload_bytes=1437)
    assert stall(Quic(), 1e6, 0.05, 1e9) == pytest.approx(stall(slow_again, 1e6, 0.05, 1e9))


def test_a_path_without_limit_or_latency() -> None:
    # Nothing fills an unlimited path: 1e6 bytes need rounds of 1000 ... 512,000, all but the last one waiting 1 RTT.
    assert stall(PLAIN, 1e6, 0.5, np.inf) == pytest.approx(1.0 + 9.0)
    assert stall(PLAIN, 1e6, 0.0, 1e6) == stall(PLAIN, 1e6, 0.0, np.inf) == 0.0


def test_headers_and_window() -> None:
    assert Tcp().wire_bytes(np.array([1448.0]))[0] == pytest.approx(1502)
    assert Tcp(frame_bytes=1514).wire_bytes(np.array([1e6]))[0] == pytest.approx(1e6 * 1514 / 1448)
    assert ceiling(Tcp(window_bytes=65_536), 0.02) == pytest.approx(65_536 * 8 / 0.04)  # 13.1 Mbit/s at 40 ms
    assert ceiling(Tcp(window_bytes=None), 0.02) == ceiling(Tcp(), 0.0) == np.inf


def test_mathis_by_hand() -> None:
    # MSS / RTT * 0.87 / sqrt(p): 1502 bytes, 100 ms, 1 %: 15,020 B/s * sqrt(3 / 4) / 0.1 = 130.08 kB/s.
    assert ceiling(Tcp(loss_model="mathis"), 0.05, 0.01) == pytest.approx(8 * 15_020 * 0.75**0.5 / 0.1)
    every = ceiling(Tcp(loss_model="mathis", segments_per_ack=1), 0.05, 0.01)
    assert every == pytest.approx(8 * 1502 / 0.1 * 1.2247 / 0.1, rel=1e-4)


def test_pftk_by_hand() -> None:
    # RTT 0.1, T0 0.3, p 0.01, b 2: sqrt(0.04 / 3) = 0.115470, min(1, 3 sqrt(0.0075)) = 0.259808, 1 + 32e-4 = 1.0032;
    # 1 / (0.0115470 + 0.3 * 0.259808 * 0.01 * 1.0032) = 1 / 0.01232892 = 81.110 segments/s.
    assert ceiling(Tcp(), 0.05, 0.01) == pytest.approx(8 * 1502 * 81.110, rel=1e-4)
    assert ceiling(Tcp(), 0.05, 1e-8) == 3e6 * 8 / 0.1  # the window


def test_cubic_by_hand() -> None:
    # (0.4 * 3.7 / 1.2)^(1/4) = 1.05383; (0.1 / 1e-4)^0.75 = 177.828; 187.40 segments a round trip; Reno has 86.6.
    cubic = Tcp(loss_model="cubic", window_bytes=None)
    assert ceiling(cubic, 0.05, 1e-4) == pytest.approx(8 * 1502 * 187.40 / 0.1, rel=1e-4)
    # At 1 % and 2 ms Reno's 8.66 segments are more than CUBIC's 0.31.
    assert ceiling(cubic, 0.001, 0.01) == ceiling(Tcp(loss_model="mathis"), 0.001, 0.01)


@given(st.floats(1e-4, 1), st.floats(1e-6, 0.5), st.floats(1e-6, 0.5))
def test_loss_only_slows(latency: float, one: float, other: float) -> None:
    for model in ("pftk", "mathis", "cubic"):
        of = Tcp(loss_model=model)
        assert ceiling(of, latency, max(one, other)) <= ceiling(of, latency, min(one, other)) <= ceiling(of, latency)
    assert ceiling(Tcp(), latency, one) <= ceiling(Tcp(loss_model="mathis"), latency, one)


def test_lv08() -> None:
    of = Lv08()
    assert float(of.latency_s(np.array(0.001))) == pytest.approx(0.01301)
    assert float(of.capacity_bps(np.array(1e9))) == pytest.approx(0.97e9)
    assert ceiling(of, 0.1) == pytest.approx(4_194_304 * 8 / 0.2)  # of the path's latency, not 13 times it
    assert ceiling(of, 0.0) == ceiling(Lv08(gamma_bytes=None), 0.1) == np.inf
    net = star(2, 1e9, 1e9, 5e-4, transport="lv08")
    # 1e8 bytes at 0.97e9 bit/s after 13.01 ms: the ceiling of 16.8 Gbit/s at 1 ms does not bind.
    finish = net.gather([0], [0.0], [1e8])[0].finish
    assert finish[0] == pytest.approx(13.01 * 5e-4 + 8e8 / 0.97e9, rel=1e-12)


def test_names_mappings_objects() -> None:
    assert transport() == transport("ideal") == Ideal()
    assert transport("tcp") == Tcp() and transport("lv08") == Lv08() and transport("quic") == Quic()
    assert transport({"name": "tcp", "window_bytes": 65_536}) == Tcp(window_bytes=65_536)
    mine = Tcp(timeout_floor_s="1 s")
    assert transport(mine) is mine and mine.congestion.timeout_floor_s == 1.0
    assert star(2, 1e6, 1e6, 0.0, transport={"name": "quic"}).paths.transport == Quic()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("udp", r"network\.transport: expected one of ideal, tcp, lv08, quic, got 'udp'"),
        (3, r"network\.transport: expected one of ideal, .* got 3"),
        ({"window_bytes": 1}, r"network\.transport: expected one of .* got None"),
        ({"name": "tcp", "windw": 1}, r"network\.transport\.windw: expected one of frame_bytes, .* for tcp"),
        ({"name": "ideal", "mtu": 1}, r"network\.transport\.mtu: expected one of no key for ideal"),
        ({"name": "tcp", "window_bytes": 0}, r"transport\.window_bytes: expected a number above 0, got 0"),
        ({"name": "tcp", "frame_bytes": 1000}, r"frame_bytes: expected a number of at least 1448, got 1000"),
        ({"name": "tcp", "setup_round_trips": -1}, r"setup_round_trips: expected a number of at least 0, got -1"),
        ({"name": "tcp", "initial_segments": float("nan")}, r"initial_segments: expected a number above 0, got nan"),
        ({"name": "tcp", "payload_bytes": None}, r"payload_bytes: expected a number above 0, got None"),
        ({"name": "tcp", "loss_model": "bbr"}, r"loss_model: expected one of pftk, mathis, cubic, got 'bbr'"),
        ({"name": "tcp", "close_after_s": "soon"}, r"close_after_s: expected a duration"),
        ({"name": "quic", "window_bytes": True}, r"window_bytes: expected a number above 0, got True"),
        ({"name": "lv08", "gamma_bytes": -1}, r"gamma_bytes: expected a number above 0, got -1"),
    ],
)
def test_bad_settings(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        star(2, 1e6, 1e6, 0.0, transport=value)
