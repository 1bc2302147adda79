"""Outages and other traffic on the links of a graph, by hand."""

import numpy as np
import pytest

from network_models import Network, graph, topologies


def racks(**settings: object) -> Network:
    """Two racks of two workers, 8 bit/s to the switch, 16 bit/s up to the spine, no latency."""
    shape = topologies.racks(4, 8, 0.0, racks=2, oversubscription=1)
    return graph(shape, 4, **settings)


def uplink(network: Network) -> str:
    """The link over which worker 0's rack reaches the other."""
    return network.fabric.label(network.fabric.route(0, 2)[1])


def seconds(network: Network, source: int, destination: int, size_bytes: float) -> float:
    """A message alone, from 0 s on."""
    edges = (np.array([source]), np.array([destination]))
    return float(network.neighbours(None, 0.0, np.full(4, size_bytes), edges).finish.max())


@pytest.mark.parametrize("mode", ["collapsed", "message"])
def test_a_link_that_is_down_holds_what_uses_it(mode: str) -> None:
    name = uplink(racks())
    network = racks(outages=[{"link": name, "start_s": 1.0, "end_s": 4.0}], mode=mode)
    # 3 bytes at 8 bit/s take 3 s; across the spine the link rests from 1 to 4 s, within the rack nothing happens
    assert seconds(network, 0, 2, 3) == pytest.approx(6.0, rel=1e-12)
    assert seconds(network, 0, 1, 3) == pytest.approx(3.0, rel=1e-12)
    assert seconds(network, 2, 0, 3) == pytest.approx(3.0, rel=1e-12)  # the other direction


@pytest.mark.parametrize("mode", ["collapsed", "message"])
def test_a_worker_without_its_links(mode: str) -> None:
    network = racks(outages=[{"worker": 1, "start_s": 0.0, "end_s": 2.0}], mode=mode)
    assert seconds(network, 0, 1, 1) == seconds(network, 1, 3, 1) == pytest.approx(3.0, rel=1e-12)
    assert seconds(network, 0, 2, 1) == pytest.approx(1.0, rel=1e-12)


def test_other_traffic_takes_its_share_of_every_link() -> None:
    network = racks(background_load=0.75)
    assert seconds(network, 0, 2, 1) == pytest.approx(4.0, rel=1e-12)  # 2 of 8 bit/s are left
    drawn = {"background_load": 0.5, "background_mean_on_s": 1.0, "background_mean_off_s": 1.0}
    one, same, other = (seconds(racks(**drawn, seed=seed), 0, 2, 100) for seed in (1, 1, 2))
    assert one == same != other and 100 < one < 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"outages": [{"link": "9 up", "start_s": 0}]},
            r"network.outages\[0\].link: expected a link such as .* got '9 up'",
        ),
        ({"outages": [{"worker": 4, "start_s": 0}]}, r"network.outages\[0\].worker: expected a worker in 0..3, got 4"),
        ({"background_load": 1}, "network.background_load: expected 0 <= share < 1, got 1"),
        ({"background_load": 0.1, "background_mean_on_s": 1}, "expected both or none"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        racks(**settings)


def test_a_transfer_that_can_never_finish_names_its_route() -> None:
    name = uplink(racks())
    with pytest.raises(ValueError, match=f"transfer 0 -> 2.*can never finish: {name} carries nothing"):
        seconds(racks(outages=[{"link": name, "start_s": 0.5}]), 0, 2, 1)
