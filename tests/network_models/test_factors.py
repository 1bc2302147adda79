"""Factors on every rate and latency: by hand on traces and jitter, by scaling laws on every network of conf."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from network_models import Network, graph, star
from network_models.conditions import Trace, fading
from tests.network_models.test_network_configs import CONFIGS, build, hubs  # noqa: F401 - a fixture


def finish(net: Network) -> float:
    """When the last worker ends an all-reduce, a gather and a broadcast in a row."""
    first = net.all_reduce(range(5), 0.0, np.full(5, 1e5), lambda count: 1e5).finish
    _, server = net.gather(range(5), first, np.array([1e5, 2e5, 3e5, 4e5, 5e5]))
    return float(net.broadcast(range(5), first, server, 2e5).finish.max())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_twice_the_rates_and_half_the_latencies_are_half_the_time(path: Path) -> None:
    traced = {"up_trace": None, "down_trace": None, "up_bps": 8e6, "down_bps": 9e6} if path.stem == "lte_trace" else {}
    base = build(path, 5, **traced)
    fast = build(path, 5, rate_factor=2, latency_factor=0.5, **traced)
    assert finish(fast) == pytest.approx(finish(base) / 2, rel=1e-12)
    pairs = [(a, b) for a in range(-1, 5) for b in range(-1, 5) if a != b]
    assert [fast.fabric.route(*pair) for pair in pairs] == [base.fabric.route(*pair) for pair in pairs]


@pytest.mark.parametrize("transport", ["ideal", "tcp", "quic", "lv08"])
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_network_without_limits_takes_no_time(path: Path, transport: str) -> None:
    net = build(path, 5, rate_factor=float("inf"), latency_factor=0, transport=transport)
    assert finish(net) == pytest.approx(0.0, abs=1e-12)


def test_routes_are_those_without_latency_factor() -> None:
    # 0 - 1 takes 3 ms direct and 2 ms through the switch, which is the way also where neither takes any time
    shape = nx.Graph([(0, 1, {"bps": 8e3, "latency_s": 3e-3})])
    for worker in (0, 1):
        shape.add_node(worker, kind="worker")
        shape.add_edge(worker, "switch", bps=8e6, latency_s=1e-3)
    net = graph(shape, 2, latency_factor=0)
    assert net.fabric.walk(0, 1) == [0, "switch", 1]
    edges = (np.array([0]), np.array([1]))
    assert net.neighbours(None, 0.0, np.full(2, 1000.0), edges).finish.max() == pytest.approx(1e-3)


def test_traces_keep_their_times() -> None:
    # 8 bit/s for a second, then 2: three times as fast, 4 bytes take 1 s at 24 and 8 bits more at 6 bit/s
    trace = Trace([0.0, 1.0], [8.0, 2.0])
    net = star(1, 1e3, 1e3, 0.0, 1e3, 1e3, up_trace=trace, rate_factor=3)
    assert net.gather([0], 0.0, [4.0])[1] == pytest.approx(1 + 8 / 6, rel=1e-12)
    shape = nx.Graph([(0, -1, {"latency_s": 0.0, "rate": trace})])
    shape.add_node(0, kind="worker")
    shape.add_node(-1, kind="server")
    assert graph(shape, 1, rate_factor=3).gather([0], 0.0, [4.0])[1] == pytest.approx(1 + 8 / 6, rel=1e-12)
    assert graph(shape, 1, rate_factor=float("inf")).gather([0], 0.0, [4.0])[1] == 0


def test_jitter_is_a_latency_and_the_servers_link_a_link() -> None:
    settings = {"jitter_s": 0.1, "seed": 3, "server_latency_s": 1.0, "server_up_bps": 8.0, "server_down_bps": 8.0}
    once, twice = (star(1, 80.0, 80.0, 1.0, latency_factor=f, **settings).gather([0], 0.0, [1.0])[1] for f in (1, 2))
    assert 3.0 < once and twice - 1 == pytest.approx(2 * (once - 1), rel=1e-12)
    assert star(1, 80.0, 80.0, 0.0, None, 8.0, rate_factor=4).gather([0], 0.0, [1.0])[1] == pytest.approx(0.25)


@pytest.mark.parametrize("key", ["rate_factor", "latency_factor"])
@pytest.mark.parametrize("bad", [-1, float("nan"), "fast", True])
def test_bad_factors_are_named(key: str, bad: object) -> None:
    with pytest.raises(ValueError, match=f"network.{key}: expected a number .*got {bad!r}"):
        star(2, 1e6, 1e6, 0.0, **{key: bad})


def test_fading_links_without_limits() -> None:
    up = fading("8 Mbit/s", seed=1)
    net = star(2, float("inf"), float("inf"), 0.5, up_trace=up, trace_offset_s="spread", rate_factor=float("inf"))
    assert net.gather(range(2), 0.0, [1e9, 1e9])[1] == 0.5
