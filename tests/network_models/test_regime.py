"""A run outside the fluid regime says so, once, and only there."""

import warnings

import numpy as np
import pytest
import simpy

from network_models import SERVER, Network, star
from network_models.engines import hub
from network_models.links import Links
from network_models.paths import Paths
from network_models.regime import OutsideFluidRegime
from network_models.transports import transport


def incast(net: Network, senders: int, size: float) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            net.gather(range(senders), np.zeros(senders), np.full(senders, size))
    return [str(warning.message) for warning in caught if warning.category is OutsideFluidRegime]


@pytest.mark.parametrize("mode", ["collapsed", "message"])
@pytest.mark.parametrize(
    ("buffer", "senders", "size", "warns"),
    [
        # Measured, 100 kB each into 100 Mbit/s (RTT about 0.3 ms: 3.75 kB): 7 windows of 15,020 bytes are 105 kB.
        (20e3, 7, 1e5, True),
        (50e3, 7, 1e5, True),
        (150e3, 7, 1e5, False),
        (None, 7, 1e5, False),
        (20e3, 1, 1e8, False),  # nobody to compete with
        (20e3, 7, 1e3, False),  # 7 kB in all
    ],
)
def test_incast(mode: str, buffer: float | None, senders: int, size: float, warns: bool) -> None:
    net = star(7, 1e8, 1e8, 75e-6, server_latency_s=None, transport="tcp", buffer_bytes=buffer, mode=mode)
    said = incast(net, senders, size)
    assert len(said) == warns == len(incast(star(7, 1e8, 1e8, 75e-6, buffer_bytes=buffer, mode=mode), senders, size))
    if warns:
        assert "senders into server down" in said[0] and f"buffer_bytes={buffer:g}" in said[0] and "2 to 40" in said[0]


def test_a_long_path_holds_more() -> None:
    net = star(7, 1e8, 1e8, 0.01, server_latency_s=None, buffer_bytes=20e3)  # 500 kB are on the way
    assert incast(net, 7, 1e5) == []


def test_single_messages_are_watched_too() -> None:
    net, env = star(4, 1e8, 1e8, 0.0, buffer_bytes=20e3), simpy.Environment()
    network = net.fluid(env)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.transfer(0, SERVER, 1e5)
        env.run()
        network.transfer(1, SERVER, 1e5)
        network.transfer(SERVER, 2, 1e5)
    with pytest.warns(OutsideFluidRegime, match="2 senders into server down"):
        network.transfer(2, SERVER, 1e5)


def lossy(loss: float, name: str) -> list[str]:
    paths = Paths(Links(np.full(3, 1e8), np.full(3, 1e8), np.full(3, 0.01), loss), transport(name))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            hub.gather(paths, np.arange(2), np.zeros(2), np.full(2, 1e5))
    return [str(warning.message) for warning in caught if warning.category is OutsideFluidRegime]


def test_loss() -> None:
    assert lossy(0.0, "ideal") == lossy(0.0, "tcp") == lossy(0.01, "tcp") == []
    (said,) = lossy(0.05, "tcp")
    assert "loss of 0.05 is above 0.02" in said
    (said,) = lossy(0.01, "ideal")
    assert "'ideal' does not feel it" in said and "transport=tcp" in said


@pytest.mark.parametrize("mode", ["collapsed", "message"])
@pytest.mark.parametrize("profile", ["ideal", "gloo"])
def test_loss_between_workers(mode: str, profile: str) -> None:
    net = Network(Links(np.full(4, 1e8), np.full(4, 1e8), np.full(4, 0.01), 0.1), mode=mode, profile=profile)
    with pytest.warns(OutsideFluidRegime, match="'ideal' does not feel it"):
        net.all_reduce(range(3), np.zeros(3), np.full(3, 1e5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.all_reduce(range(3), np.zeros(3), np.full(3, 1e5))


@pytest.mark.parametrize("value", [-1, float("nan"), "20 kB", True])
def test_bad_buffers(value: object) -> None:
    with pytest.raises(ValueError, match=r"network\.buffer_bytes: expected a number of bytes of at least 0 or null"):
        star(2, 1e6, 1e6, 0.0, buffer_bytes=value)
