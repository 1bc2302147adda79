"""The papers' arithmetic: sixteen ratios of SSGD with majority voting, x4000 among them, and those of TCS."""

from __future__ import annotations

import numpy as np
import pytest

from algorithms.voting.counts import Seats, seats
from algorithms.voting.paper_bits import compression_ratio, position_bits, positions, value_bits

D = 11_173_962  # ResNet-18 for CIFAR

# 32 L / (phi q + votes): phi = 1/100, phi_c = 1/1000; whole vote 0.01 (log2 100 + 2) = 0.08644 bits a coordinate,
# add-drop 2 * 0.001 (log2 1000 + 2) = 0.02393, values 0.32 bits, or 0.04 with 8 groups (log2 8 + 1 = 4 bits)
RATIOS = {1: (79, 93, 253, 501), 2: (157, 186, 506, 1001), 4: (315, 372, 1012, 2002), 8: (630, 744, 2025, 4004)}
VARIANTS = (
    {"vote": 0.01},
    {"changes": 0.001},
    {"vote": 0.01, "groups": 8},
    {"changes": 0.001, "groups": 8},
)


@pytest.mark.parametrize("variant", range(4), ids=["vote", "add_drop", "vote Q", "add_drop Q"])
@pytest.mark.parametrize("steps", RATIOS)
def test_sixteen_ratios(steps: int, variant: int) -> None:
    assert round(compression_ratio(steps, values=0.01, **VARIANTS[variant])) == RATIOS[steps][variant]


@pytest.mark.parametrize(("groups", "ratio"), [(16, 1911), (8, 2287)])
def test_time_correlated_ratios(groups: int, ratio: int) -> None:
    # 128 / (0.011 q + 0.001 (log2 1000 + 2)), q = 5 or 4: "up to 2000x"
    assert round(compression_ratio(4, values=0.011, groups=groups, exclusive=0.001)) == ratio


def test_whole_counts_of_the_papers_model_give_the_same_ratios() -> None:
    keep, most = Seats(0.01, None, 0.001).of(D)
    assert (keep, most) == (111_740, 11_174)
    counts = np.array([keep, most])
    whole, part = positions(counts, D)
    assert whole / keep == pytest.approx(position_bits(0.01), rel=1e-6)
    for steps, (vote, change, vote_q, change_q) in RATIOS.items():
        dense = 32 * steps * D
        assert round(dense / (whole + 32 * keep)) == vote
        assert round(dense / (2 * part + 32 * keep)) == change
        assert round(dense / (whole + value_bits(8) * keep)) == vote_q
        assert round(dense / (2 * part + value_bits(8) * keep)) == change_q


def test_no_positions_cost_nothing_and_all_of_them_two_bits() -> None:
    assert positions(np.array([0, 8, 1]), 8).tolist() == [0, 16, 5]


def test_a_dense_start_caps_the_average() -> None:
    # spec: 5 of 300 epochs dense cap the average near 60; 1 / (5/300 + (295/300) / 4004)
    share = 5 / 300
    ratio = compression_ratio(8, values=0.01, groups=8, changes=0.001)
    assert round(1 / (share + (1 - share) / ratio)) == 59


@pytest.mark.parametrize(("density", "d", "count"), [(0.01, 100, 1), (0.07, 100, 7), (0.01, 101, 2), (1.0, 5, 5)])
def test_a_share_becomes_a_count(density: float, d: int, count: int) -> None:
    assert seats("density", density, d) == count


def test_less_than_one_coordinate_is_refused() -> None:
    expects = r"algorithm\.density: expected density \* d >= 1, .* d = 99 .* got 0\.01 \* 99 = 0\.99"
    with pytest.raises(ValueError, match=expects):
        seats("density", 0.01, 99)
    with pytest.raises(ValueError, match=r"algorithm\.change_density: expected change_density \* d >= 1"):
        Seats(0.01, None, 0.001).of(900)
    with pytest.raises(ValueError, match=r"algorithm\.k: expected 1 <= k <= d = 3 coordinates, got 4"):
        Seats(None, 4).of(3)
