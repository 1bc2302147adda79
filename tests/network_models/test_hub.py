"""Gather and broadcast on any fabric: many servers, shared trunks, capacities that differ; formulas against flows."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from network_models import Network, graph, topologies
from network_models.engines.shape import hub_shape
from network_models.fabric import Floats, Integers

Way = tuple[int, ...]


class Wired:
    """A fabric that says what its routes are: worker w's own links, a trunk (or none), the servers' own links.

    Resources: 0..n-1 up, n..2n-1 down, then each server's way in and way out, then the trunk of both directions.
    """

    def __init__(
        self,
        workers: Sequence[float],
        servers: Sequence[float],
        latency: float | Sequence[float] = 0.0,
        trunk: float = 0.0,
        on_trunk: Sequence[int] | None = None,
    ) -> None:
        self.workers, self.servers, self.rates = len(workers), len(servers), {}
        self.capacity_bps = np.array([*workers, *workers, *servers, *servers, trunk])
        self._latency = np.broadcast_to(np.asarray(latency, dtype=float), self.servers)
        self._on_trunk = set(range(self.workers) if on_trunk is None else on_trunk) if trunk else set()

    def route(self, source: int, destination: int) -> Way:
        n, s = self.workers, self.servers
        trunk = (2 * n + 2 * s,) if (source if source >= 0 else destination) in self._on_trunk else ()
        if destination < 0:
            return (source, *trunk, 2 * n - 1 - destination)
        assert source < 0
        return (2 * n + s - 1 - source, *trunk, n + destination)

    def path_latency_s(self, source: Integers | int, destination: Integers | int) -> Floats:
        return self._latency[-1 - np.minimum(source, destination)]

    def path_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        return np.vectorize(lambda *pair: self.capacity_bps[list(self.route(*pair))].min())(source, destination)

    def path_loss(self, source: Integers | int, destination: Integers | int) -> Floats:
        return np.zeros(np.broadcast_shapes(np.shape(source), np.shape(destination)))

    def alike(self, workers: Integers) -> bool:
        return False

    def label(self, resource: int) -> str:
        return f"link {resource}"


def both(fabric: Wired, **settings: object) -> tuple[Network, Network]:
    return Network(fabric, mode="collapsed", **settings), Network(fabric, mode="message", **settings)  # type: ignore[arg-type]


def simple(fabric: Wired, workers: Sequence[int], to_servers: bool = True) -> bool:
    return hub_shape(Network(fabric).paths, np.array(workers), to_servers) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["collapsed", "message"])
def test_two_servers_by_hand(mode: str) -> None:
    # Workers of 8 and 1 bit/s, servers of 4 bit/s each, 1 s of latency, 2 bytes: 8 bits to each server. A server gives
    # the slow worker's part 1/2 (half its link), the fast one's 3.5: 8 / 3.5 s, then the slow one is alone.
    net = Network(Wired([8, 1], [4, 4], 1.0), mode=mode)  # type: ignore[arg-type]
    timing, end = net.gather([0, 1], [0.0, 0.0], [2, 2])
    assert timing.finish == pytest.approx([1 + 8 / 3.5, 1 + 16]) and end == pytest.approx(17)
    assert timing.latency.tolist() == [1, 1]
    # Back, 1 byte, 4 bits from each: the fast worker takes 3.5 bit/s of each server, the slow one 1/2.
    assert net.broadcast([0, 1], [0.0, 0.0], 0.0, 1).finish == pytest.approx([1 + 4 / 3.5, 1 + 8])


@pytest.mark.parametrize("mode", ["collapsed", "message"])
def test_a_trunk_by_hand(mode: str) -> None:
    # Three workers of 8 bit/s, a server of 8; workers 0 and 1 share a trunk of 2 bit/s: 1 each, the third takes 6.
    fabric = Wired([8, 8, 8], [8], trunk=2, on_trunk=[0, 1])
    net = Network(fabric, mode=mode)  # type: ignore[arg-type]
    timing, _ = net.gather([0, 1, 2], np.zeros(3), [3, 3, 3])
    assert timing.finish == pytest.approx([24, 24, 4])


def test_what_is_simple() -> None:
    assert simple(Wired([1, 2, 3], [4]), [0, 1, 2]) and simple(Wired([1, 2, 3], [4, 4]), [0, 2])
    assert simple(Wired([1, 2], [4, 4]), [0, 1], to_servers=False)
    assert simple(Wired([8, 8], [8], trunk=2), [0, 1])  # all are on it: one more common link
    assert not simple(Wired([8, 8, 8], [8], trunk=2, on_trunk=[0, 1]), [0, 1, 2])
    assert simple(Wired([8, 8, 8], [8], trunk=2, on_trunk=[0, 1]), [1, 2])  # only one is on it: its own
    assert not simple(Wired([1, 1], [4, 5]), [0, 1]) and not simple(Wired([1, 1], [4, 4], [0.0, 0.1]), [0, 1])
    assert simple(Wired([5.0], [4, 4]), [0])


RATES = st.sampled_from([1e6, 4e6]) | st.floats(1e5, 1e8)


@st.composite
def fabrics(draw: st.DrawFn) -> Wired:
    n, s = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    workers = draw(st.lists(RATES, min_size=n, max_size=n))
    alike = draw(st.booleans())
    servers = [draw(RATES)] * s if alike else draw(st.lists(RATES, min_size=s, max_size=s))
    latency = draw(st.sampled_from([0.0, 0.01])) if alike else draw(st.lists(st.floats(0, 0.1), min_size=s, max_size=s))
    trunk = draw(st.sampled_from([0.0]) | RATES)
    return Wired(workers, servers, latency, trunk, draw(st.none() | st.lists(st.integers(0, n - 1))))


@given(fabrics(), st.sampled_from(["ideal", "tcp"]), st.data())
@hypothesis_settings(max_examples=80, deadline=None)
def test_formulas_equal_flows(fabric: Wired, transport: str, data: st.DataObject) -> None:
    n = fabric.workers
    sizes = data.draw(st.lists(st.integers(0, 10**6), min_size=n, max_size=n))
    start = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.5]) | st.floats(0, 3), min_size=n, max_size=n)))
    fast, slow = both(fabric, transport=transport)
    (quick, end), (exact, reference) = (net.gather(range(n), start, sizes) for net in (fast, slow))
    assert end == pytest.approx(reference, rel=1e-9)
    for name in ("finish", "uplink", "waiting", "latency"):
        np.testing.assert_allclose(getattr(quick, name), getattr(exact, name), rtol=1e-9, atol=1e-9, err_msg=name)
    back = [net.broadcast(range(n), quick.finish, end + 0.1, 10**5).finish for net in (fast, slow)]
    np.testing.assert_allclose(*back, rtol=1e-9)


@pytest.mark.parametrize("settings", [{}, {"mode": "message"}, {"profile": "gloo"}])
def test_a_fabric_without_servers_is_refused(settings: dict[str, str]) -> None:
    net = Network(Wired([1.0], []), **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="gather and broadcast need a server, and this topology has no server"):
        net.gather([0], [0.0], [1])
    with pytest.raises(ValueError, match="this topology has no server"):
        net.broadcast([0], [0.0], 0.0, 1)


@pytest.mark.parametrize("transport", ["ideal", "tcp"])
def test_real_topologies(transport: str) -> None:
    shards = topologies.sharded_servers(6, 4, 1e8, [1e8, 2e7, 1e8, 5e7, 1e8, 1e8], 1e-3, server_latency_s=2e-3)
    racks = topologies.racks(6, 1e8, 1e-3, racks=2, oversubscription=10, servers=1)
    for topology, is_simple in ((shards, True), (racks, False)):
        nets = [graph(topology, 6, transport=transport, mode=mode) for mode in ("collapsed", "message")]
        assert (hub_shape(nets[0].paths, np.arange(6), True) is not None) == is_simple
        start, sizes = np.linspace(0, 0.1, 6), np.full(6, 2e6)
        ends = [net.gather(range(6), start, sizes)[0].finish for net in nets]
        assert ends[0] == pytest.approx(ends[1], rel=1e-9)
        backs = [net.broadcast(range(6), start, 1.0, 1e6).finish for net in nets]
        assert backs[0] == pytest.approx(backs[1], rel=1e-9)
