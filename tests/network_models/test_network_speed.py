"""What events cost, counted; how long they take is measured by ``benchmarks/network.py``."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import simpy

from network_models import SERVER, FluidNetwork, star
from network_models.even import is_even
from network_models.sharing import hot_link
from network_models.sharing.hot_link import HotLink


class Counted(simpy.Environment):
    """A clock that counts its events."""

    steps = 0

    def step(self) -> None:
        self.steps += 1
        super().step()


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("workers", [100, 1000])
def test_events_of_pushes_into_the_server(workers: int, alike: bool) -> None:
    rng = np.random.default_rng(0)
    rates = np.full(workers, 1e7) if alike else rng.lognormal(np.log(1e7), 1.0, workers)
    latency = np.full(workers, 0.02) if alike else rng.uniform(0.01, 0.05, workers)
    env = Counted()
    network = star(workers, rates, rates, latency, "1 Gbit/s", "1 Gbit/s").fluid(env)
    for worker in range(workers):
        network.transfer(worker, SERVER, 1e5)
    env.run()
    assert network.received_bytes[SERVER] == 1e5 * workers
    # Each message: its latency, its delivery, and where they fall on instants of their own a wake-up for its beginning
    # and one for its end (else one for all); now and then one that a later beginning made pointless.
    low, high = (2 * workers + 2, 2 * workers + 4) if alike else (4 * workers, 4.2 * workers)
    assert low <= env.steps <= high


@pytest.mark.parametrize("count", [1, 7])
def test_heap_operations_of_a_hot_link_do_not_grow_with_its_flows(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        inner = getattr(hot_link, name)

        def call(*args: Any) -> Any:
            done[name] += 1
            return inner(*args)

        return call

    for name in ("heappush", "heappop"):
        monkeypatch.setattr(hot_link, name, counted(name))

    def operations(flows: int, events: int = 500) -> float:
        """For each event, once so many different groups are in flight: one ends, another starts."""
        rng = np.random.default_rng(0)
        bits, caps = rng.uniform(1e6, 1e7, flows + events).tolist(), rng.lognormal(14, 1.0, flows + events).tolist()
        link = HotLink(1e6 * flows * count)
        for flow in range(flows):
            link.add(0.0, flow, bits[flow], caps[flow], count)
        link.next_finish()
        done.clear()
        for flow in range(flows, flows + events):
            now = link.next_finish()
            assert len(link.pop()) == 1
            link.add(now, flow, bits[flow], caps[flow], count)
        return sum(done.values()) / (2 * events)

    assert operations(100) < 6 and operations(10_000) < 6  # each of them O(log n)


def test_what_all_do_alike_is_one_number_for_any_number_of_workers() -> None:
    workers = 100_000
    net, sizes = star(workers, 1e9, 1e9, 1e-4), np.broadcast_to(1e6, workers)
    up, server = net.gather(None, 0.0, sizes)
    for timing in (
        net.all_reduce(None, 0.0, sizes, lambda count: 1e6),
        up,
        net.broadcast(None, up.finish, server, 1e6),
    ):
        assert all(is_even(getattr(timing, name)) for name in ("finish", "uplink", "downlink", "waiting", "latency"))


def test_alike_messages_that_meet_share_one_answer_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FluidNetwork, "transfer", None)
    net, sizes = star(1000, 1e9, 1e9, 1e-4, all_to_all="direct"), np.broadcast_to(1e3, 1000)
    assert net.all_to_all(None, 0.0, sizes).finish == pytest.approx(2e-4 + 999 * 8e3 / 1e9, rel=1e-12)
