"""Where functions change sign: known roots, jumps, stretches of zeros, and how few points it takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.answers.crossings import crossings
from simulator.answers.runs import Floats


@given(st.lists(st.floats(-2.9, 2.9), min_size=0, max_size=4), st.booleans())
def test_all_roots_far_enough_apart_are_found(exponents: list[float], negative: bool) -> None:
    roots = sorted(exponents)
    if any(b - a < 0.6 for a, b in zip(roots[:-1], roots[1:], strict=True)):
        return
    sign = -1.0 if negative else 1.0
    found = crossings(lambda x: sign * np.prod([np.log10(x) - root for root in roots], axis=0) * x / x, 1e-3, 1e3)
    assert np.log10([one.at for one in found]) == pytest.approx(roots, abs=np.log10(1.001) + 1e-12)
    rising = [(len(roots) - at) % 2 == (0 if negative else 1) for at in range(len(roots))]
    assert [one.rising for one in found] == rising


def test_a_jump_is_a_crossing() -> None:
    (found,) = crossings(lambda x: np.where(x < 7.0, -1e-9, 5.0), 1.0, 100.0, tolerance=1e-6)
    assert found.at == pytest.approx(7.0, rel=1e-6) and found.rising


def test_zeros_between_two_signs_are_one_crossing_at_their_lower_end() -> None:
    def flat(x: Floats) -> Floats:
        return np.where(x < 5, x - 5, np.where(x > 50, x - 50, 0.0))

    (found,) = crossings(flat, 1.0, 1000.0, points=301)
    assert 5.0 <= found.at < 5.2 and found.rising
    assert crossings(lambda x: 0 * x, 1.0, 10.0) == []
    assert crossings(lambda x: np.maximum(x - 5, 0.0), 1.0, 10.0) == []  # it touches and does not change sign


def test_a_smooth_function_takes_few_points_and_brackets_go_together() -> None:
    asked = []

    def times(x: Floats) -> Floats:
        asked.append(len(x))
        return np.log((0.3 + 8e6 / x) / (0.9 + 1e6 / x)) * np.log((2 + x) / (1e8 + x / 3))

    found = crossings(times, 1e3, 1e12, points=25, tolerance=1e-3)
    assert len(found) == 2 and found[0].at == pytest.approx(7e6 / 0.6, rel=1e-3)
    assert asked[0] == 25 and len(asked) <= 12 and max(asked[1:]) <= 2


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"low": 0.0, "high": 1.0}, "low, high: expected 0 < low < high"),
        ({"low": 2.0, "high": 1.0}, "low, high"),
        ({"low": 1.0, "high": 2.0, "points": 1}, "points: expected at least 2"),
        ({"low": 1.0, "high": 2.0, "tolerance": 0.0}, "tolerance"),
    ],
)
def test_bad_ranges(given_: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        crossings(lambda x: x, **given_)  # type: ignore[arg-type]


def test_values_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="finite values"):
        crossings(lambda x: np.where(x > 2, np.nan, 1.0), 1.0, 10.0)
