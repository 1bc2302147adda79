"""Traces on the edges of any topology, and under any transport: the engines agree there too."""

import networkx as nx
import numpy as np
import pytest

from network_models import Network, graph, star
from network_models.conditions import Trace, fading

FADE = fading("3 Mbit/s", sigma=0.7, correlation=0.5, length_s=60, step_s=0.5, seed=9)


def pair_of_racks(mode: str, **settings: object) -> Network:
    """Five workers in two racks, two servers behind the second; the uplink between them and three leaves vary."""
    topology = nx.Graph()
    topology.add_nodes_from(range(5), kind="worker")
    topology.add_nodes_from([-1, -2], kind="server")
    for worker in range(5):
        rate = {"rate": FADE.shifted(7.0 * worker)} if worker % 2 == 0 else {"bps": 2e6 + 3e5 * worker}
        topology.add_edge(worker, f"rack{worker // 3}", latency_s=0.001 * (worker + 1), **rate)
    topology.add_edge("rack0", "rack1", latency_s=0.004, rate=Trace([0, 0.4, 1.1], [4e6, 0.0, 2.5e6], 2.0))
    for server in (-1, -2):
        topology.add_edge(server, "rack1", latency_s=0.002, bps=5e6)
    return graph(topology, 5, mode=mode, **settings)


@pytest.mark.parametrize("transport", ["ideal", "tcp"])
@pytest.mark.parametrize("jitter_s", [0.0, 0.01])
def test_collapsed_equals_message_by_message(transport: str, jitter_s: float) -> None:
    settings = dict(transport=transport, jitter_s=jitter_s, jitter="uniform", seed=2)
    fast, slow = (pair_of_racks(mode, **settings) for mode in ("collapsed", "message"))
    start, sizes = np.array([0.3, 0.0, 0.9, 0.0, 0.1]), np.array([2e5, 1e5, 3e5, 5e4, 1e5])
    for call in (
        lambda net: net.gather(None, start, sizes)[0],
        lambda net: net.broadcast(None, start, 1.0, 1e5),
        lambda net: net.all_reduce(None, start, sizes, lambda count: 3e5),
        lambda net: net.all_gather([4, 0, 2], start[:3], sizes[:3]),
    ):
        for _ in range(2):
            got, expected = call(fast), call(slow)
            for name in ("finish", "uplink", "downlink", "waiting", "latency"):
                np.testing.assert_allclose(getattr(got, name), getattr(expected, name), rtol=1e-9, atol=1e-9)


def test_a_transport_takes_its_share_of_a_trace() -> None:
    # lv08 leaves 0.97 of every capacity, and multiplies the latency by 13.01
    trace = Trace([0, 1], [1e6, 2e6], 2.0)
    net = star(2, 1, 1, 0.0, "inf", "inf", up_trace=trace, transport="lv08")
    (finish, _) = net.gather([0, 1], 0.0, np.array([1e5, 2e5]))[0].finish
    assert finish == pytest.approx(8e5 / 0.97e6, rel=1e-12)
    assert net.paths.rates[0].steps is net.paths.rates[1].steps


def test_other_links_do_not_mind() -> None:
    net = pair_of_racks("collapsed")
    # 3 and 4 are in the second rack: 3's link is 2.9 Mbit/s, so 100 kB take 0.8e6 / 2.9e6 s, in two parts of 1.45 each
    (finish,) = net.gather([3], [0.0], [1e5])[0].finish
    assert finish == pytest.approx(0.006 + 8e5 / 2.9e6, rel=1e-12)
