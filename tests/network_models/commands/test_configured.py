"""Networks by name without the configuration library: the same as with it, and nothing but this package is called."""

from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate

from network_models.commands.configured import built, names, parsed
from tests.running import composed

CONF = Path(__file__).parents[3] / "conf" / "network"


@pytest.mark.parametrize("name", sorted({*names()} - {"from_file"}))
def test_as_the_configuration_library_builds_it(name: str) -> None:
    config = composed(f"network={name}", "workers=13", "seed=3")
    expected, network = instantiate(config.network, _convert_="all"), built(name, 13, seed=3)
    assert network.name == expected.name == name and type(network.fabric) is type(expected.fabric)
    ends = np.arange(-1, 13)
    for figure in ("path_latency_s", "path_bps"):
        one, other = (getattr(of.fabric, figure)(ends[:, None], ends[None]) for of in (network, expected))
        assert (one == other).all()


def test_overrides_and_files(tmp_path: Path) -> None:
    tree = built("fat_tree", 16, {"topology.k": 8, "name": "mine", "topology.bps": "1 Mbit/s"})
    assert tree.name == "mine" and tree.fabric.path_bps(0, 15) == 1e6 and len(tree.fabric.nodes) == 16 + 80 + 1
    file = tmp_path / "own.yaml"
    file.write_text((CONF / "lte.yaml").read_text(), encoding="utf-8")
    assert built(str(file), 3, {"up_bps": ["1 Mbit/s", 2e6, 3e6]}).fabric.up_bps[:3].tolist() == [1e6, 2e6, 3e6]


def test_arguments() -> None:
    arguments = ["network=tree", "workers=3", "network.topology.arity=4", "network.up_bps=1 Mbit/s", "out=a=b"]
    own, overrides = parsed(arguments, {"network": str, "workers": int, "out": str})
    assert own == {"network": "tree", "workers": 3, "out": "a=b"}
    assert overrides == {"topology.arity": 4, "up_bps": "1 Mbit/s"}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("workers", "workers: expected key=value with workers or network.KEY, got 'workers'"),
        ("colour=1", "got 'colour=1'"),
        ("workers=many", "workers: expected a whole number, got 'many'"),
        ("workers=true", "workers: expected a whole number, got 'true'"),
        ("workers=[", r"workers: expected a value, got '\['"),
    ],
)
def test_bad_arguments_are_refused(argument: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsed([argument], {"workers": int})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "network: expected settings with a _target_"),
        ("a: [", "network: expected YAML in"),
        ("name: x", "network: expected settings with a _target_"),
        (
            "_target_: network_models.star\nworkers: ${n}",
            r"network.workers: expected one of \${workers}, \${seed}, got",
        ),
        ("_target_: os.system", "network._target_: expected something that network_models defines, got 'os.system'"),
        ("_target_: network_models.star.np.save", "expected something that network_models defines"),
        ("_target_: network_models.nothing", "expected something that network_models defines"),
        ("_target_: network_models", "expected something that network_models defines"),
        ("_target_: network_models.rate_bps\nvalue: 3", "expected what makes a network, got 'network_models.rate_bps'"),
        (
            "_target_: network_models.topologies.ring\ncolour: red",
            "network.colour: expected one of workers, .*, got 'colour'",
        ),
        (
            "_target_: network_models.graph\nworkers: 1\ntopology: {_target_: shutil.rmtree, path: x}",
            "network.topology._target_: expected something that network_models defines, got 'shutil.rmtree'",
        ),
    ],
)
def test_bad_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        built(str(file), 4)


def test_unknown_names_and_settings_are_refused() -> None:
    for name in ("lan", "missing.yaml", "../network/lte"):
        with pytest.raises(ValueError, match="network: expected one of dumbbell, .*, wifi or a .yaml file, got"):
            built(name, 4)
    with pytest.raises(ValueError, match="network.up_bps.x: expected settings under 'up_bps', got '10 Mbit/s'"):
        built("lte", 4, {"up_bps.x": 1})
    with pytest.raises(ValueError, match="network.topology.kk: expected one of workers, .*, got 'kk'"):
        built("fat_tree", 4, {"topology.kk": 4})
    with pytest.raises(ValueError, match="network.topology.path: expected the name of a file, got None"):
        built("from_file", 4)
    with pytest.raises(ValueError, match="network.topology: expected a networkx graph, got None"):
        built("fat_tree", 4, {"topology": None})
    with pytest.raises(ValueError, match="network.topology.k: expected room for 17 workers"):
        built("fat_tree", 17, {"topology.k": 4})
