"""Utilisation and sensitivity against closed forms on a star, and on every network of conf."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from simulator.answers.knobs import bandwidth, key_of, latency, played_on
from simulator.answers.runs import Finished
from simulator.answers.sensitivity import IDEALS, ideal, sensitivity
from simulator.answers.target import Target
from simulator.answers.utilisation import knob_for_utilisation, utilisation
from tests.running import run
from tests.simulator.answers.conftest import COMPUTE, LATENCY, RATE, Made, round_seconds
from tests.simulator.answers.test_knobs import NETWORKS


@pytest.mark.parametrize("share", [0.05, 0.5, 0.8])
def test_the_bandwidth_that_a_share_needs(made: Made, share: float) -> None:
    source = made("run", [0.5, 0.6, 0.7], up=5000, down=7000)
    config = played_on(source)
    exact = 8 * 12_000 / (COMPUTE / share - COMPUTE - 2 * LATENCY)
    found = knob_for_utilisation(source, config, share, bandwidth(config), 1e2, 1e9)
    assert [one.at for one in found.needed] == pytest.approx([exact], rel=1e-3) and found.needed[0].rising
    assert found.at_high == pytest.approx(COMPUTE / round_seconds(12_000, 1e9)) and found.at_low < share
    assert utilisation(source, [config]) == pytest.approx(COMPUTE / round_seconds(12_000))


def test_a_share_that_no_bandwidth_gives_and_one_that_latency_does(made: Made) -> None:
    source = made("run", [0.5], up=500, down=500)
    config = played_on(source)
    most = COMPUTE / (COMPUTE + 2 * LATENCY)
    found = knob_for_utilisation(source, config, 0.9, bandwidth(config), 1e3, 1e12)
    assert found.needed == () and found.at_high == pytest.approx(most, rel=1e-6)
    found = knob_for_utilisation(source, config, 0.9, latency(config), 1e-6, 1.0)
    assert found.needed[0].at == pytest.approx((COMPUTE / 0.9 - COMPUTE - 8 * 1000 / RATE) / 2, rel=1e-3)
    assert not found.needed[0].rising


@pytest.mark.parametrize("share", [0.0, 1.0, 90.0])
def test_bad_shares_and_keys(made: Made, share: float) -> None:
    source = made("run", [0.5])
    config = played_on(source)
    with pytest.raises(ValueError, match=f"share: expected a share of time in .*, got {share:g}"):
        knob_for_utilisation(source, config, share, bandwidth(config), 1e3, 1e9)
    with pytest.raises(ValueError, match="key: expected a key of the network"):
        knob_for_utilisation(source, config, 0.5, key_of(config, "compute.seconds_per_step"), 1e-3, 1.0)


def test_what_each_ideal_saves_by_hand(made: Made) -> None:
    source = made("run", [0.5, 0.7, 0.9], up=20_000, down=10_000)
    found = sensitivity(source, played_on(source))
    saved = {"bandwidth": 3 * 8 * 30_000 / RATE, "compute": 3 * COMPUTE, "latency": 3 * 2 * LATENCY, "encode": 0.0}
    assert [limit.name for limit in found.limits] == list(saved)  # in this order
    assert [limit.saved for limit in found.limits] == pytest.approx(list(saved.values()), abs=1e-12)
    assert found.seconds == pytest.approx(3 * round_seconds(30_000)) and found.left == pytest.approx(0.0, abs=1e-12)
    early = sensitivity(source, played_on(source), Target("accuracy", 0.6))
    assert early.reached and early.seconds == pytest.approx(2 * round_seconds(30_000))
    never = sensitivity(source, played_on(source), Target("accuracy", 0.95))
    assert not never.reached and never.seconds == found.seconds


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run that compresses, with stragglers."""
    folder: Path = tmp_path_factory.mktemp("trained") / "run"
    run(folder, "algorithm=topk", "workers=4", "rounds=4", "eval_every=2", "stragglers=pareto")
    return Finished.read(folder)


@pytest.mark.parametrize("compute", ["counted", "fixed", "measured"])
@pytest.mark.parametrize("name", NETWORKS)
def test_on_every_network_nothing_is_left_where_all_is_ideal(trained: Finished, name: str, compute: str) -> None:
    calibrated = ["compute.seconds_per_step=0.02", "compute.memory_bytes_per_s=1e9"] if compute == "measured" else []
    config = played_on(trained, name, [f"compute={compute}", *calibrated])
    found = sensitivity(trained, config)
    assert found.left == pytest.approx(0.0, abs=1e-12)
    saved = {limit.name: limit.saved for limit in found.limits}
    assert set(saved) == set(IDEALS) and min(saved.values()) > -1e-12
    assert saved["compute"] > 0 and saved["encode"] > 0 and saved["bandwidth"] > 0 and saved["latency"] > 0


def test_outages_and_other_traffic_leave_the_rate_finite(trained: Finished) -> None:
    for given in ("network.outages=[{worker: 1, start_s: 0, end_s: 3}]", "network.background_load=0.5"):
        config = played_on(trained, "wan_10m", [given])
        assert ideal(config, "bandwidth").network.rate_factor == 2**40
        found = sensitivity(trained, config)
        waits = 3.0 if "outages" in given else 0.0  # for the link, and no ideal but its repair helps
        assert found.left == pytest.approx(waits, abs=1e-9)
    assert ideal(played_on(trained, "wan_10m"), "bandwidth").network.rate_factor == math.inf


def test_software_of_a_profile_is_what_is_left(trained: Finished) -> None:
    config = played_on(trained, "lan_1g", ["network.profile={name: gloo, call_s: 0.25}"])
    gloo = sensitivity(trained, config)
    assert gloo.left == pytest.approx(4 * 2 * 0.25, rel=0.01)  # four rounds, a way up and a way down
    assert {limit.name: limit.saved > 0 for limit in gloo.limits} == dict.fromkeys(IDEALS, True)


def test_what_cannot_be_ideal(trained: Finished) -> None:
    config = played_on(trained)
    with pytest.raises(ValueError, match="ideal: expected some of bandwidth, latency, compute, encode, got 'luck'"):
        ideal(config, "luck")
    config.compute._target_ = "mine.Compute"
    with pytest.raises(ValueError, match="compute: expected counted, fixed or measured, .* got mine.Compute"):
        ideal(config, "compute")
