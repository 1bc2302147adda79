"""What overlap can and cannot gain, on random workers, links, buckets and protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network_models import star
from simulator.clock import ADDED, Clock
from simulator.compute import Fixed, LogNormal
from simulator.trace import Entry, Header

FAST = 1e15
INFINITE: dict[str, Any] = {"up_bps": float("inf"), "down_bps": float("inf"), "latency_s": 0.0}


@dataclass(frozen=True)
class Scenario:
    """Some rounds of bucketed exchanges."""

    workers: int
    links: dict[str, Any]
    speed: list[float]
    seconds_per_step: float
    buckets: list[tuple[float, int, int, str]]  # ready, bytes, bytes of encoding, protocol
    rounds: int = 2

    def clock(self, links: dict[str, Any] | None = None, seconds_per_step: float | None = None) -> Clock:
        step = self.seconds_per_step if seconds_per_step is None else seconds_per_step
        stragglers = LogNormal(0.5) if step else None
        compute = Fixed(workers=self.workers, seconds_per_step=step, memory_bytes_per_s=1e3, speed=self.speed,
                        stragglers=stragglers)  # fmt: skip
        return Clock(Header(self.workers, 1, 1.0), star(self.workers, **(links or self.links)), compute)

    def rounds_of(self, overlapped: bool) -> list[Entry]:
        """Write the rounds down; in sequence each exchange waits for the gradient and for the one before."""
        entries: list[Entry] = []
        for t in range(self.rounds):
            entries.append({"op": "gradient", "step": t})
            for i, (ready, size, encoded, protocol) in enumerate(self.buckets):
                said = [{"op": "work", "kind": "encode", "size": encoded}, *PROTOCOLS[protocol](size)]
                if overlapped:
                    said = [{"op": "fork", "name": f"{t}.{i}", "ready": ready}, *said, {"op": "end"}]
                entries += said
            entries += [{"op": "join", "name": f"{t}.{i}"} for i in range(len(self.buckets)) if overlapped]
            entries.append({"op": "mark", "round": t + 1})
        return entries


PROTOCOLS: dict[str, Any] = {
    "all_reduce": lambda size: [{"op": "all_reduce", "size": size}],
    "all_gather": lambda size: [{"op": "all_gather", "size": size}],
    "server": lambda size: [
        {"op": "gather", "size": size}, {"op": "at_server", "size": size}, {"op": "broadcast", "size": size}
    ],
    "two phases": lambda size: [{"op": "all_reduce", "size": 8}, {"op": "all_reduce", "size": size}],
}  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    n = draw(st.sampled_from([1, 2, 3, 5]))
    rates = st.lists(st.floats(1e3, 1e5), min_size=n, max_size=n)
    links = {
        "up_bps": draw(rates), "down_bps": draw(rates), "latency_s": draw(st.floats(0, 0.2)),
        "server_up_bps": FAST, "server_down_bps": FAST,
        "all_reduce": draw(st.sampled_from(["ring", "halving_doubling"])),
    }  # fmt: skip
    ready = [*sorted(draw(st.lists(st.floats(0.1, 1), max_size=3))), 1.0]  # the first layer is through last
    one = st.tuples(st.integers(1, 5000), st.integers(0, 500), st.sampled_from(sorted(PROTOCOLS)))
    speed = draw(st.lists(st.floats(0.5, 2), min_size=n, max_size=n))
    buckets = [(fraction, *draw(one)) for fraction in ready]
    return Scenario(n, links, speed, draw(st.floats(0.01, 3)), buckets)


def played(clock: Clock, entries: list[Entry]) -> Clock:
    for entry in entries:
        clock.play(entry)
    spent = clock.moment().spent
    np.testing.assert_allclose(sum(spent[kind] for kind in ADDED), clock.seconds, rtol=1e-9)
    assert all((values >= -1e-9).all() for values in spent.values())
    assert (spent["latency"] <= spent["uplink"] + spent["downlink"] + 1e-9).all()
    return clock


@settings(max_examples=60)
@given(scenarios())
def test_overlap_gains_at_most_the_shorter_of_the_two(scenario: Scenario) -> None:
    together = played(scenario.clock(), scenario.rounds_of(overlapped=True))
    apart = played(scenario.clock(), scenario.rounds_of(overlapped=False))
    alone = played(scenario.clock(seconds_per_step=0.0), scenario.rounds_of(overlapped=False))
    assert together.seconds <= apart.seconds * (1 + 1e-9)
    assert together.seconds >= together.spent["compute"].max() * (1 - 1e-9)
    assert together.seconds >= (alone.seconds - alone.spent["encode"].max()) * (1 - 1e-9)
    np.testing.assert_allclose(together.spent["compute"], apart.spent["compute"])
    np.testing.assert_allclose(together.spent["encode"], apart.spent["encode"])


@settings(max_examples=30)
@given(scenarios())
def test_on_an_infinite_network_computation_is_left(scenario: Scenario) -> None:
    free = [(ready, size, 0, "all_reduce") for ready, size, _, _ in scenario.buckets]
    plain = Scenario(scenario.workers, scenario.links, scenario.speed, scenario.seconds_per_step, free)
    together = played(plain.clock(INFINITE), plain.rounds_of(overlapped=True))
    apart = played(plain.clock(INFINITE), plain.rounds_of(overlapped=False))
    np.testing.assert_allclose(together.now, apart.now)
    slowest = sum(
        float(together.compute.gradient_seconds(np.arange(plain.workers), t, 1.0).max()) for t in range(plain.rounds)
    )
    np.testing.assert_allclose(together.seconds, slowest)


@settings(max_examples=30)
@given(scenarios())
def test_without_computation_there_is_nothing_to_hide_behind(scenario: Scenario) -> None:
    bare = [(ready, size, 0, protocol) for ready, size, _, protocol in scenario.buckets]
    still = Scenario(scenario.workers, scenario.links, scenario.speed, 0.0, bare)
    together = played(still.clock(), still.rounds_of(overlapped=True))
    apart = played(still.clock(), still.rounds_of(overlapped=False))
    np.testing.assert_allclose(together.now, apart.now)
    np.testing.assert_allclose(together.spent["hidden"], 0, atol=1e-9)


@settings(max_examples=60)
@given(
    st.floats(0, 10), st.integers(1, 10_000), st.integers(1, 20), st.floats(0, 1),
    st.sampled_from(["gather", "all_gather", "all_reduce"]),
)  # fmt: skip
def test_pieces_on_uniform_links(encode_s: float, size: int, pieces: int, latency_s: float, op: str) -> None:
    # encoding e, sending s, latency a: max(e, s) + min(e, s) / pieces + a, with a paid once
    scenario = Scenario(4, {}, [1.0] * 4, 0.0, [])
    links = {"up_bps": 1e4, "down_bps": 1e4, "latency_s": latency_s, "server_up_bps": FAST, "server_down_bps": FAST}
    clock = scenario.clock(links)
    work = {"op": "work", "kind": "encode", "size": encode_s * 1e3} | ({"pieces": pieces} if pieces > 1 else {})
    played(clock, [work, {"op": op, "size": size}])
    # over a server, whose own link has no latency; round a ring in 3 steps; in 6 steps of a quarter
    send_s, delay_s = {
        "gather": (8 * size / 1e4, latency_s),
        "all_gather": (3 * 8 * size / 1e4, 6 * latency_s),
        "all_reduce": (6 * 8 * size / 4e4, 12 * latency_s),
    }[op]
    expected = max(encode_s, send_s) + min(encode_s, send_s) / pieces + delay_s
    np.testing.assert_allclose(clock.now, expected, rtol=1e-9)


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_message_level_agrees(protocol: str) -> None:
    rng = np.random.default_rng(4)
    links = {
        "up_bps": rng.uniform(1e3, 1e4, 3).tolist(), "down_bps": rng.uniform(1e3, 1e4, 3).tolist(), "latency_s": 0.05
    }  # fmt: skip
    buckets = [(ready, size, 100, protocol) for ready, size in ((0.4, 900), (0.7, 2000), (1.0, 300))]
    scenario = Scenario(3, links, [1.0, 0.6, 1.7], 2.0, buckets)
    one, two = (
        played(scenario.clock(links | {"mode": mode}), scenario.rounds_of(overlapped=True))
        for mode in ("collapsed", "message")
    )
    np.testing.assert_allclose(one.now, two.now, rtol=1e-9)
    assert 0 < one.spent["hidden"].sum() < one.seconds * 3
