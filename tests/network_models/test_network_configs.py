"""Every network in conf/network builds, with the figures its comment gives."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

import network_models
from network_models import Network

CONFIGS = sorted((Path(__file__).parents[2] / "conf" / "network").glob("*.yaml"))


def build(path: Path, **overrides: object) -> Network:
    config = OmegaConf.create(
        {"workers": 4, "network": {**OmegaConf.to_container(OmegaConf.load(path)), **overrides}}
    ).network
    settings = {key: config[key] for key in config}
    package, name = settings.pop("_target_").split(".")
    assert package == network_models.__name__
    return getattr(network_models, name)(**settings)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_builds_and_carries(path: Path) -> None:
    assert path.read_text().startswith("# ")
    net = build(path)
    assert net.name == path.stem and net.workers == 4
    timing = net.all_reduce(range(4), np.zeros(4), np.full(4, 1e6), lambda count: 1e6)
    bound = 2 * 8e6 * (1 - 1 / 4) / net.fabric.up_bps[0]
    assert bound / 4 < timing.finish.max() < 4 * bound + 4
    gathered, server = net.gather(range(4), np.zeros(4), np.full(4, 1e6))
    assert server == gathered.finish.max() > 8e6 / net.fabric.up_bps[0]


def test_the_six_networks() -> None:
    assert [path.stem for path in CONFIGS] == ["lan_10g", "lan_1g", "lte", "satellite", "wan_100m", "wan_10m"]
    links = {path.stem: build(path).fabric for path in CONFIGS}
    assert links["lan_10g"].up_bps.tolist() == [1e10] * 5 and links["lan_10g"].path_latency_s(0, -1) == 50e-6
    assert links["wan_100m"].down_bps.tolist() == [1e8] * 5 and links["wan_100m"].latency_s.tolist() == [0.02] * 5
    assert links["lte"].up_bps.tolist() == [1e7] * 4 + [1e9] and links["lte"].down_bps[0] == 3e7
    assert links["satellite"].latency_s.tolist() == [0.3] * 4 + [0.0]


def test_lists_of_the_configuration_library_are_sequences() -> None:
    net = build(CONFIGS[0], up_bps=["1 Mbit/s", 2e6, "3 Mbit/s", 4e6], latency_s=["1 ms", "2 ms", 0.003, 0])
    assert net.fabric.up_bps.tolist() == [1e6, 2e6, 3e6, 4e6, 4e6]
    assert net.fabric.latency_s.tolist() == [0.001, 0.002, 0.003, 0.0, 0.003]
