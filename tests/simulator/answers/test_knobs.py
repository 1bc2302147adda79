"""What is turned on which network, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from network_models import Network
from simulator.answers.knobs import bandwidth, key_of, latency
from simulator.config import plain
from simulator.runner import built
from tests.running import composed

NETWORKS = sorted(path.stem for path in Path("conf/network").glob("*.yaml") if path.stem != "from_file")


def config(*overrides: str) -> DictConfig:
    return OmegaConf.create(plain(composed("workers=4", *overrides)))


def test_a_stars_rates_are_turned_together() -> None:
    base = config("network=lte")
    knob = bandwidth(base)
    assert (knob.name, knob.unit, knob.at) == ("network.up_bps", "bit/s", 1e7)
    made = knob.turned(base, 2e7).network
    assert (made.up_bps, made.down_bps, made.server_up_bps) == (2e7, 6e7, "1 Gbit/s")
    assert base.network.up_bps == "10 Mbit/s"  # a copy


def test_rates_of_each_worker_keep_their_ratios() -> None:
    base = config("network=lan_1g", "network.up_bps=[1e6,2e6,3e6,4e6]")
    made = bandwidth(base).turned(base, 5e6).network
    assert list(made.up_bps) == [5e6, 1e7, 1.5e7, 2e7] and made.down_bps == 5e9


@pytest.mark.parametrize("name", NETWORKS)
def test_any_networks_bandwidth_and_latency_can_be_turned(name: str) -> None:
    base = config(f"network={name}")
    here: Network = built(base.network, "network")
    wide, near = bandwidth(base), latency(base)
    there: Network = built(near.turned(wide.turned(base, 2 * wide.at), near.at / 2).network, "network")
    rate, delay = (here.fabric.path_bps(0, 1), here.fabric.path_latency_s(0, 1))
    assert there.fabric.path_bps(0, 1) == pytest.approx(2 * rate)
    assert there.fabric.path_latency_s(0, 1) == pytest.approx(delay / 2)
    assert wide.unit == ("bit/s" if "up_bps" in base.network and name != "lte_trace" else "times")


def test_any_key_that_is_one_figure() -> None:
    base = config("network=dumbbell")
    knob = key_of(base, "network.topology.bottleneck_bps")
    assert (knob.unit, knob.at) == ("bit/s", 1e8)
    assert knob.turned(base, 5e6).network.topology.bottleneck_bps == 5e6
    knob = key_of(base, "network.topology.latency_s")
    assert (knob.unit, knob.at) == ("s", 5e-5)
    assert knob.turned(base, 0.0).network.topology.latency_s == 0
    assert key_of(base, "network.segments").at == 4
    old = config("network=dumbbell")
    del old.network["rate_factor"]  # a run of before there were factors
    assert bandwidth(old).turned(old, 0.5).network.rate_factor == 0.5


@pytest.mark.parametrize(
    "key", ["network.nonsense", "network.transport", "network.topology", "network.outages", "network.name"]
)
def test_keys_that_are_no_figure(key: str) -> None:
    with pytest.raises(ValueError, match=f"key: expected a key that is one figure, got {key}="):
        key_of(config("network=racks"), key)


@pytest.mark.parametrize("key", ["workers", "algorithm.lr", "stragglers.sigma"])
def test_keys_of_the_trajectory(key: str) -> None:
    with pytest.raises(ValueError, match="key: expected one of network or compute"):
        key_of(config(), key)


def test_rates_without_a_limit_cannot_be_scaled() -> None:
    with pytest.raises(ValueError, match="expected finite rates to scale"):
        bandwidth(config("network=lan_1g", "network.up_bps=inf"))
