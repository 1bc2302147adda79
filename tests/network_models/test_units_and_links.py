"""Settings in words become numbers, and bad ones are refused by name."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from network_models import rate_bps, seconds, star


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100 Mbit/s", 1e8),
        ("1.5 Gbit/s", 1.5e9),
        ("10kbit/s", 1e4),
        ("10 Kbps", 1e4),
        ("2 Mb/s", 2e6),
        ("3 MB/s", 24e6),
        ("1 GBps", 8e9),
        ("5 kbyte/s", 40e3),
        ("64 bit/s", 64.0),
        ("1 B/s", 8.0),
        ("1e9", 1e9),
        ("inf", math.inf),
        (7, 7.0),
        (np.float32(0.5), 0.5),
        (math.inf, math.inf),
    ],
)
def test_rates(text: object, rate: float) -> None:
    assert rate_bps(text) == rate


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("40 ms", 0.04),
        ("10 us", 1e-5),
        ("10 \u00b5s", 1e-5),
        ("3ns", 3e-9),
        ("2 s", 2.0),
        ("2 min", 120.0),
        ("1 h", 3600.0),
        ("0.25", 0.25),
        (0, 0.0),
    ],
)
def test_durations(text: object, duration: float) -> None:
    assert seconds(text) == duration


@pytest.mark.parametrize(
    "bad", [0, -3, "0 Mbit/s", "-1 Gbit/s", "fast", "100 mbit/s", "1 Mbit", "5 ms", "", None, True, math.nan, [1.0]]
)
def test_bad_rates_name_the_key(bad: object) -> None:
    with pytest.raises(ValueError, match=r"network\.up_bps: expected a positive rate in bits/s .* got "):
        rate_bps(bad, "network.up_bps")


@pytest.mark.parametrize("bad", [-1, "-2 ms", "soon", "5 Mbit/s", "1 S", None, False, math.inf, math.nan, "inf"])
def test_bad_durations_name_the_key(bad: object) -> None:
    with pytest.raises(ValueError, match=r"latency_s: expected a duration >= 0 in seconds .* got "):
        seconds(bad, "latency_s")


def test_the_message_is_exact() -> None:
    with pytest.raises(ValueError) as raised:
        star(2, -3, 1e6, 0)
    assert str(raised.value) == (
        "network.up_bps: expected a positive rate in bits/s (such as 1e8 or '100 Mbit/s'), got -3"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(workers=0), "network.workers: expected a whole number of at least 1, got 0"),
        (dict(workers=2.0), "network.workers: .* got 2.0"),
        (dict(workers=True), "network.workers: .* got True"),
        (dict(up_bps=[1e6, 1e6]), r"network.up_bps: expected one value or 3 of them \(one for each worker\), got 2"),
        (dict(down_bps=["1 Mbit/s", "x", 1]), r"network.down_bps\[1\]: expected a positive rate .* got 'x'"),
        (dict(latency_s=[0, 0, "-1 ms"]), r"network.latency_s\[2\]: expected a duration .* got '-1 ms'"),
        (dict(server_up_bps=0), "network.server_up_bps: .* got 0"),
        (dict(server_down_bps="no"), "network.server_down_bps: .* got 'no'"),
        (dict(server_latency_s=-1), "network.server_latency_s: .* got -1"),
        (
            dict(all_reduce="tree"),
            "network.all_reduce: expected one of ring, halving_doubling, .*, server, auto, got 'tree'",
        ),
        (dict(all_gather="star"), "network.all_gather: expected one of ring, bruck, recursive_doubling, got 'star'"),
        (dict(segments=0), "network.segments: expected a whole number of at least 1, got 0"),
        (dict(group_size=1.5), "network.group_size: expected a whole number of at least 1, got 1.5"),
        (dict(all_reduce="hierarchical"), "network.group_size: expected a number"),
        (dict(profile="mpi"), "network.profile: expected one of ideal.*, got 'mpi'"),
        (dict(mode="packet"), "network.mode: expected one of collapsed, message, got 'packet'"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        star(**{"workers": 3, "up_bps": 1e6, "down_bps": 1e6, "latency_s": 0.0, **settings})  # type: ignore[arg-type]


def test_values_by_worker_and_the_server_from_the_largest() -> None:
    net = star(3, ["1 Mbit/s", 2e6, "3 Mbit/s"], (4e6, 5e6, 6e6), np.array([0.1, 0.2, 0.3]))
    assert net.fabric.up_bps.tolist() == [1e6, 2e6, 3e6, 3e6]
    assert net.fabric.down_bps.tolist() == [4e6, 5e6, 6e6, 6e6]
    assert net.fabric.latency_s.tolist() == [0.1, 0.2, 0.3, 0.0]
    assert star(2, 1e6, 1e6, [0.1, 0.2], server_latency_s=None).fabric.latency_s.tolist() == [0.1, 0.2, 0.2]
    assert net.workers == 3


def test_any_sequence_will_do() -> None:
    class Listed(Sequence):  # as configuration libraries have their own list types
        def __init__(self, *items: object) -> None:
            self.items = items

        def __getitem__(self, index):  # type: ignore[no-untyped-def]
            return self.items[index]

        def __len__(self) -> int:
            return len(self.items)

    assert star(2, Listed("1 Mbit/s", 5e5), 1e6, 0).fabric.up_bps.tolist() == [1e6, 5e5, 1e6]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (dict(workers=[0, 3]), r"workers: expected numbers in 0\.\.2, got 3"),
        (dict(workers=[-1, 0]), r"workers: expected numbers in 0\.\.2, got -1"),
        (dict(workers=[1, 1]), "workers: expected different numbers"),
        (dict(workers=[]), "workers: expected a vector of at least one"),
        (dict(workers=[0.0, 1.0]), "workers: expected a vector of at least one worker number"),
        (dict(start=[0.0]), r"start: expected shape \(2,\), one value for each participant, got \(1,\)"),
        (dict(start=[0.0, np.nan]), "start: expected finite values, got nan"),
        (dict(sizes_bytes=[1, -1]), "sizes_bytes: expected finite values of at least 0, got -1"),
        (dict(sizes_bytes=3), r"sizes_bytes: expected shape \(2,\)"),
    ],
)
def test_bad_calls(call: dict[str, object], message: str) -> None:
    net = star(3, 1e6, 1e6, 0.0)
    arguments = {"workers": [0, 1], "start": [0.0, 0.0], "sizes_bytes": [1, 1], **call}
    for collective in (net.gather, net.all_gather):
        with pytest.raises(ValueError, match=message):
            collective(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size_bytes: expected a finite number of at least 0, got -1"):
        net.broadcast([0], [0.0], 0.0, -1)
    with pytest.raises(ValueError, match="server_start: expected a finite number"):
        net.broadcast([0], [0.0], math.inf, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (dict(edges=([0], [0])), "edges: expected two different ranks at the ends of each, got one that is both"),
        (dict(edges=([0], [2])), r"edges: expected ranks in 0\.\.1, got 0 to 2"),
        (dict(edges=([0, 1], [1])), r"edges: expected two vectors of one length, got \(2,\) and \(1,\)"),
        (dict(edges=([0.5], [1])), "edges: expected numbers of ranks, got float64 and int64"),
        (dict(root=2), r"root: expected a rank in 0\.\.1, got 2"),
        (dict(merged=lambda count: float("nan")), "merged: expected finite bytes"),
        (dict(merged=lambda count: float("nan"), sizes_bytes=[1.0, 2.0]), "merged: expected finite bytes"),
    ],
)
def test_bad_calls_of_any_collective(call: dict[str, object], message: str) -> None:
    net = star(3, 1e6, 1e6, 0.0, neighbours="direct")
    name = "neighbours" if "edges" in call else "all_reduce"
    with pytest.raises(ValueError, match=message):
        net.collective(name, **{"workers": [0, 1], "start": 0.0, "sizes_bytes": [1.0, 1.0], **call})  # type: ignore[arg-type]
