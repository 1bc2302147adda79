"""Workers by class: exact counts, a seeded draw, and shares that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models import Links, class_star
from network_models.class_star import assigned

LTE = {"share": 0.8, "up_bps": "10 Mbit/s", "down_bps": "30 Mbit/s", "latency_s": "30 ms"}
FIBRE = {"share": 0.2, "up_bps": "1 Gbit/s", "down_bps": "1 Gbit/s", "latency_s": "5 ms"}


def test_each_worker_has_the_link_of_its_class() -> None:
    net = class_star(100, [LTE, FIBRE], seed=3, server_up_bps="10 Gbit/s", all_reduce="server")
    links = net.fabric
    assert isinstance(links, Links) and net.name == "class_star"
    fast = links.up_bps[:-1] == 1e9
    assert fast.sum() == 20 and (links.up_bps[:-1][~fast] == 1e7).all()
    assert (links.latency_s[:-1] == np.where(fast, 0.005, 0.03)).all()
    assert (links.down_bps[:-1] == np.where(fast, 1e9, 3e7)).all() and links.up_bps[-1] == 1e10
    assert fast[:80].sum() not in (0, 20)  # drawn, not in blocks
    same, other = (class_star(100, [LTE, FIBRE], seed=seed).fabric.up_bps for seed in (3, 4))
    assert same[:-1].tolist() == links.up_bps[:-1].tolist() != other[:-1].tolist()


def test_whatever_a_star_takes_for_each_worker_can_be_a_matter_of_class() -> None:
    wifi = {**LTE, "share": 0.5, "down_bps": "10 Mbit/s", "half_duplex": True}
    net = class_star(10, [wifi, {**FIBRE, "share": 0.5, "half_duplex": False}], seed=2, jitter_s="1 ms")
    half = net.fabric.half_duplex
    assert half is not None and (half[:-1] == (net.fabric.up_bps[:-1] == 1e7)).all() and half.sum() == 5
    ends = np.arange(10), np.roll(np.arange(10), 1)
    other = class_star(10, [wifi, {**FIBRE, "share": 0.5, "half_duplex": False}], seed=3, jitter_s="1 ms")
    assert not np.isclose(net.paths.jitter.delay_s(*ends, 1), other.paths.jitter.delay_s(*ends, 1)).any()


@given(st.integers(1, 200), st.lists(st.integers(0, 10), min_size=1, max_size=5).filter(any), st.integers(0, 50))
def test_counts_are_shares_rounded_by_largest_remainders(workers: int, parts: list[int], seed: int) -> None:
    shares = [part / sum(parts) for part in parts]
    counts = np.bincount(assigned(workers, shares, seed), minlength=len(parts))
    assert counts.sum() == workers
    assert (np.abs(counts - np.array(shares) * workers) < 1).all()
    assert all(count == 0 for count, part in zip(counts, parts, strict=True) if part == 0)


def test_thirteen_workers_by_hand() -> None:
    # 0.8 x 13 = 10.4 and 0.2 x 13 = 2.6: the larger remainder gets the one left over
    assert np.bincount(assigned(13, [0.8, 0.2], 1)).tolist() == [10, 3]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([], "network.classes: expected at least one class"),
        ([LTE], "network.classes: expected shares that add up to 1, got 0.8"),
        ([LTE, {**FIBRE, "share": -0.2}], r"network.classes\[1\].share: expected a number in \[0, 1\], got -0.2"),
        ([LTE, {**FIBRE, "share": float("nan")}], r"network.classes\[1\].share"),
        (
            [LTE, {"share": 0.2, "up_bps": 1}],
            r"network.classes\[1\]: expected the settings up_bps, down_bps, latency_s",
        ),
        ([{**LTE, "share": 1, "up_bps": 0}], r"network.up_bps\[0\]: expected a positive rate"),
    ],
)
def test_bad_classes_are_refused(classes: list[dict], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        class_star(4, classes)


def test_a_setting_is_given_once() -> None:
    with pytest.raises(ValueError, match="network.latency_s: expected it in the classes or beside them, got both"):
        class_star(4, [{**LTE, "share": 1}], latency_s=0)
