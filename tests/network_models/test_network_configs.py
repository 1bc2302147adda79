"""Every network in conf/network builds, with the figures its comment gives."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate

from network_models import Links, Network
from network_models.conditions.assembled import Conditions
from network_models.schedules.settings import Schedules
from network_models.topologies import Graph
from network_models.units import seconds
from tests.running import composed

CONFIGS = sorted((Path(__file__).parents[2] / "conf" / "network").glob("*.yaml"))


STARS = ["lan_10g", "lan_1g", "lte", "lte_trace", "mixed_access", "satellite", "wan_100m", "wan_10m", "wifi"]
GRAPHS = [
    "dumbbell",
    "expander",
    "fat_tree",
    "from_file",
    "full_mesh",
    "geometric",
    "racks",
    "ring",
    "sharded_ps",
    "torus",
    "tree",
]
GRAPHS += ["wan_regions"]


@pytest.fixture(autouse=True)
def hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files for `from_file` in the working directory: all workers and a server on one node."""
    for workers in (1, 4, 5, 13, 16):
        lines = [f"{node},hub,1 Gbit/s,1 ms\n" for node in range(-1, workers)]
        (tmp_path / f"{workers}.csv").write_text("a,b,bps,latency_s\n" + "".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def build(path: Path, workers: int = 4, **overrides: object) -> Network:
    if path.stem == "from_file":
        overrides["topology"] = {"_target_": "network_models.topologies.from_file", "path": f"{workers}.csv"}
    config = composed(f"network={path.stem}", f"workers={workers}")
    return instantiate(config.network, _convert_="all", **overrides)


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


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_fast_engines_play_it_as_the_reference_does(path: Path) -> None:
    start, sizes = np.array([0.0, 3e-4, 1e-4, 2e-4, 0.0]), np.array([4e5, 1e5, 3e5, 2e5, 5e5])
    fast, slow = (build(path, 5, mode=mode) for mode in ("collapsed", "message"))
    for call in (
        lambda net: net.all_reduce(range(5), start, sizes, lambda count: 5e5),
        lambda net: net.all_gather(range(5), start, sizes),
        lambda net: net.gather(range(5), start, sizes)[0],
        lambda net: net.broadcast(range(5), start, 2e-4, 1e5),
    ):
        assert call(fast).finish == pytest.approx(call(slow).finish, rel=1e-9)


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
    # four of five workers on LTE, one on fibre
    assert sorted(links["mixed_access"].up_bps.tolist()) == [1e7] * 4 + [1e9, 1e10]
    assert sorted(links["mixed_access"].latency_s.tolist()) == [0.0, 0.005] + [0.03] * 4


def test_lists_of_the_configuration_library_are_sequences() -> None:
    net = build(
        CONFIGS[0].with_stem("lan_10g"), up_bps=["1 Mbit/s", 2e6, "3 Mbit/s", 4e6], latency_s=["1 ms", "2 ms", 0.003, 0]
    )
    assert net.fabric.up_bps.tolist() == [1e6, 2e6, 3e6, 4e6, 4e6]
    assert net.fabric.latency_s.tolist() == [0.001, 0.002, 0.003, 0.0, 0.003]


def test_settings_are_listed_with_their_defaults() -> None:
    listed = composed("network=lan_1g").network
    for field in fields(Conditions):
        value = listed[field.name]
        if field.name == "jitter_s":
            assert seconds(value, "jitter_s") == field.default
        elif field.name != "seed":
            assert value == field.default, field.name
    for name in ("all_reduce", "all_gather", "broadcast", "segments", "group_size", "profile"):
        assert listed[name] == Schedules.__dataclass_fields__[name].default
