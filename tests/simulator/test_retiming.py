"""Many networks at once: equal to the event-driven replay of each, for every algorithm, topology and transport."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig

import conf
from network_models import Network
from network_models.star import star
from simulator.building import conditions
from simulator.compute import Compute
from simulator.config import register
from simulator.drivers.replay import retimed
from simulator.moment import Moment
from simulator.retiming import retimed_many
from simulator.rounds import read_rounds
from simulator.trace import read_header
from tests.running import run

CONF = Path(conf.__file__).parent
ALGORITHMS = sorted(path.stem for path in CONF.joinpath("algorithm").glob("*.yaml"))
WORKERS = ["workers=6", "rounds=5", "eval_every=2"]
TOPOLOGIES = sorted(path.stem for path in CONF.joinpath("network").glob("*.yaml") if path.stem != "from_file")
TRANSPORTS = ["ideal", "tcp", "quic", "lv08"]
CONDITIONS = [
    ["network.server_up_bps=2e6", "network.server_down_bps=1e6"],
    ["network.all_reduce=server"],
    ["network.all_reduce=auto"],
    ["network.all_reduce=halving_doubling", "network.all_gather=ring"],
    ["network.profile=gloo"],
    ["network.jitter_s=1 ms"],
    ["stragglers=lognormal"],
    ["stragglers=pareto", "network=mixed_access"],
    ["compute.speed=[1,2,1,0.5,1,3]"],
]


@cache
def there(*overrides: str) -> tuple[Network, Compute]:
    register()
    with initialize_config_module("conf", version_base="1.3"):
        config: DictConfig = compose("config", overrides=[*WORKERS, *overrides])
    return conditions(config)


def assert_same(path: Path, pairs: list[tuple[Network, Compute]], marks: set[int]) -> None:
    networks, computes = [network for network, _ in pairs], [compute for _, compute in pairs]
    many = retimed_many(path, networks, computes, marks)
    for network, compute, found in zip(networks, computes, many, strict=True):
        expected = retimed(path, network, compute, marks)
        assert [t for t, _ in found] == [t for t, _ in expected] == sorted(marks)
        for (_, one), (_, other) in zip(expected, found, strict=True):
            assert_moment(one, other)


def assert_moment(expected: Moment, found: Moment) -> None:
    within = 1e-12 * expected.seconds
    assert found.seconds == pytest.approx(expected.seconds, abs=within)
    np.testing.assert_allclose(found.carried_bits, expected.carried_bits, rtol=1e-12)
    for kind, values in expected.spent.items():
        np.testing.assert_allclose(found.spent[kind], values, rtol=0, atol=within, err_msg=kind)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_on_every_topology_and_transport(tmp_path: Path, algorithm: str) -> None:
    run(tmp_path / "run", f"algorithm={algorithm}", *WORKERS)
    trace = tmp_path / "run" / "trace.jsonl"
    if read_header(trace).racy is not None:
        pytest.skip("time decides what it does: it is run anew for every network")
    pairs = [there(f"network.up_bps={rate}", f"network.transport={of}") for of in TRANSPORTS for rate in (1e6, 1e8)]
    pairs += [there(f"network={name}") for name in TOPOLOGIES] + [there("stragglers=lognormal")]
    assert_same(trace, pairs, {2, 4, 5})


@pytest.fixture(scope="module", params=["sgd", "topk", "sgd_allreduce", "local_sgd", "sketched_sgd"])
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    run(folder, f"algorithm={request.param}", *WORKERS)
    return folder / "trace.jsonl"


def test_every_condition(trace: Path) -> None:
    assert_same(trace, [there(*overrides) for overrides in CONDITIONS], {2, 4, 5})


def test_partial_participation_and_unequal_workers(tmp_path: Path) -> None:
    run(tmp_path / "run", "algorithm=fedavg", "participation=0.5", *WORKERS)
    pairs = [there("network=mixed_access"), there("compute.speed=[1,2,1,0.5,1,3]"), there("stragglers=pareto")]
    assert_same(tmp_path / "run" / "trace.jsonl", [*pairs, there()], {2, 4, 5})


def test_overlap_is_played_one_by_one(tmp_path: Path) -> None:
    run(tmp_path / "run", "algorithm=ddp_sgd", *WORKERS)
    assert_same(tmp_path / "run" / "trace.jsonl", [there(), there("network=lte")], {2, 4, 5})


rate = st.floats(1e5, 1e9)


@settings(max_examples=40)
@given(
    up=st.lists(rate, min_size=6, max_size=6),
    hot=st.lists(rate, min_size=2, max_size=2),
    latency=st.floats(0, 0.2),
    sigma=st.sampled_from([None, 0.1, 1.5]),
    alike=st.booleans(),
)
def test_any_stars_side_by_side(
    trace: Path, up: list[float], hot: list[float], latency: float, sigma: float | None, alike: bool
) -> None:
    stragglers = ["stragglers=none"] if sigma is None else ["stragglers=lognormal", f"stragglers.sigma={sigma}"]
    _, compute = there(*stragglers)
    stars = [
        star(6, up[0] if alike else up, up[::-1], latency, server_up_bps=rate, server_down_bps=rate) for rate in hot
    ]
    assert_same(trace, [(network, compute) for network in stars], {2, 4, 5})


def test_equal_rounds_are_found(tmp_path: Path) -> None:
    run(tmp_path / "run", "workers=6", "rounds=30")
    rounds = read_rounds(tmp_path / "run" / "trace.jsonl")
    assert rounds is not None and [each.number for each in rounds.rounds] == list(range(1, 31))
    assert len({each.kind for each in rounds.rounds}) == 1 and rounds.repeated == {0}


def test_equal_rounds_are_timed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulator.batch_clock import BatchClock

    run(tmp_path / "run", "workers=6", "rounds=50")
    played: list[str] = []
    play = BatchClock.play
    monkeypatch.setattr(BatchClock, "play", lambda self, entry: (played.append(entry["op"]), play(self, entry)))
    network, compute = there()
    retimed_many(tmp_path / "run" / "trace.jsonl", [network] * 3, [compute] * 3, {50})
    assert played.count("gather") <= 2


@pytest.mark.parametrize("known", [1, 256])
def test_what_was_forgotten_is_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: int) -> None:
    """Three of six unlike workers at a time: rounds of 20 kinds, each from many states."""
    monkeypatch.setattr("simulator.retiming._KNOWN", known)
    header = {"workers": 6, "batch": 1, "flops_per_step": 1e6, "racy": None}
    lines, draws = [json.dumps(header)], np.random.default_rng(0)
    for t in range(1, 301):
        active = sorted(draws.choice(6, 3, replace=False).tolist())
        ops = [{"op": "active", "workers": active}, {"op": "gradient", "step": t}]
        ops += [{"op": "gather", "size": [1000 * (1 + worker) for worker in active]}, {"op": "broadcast", "size": 5000}]
        lines += [json.dumps(op, separators=(",", ":")) for op in (*ops, {"op": "mark", "round": t})]
    (tmp_path / "trace.jsonl").write_text("\n".join(lines) + "\n")
    assert_same(tmp_path / "trace.jsonl", [there("network=mixed_access"), there()], set(range(1, 301)))
