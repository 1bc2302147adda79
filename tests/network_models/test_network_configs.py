"""Every network in conf/network builds, with the figures its comment gives."""

from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from network_models import Links, Network
from network_models.topologies import Graph

CONFIGS = sorted((Path(__file__).parents[2] / "conf" / "network").glob("*.yaml"))


STARS = ["lan_10g", "lan_1g", "lte", "lte_trace", "mixed_access", "satellite", "wan_100m", "wan_10m", "wifi"]
GRAPHS = ["dumbbell", "expander", "fat_tree", "full_mesh", "geometric", "racks", "ring", "sharded_ps", "torus", "tree"]
GRAPHS += ["wan_regions"]


def build(path: Path, workers: int = 4, **overrides: object) -> Network:
    config = {"workers": workers, "seed": 1, "network": {**OmegaConf.to_container(OmegaConf.load(path)), **overrides}}
    return instantiate(OmegaConf.create(config).network, _convert_="all")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_builds_and_carries(path: Path) -> None:
    assert path.read_text().startswith("# ")
    net = build(path)
    assert net.name == path.stem and net.workers == 4
    timing = net.all_reduce(range(4), np.zeros(4), np.full(4, 1e6), lambda count: 1e6)
    # All have a route between neighbours no slower than what each of them can send alone.
    bound = 2 * 8e6 * (1 - 1 / 4) / net.fabric.path_bps(np.arange(4), np.roll(np.arange(4), -1)).max()
    assert bound / 4 < timing.finish.max() < 4 * bound + 4
    gathered, server = net.gather(range(4), np.zeros(4), np.full(4, 1e6))
    assert server == gathered.finish.max() > 8e6 / net.fabric.path_bps(0, -1)


@pytest.mark.parametrize("workers", [1, 13, 16])
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_builds_for_any_number(path: Path, workers: int) -> None:
    fabric = build(path, workers).fabric
    every = np.arange(workers)
    assert fabric.workers == workers and fabric.servers >= 1
    assert (fabric.path_bps(every, -1) > 0).all() and (fabric.path_latency_s(-1, every) >= 0).all()


def test_every_network_is_a_star_or_a_graph() -> None:
    assert [path.stem for path in CONFIGS] == sorted(STARS + GRAPHS)
    for path in CONFIGS:
        assert isinstance(build(path).fabric, Links if path.stem in STARS else Graph)


def test_the_figures_of_the_graphs() -> None:
    fabric = {path.stem: build(path, 16).fabric for path in CONFIGS if path.stem in GRAPHS}
    assert (
        fabric["fat_tree"].path_latency_s(0, 15) == pytest.approx(30e-6) and fabric["fat_tree"].path_bps(0, 15) == 1e10
    )
    # eight workers of 10 Gbit/s behind an uplink of a tenth of that
    assert fabric["racks"].path_bps(7, 8) == 8e9 and fabric["racks"].path_latency_s([0, 7], [7, 8]).tolist() == [
        50e-6,
        1e-4,
    ]
    assert fabric["dumbbell"].path_bps(7, 8) == 1e8 and fabric["dumbbell"].path_latency_s(7, 8) == pytest.approx(
        10.1e-3
    )
    # us-east-1 (0..3), us-west-2 (4..7), eu-west-1 (8..11), ap-northeast-1 (12..15): the file's figures
    between = fabric["wan_regions"].path_latency_s([0, 4, 8, 15], [4, 8, 15, 0]) - 50e-6
    assert between == pytest.approx(np.array([68.272e-3, 122.326e-3, 214.37e-3, 169.086e-3]) / 2)
    assert fabric["wan_regions"].path_bps([0, 4], [4, 0]).tolist() == [5198844067.0, 5209048491.0]
    assert fabric["sharded_ps"].servers == 4 and fabric["sharded_ps"].path_latency_s(0, -4) == 50e-6


def test_the_figures_of_the_stars() -> None:
    links = {path.stem: build(path, 5 if path.stem == "mixed_access" else 4).fabric for path in CONFIGS}
    assert links["lan_10g"].up_bps.tolist() == [1e10] * 5 and links["lan_10g"].path_latency_s(0, -1) == 50e-6
    assert links["wan_100m"].down_bps.tolist() == [1e8] * 5 and links["wan_100m"].latency_s.tolist() == [0.02] * 5
    assert links["lte"].up_bps.tolist() == [1e7] * 4 + [1e9] and links["lte"].down_bps[0] == 3e7
    assert links["satellite"].latency_s.tolist() == [0.3] * 4 + [0.0]
    # a median of 8 Mbit/s up and 25 down, another place in the ten minutes for each phone
    trace = links["lte_trace"].rates[0]
    assert np.median(np.diff(trace.steps.total(np.arange(601)))) == pytest.approx(8e6, rel=0.25)
    assert trace.period_s == 600 and len({links["lte_trace"].rates[worker].offset_s for worker in range(4)}) == 4
    assert links["lte_trace"].rates[5].offset_s == trace.offset_s and links["lte_trace"].path_latency_s(0, -1) == 0.03
    assert links["wifi"].half_duplex.tolist() == [True] * 4 + [False] and links["wifi"].up_bps[0] == 1e8
    # four of five workers on LTE, one on fibre
    assert sorted(links["mixed_access"].up_bps.tolist()) == [1e7] * 4 + [1e9, 1e10]
    assert sorted(links["mixed_access"].latency_s.tolist()) == [0.0, 0.005] + [0.03] * 4


def test_lists_of_the_configuration_library_are_sequences() -> None:
    net = build(
        CONFIGS[0].with_stem("lan_10g"), up_bps=["1 Mbit/s", 2e6, "3 Mbit/s", 4e6], latency_s=["1 ms", "2 ms", 0.003, 0]
    )
    assert net.fabric.up_bps.tolist() == [1e6, 2e6, 3e6, 4e6, 4e6]
    assert net.fabric.latency_s.tolist() == [0.001, 0.002, 0.003, 0.0, 0.003]
