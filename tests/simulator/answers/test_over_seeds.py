"""Sums over seeds: Student's t against printed tables, and what censored seeds let one say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.answers.over_seeds import over_seeds
from simulator.answers.student import mean_interval, t_quantile


@pytest.mark.parametrize(
    ("confidence", "freedom", "printed"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 4, 2.776),
        (0.95, 9, 2.262),
        (0.95, 30, 2.042),
        (0.95, 120, 1.980),
        (0.99, 1, 63.657),
        (0.99, 5, 4.032),
        (0.90, 10, 1.812),
        (0.80, 2, 1.886),
        (0.50, 7, 0.711),
    ],
)
def test_quantiles_are_those_of_the_tables(confidence: float, freedom: int, printed: float) -> None:
    assert t_quantile(confidence, freedom) == pytest.approx(printed, abs=6e-4)


def test_quantiles_become_normal_and_the_cauchy_is_exact() -> None:
    assert t_quantile(0.95, 100_000) == pytest.approx(1.959964, abs=1e-4)
    assert t_quantile(0.5, 1) == pytest.approx(1.0, rel=1e-14)  # tan(pi / 4)
    # two degrees of freedom: P(|T| < t) = t / sqrt(2 + t^2)
    assert t_quantile(0.9, 2) == pytest.approx(math.sqrt(2 * 0.81 / 0.19), rel=1e-14)


def test_an_interval_by_hand() -> None:
    # 0.1, 0.2, 0.3: mean 0.2, sample deviation 0.1, t(2) = 4.302653: half width 4.302653 x 0.1 / sqrt(3) = 0.248414
    assert mean_interval([0.1, 0.2, 0.3]) == pytest.approx((0.2 - 0.248414, 0.2 + 0.248414), abs=1e-6)


def test_intervals_cover_as_often_as_they_say() -> None:
    draws = np.random.default_rng(1).normal(3.0, 2.0, (4000, 4))
    inside = [low < 3.0 < high for low, high in map(mean_interval, draws.tolist())]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)  # 3.5 standard deviations


@pytest.mark.parametrize(("confidence", "freedom"), [(0.0, 1), (1.0, 1), (95.0, 3), (0.95, 0)])
def test_bad_confidence_and_too_few_values(confidence: float, freedom: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        t_quantile(confidence, freedom)


def test_by_hand() -> None:
    over = over_seeds([1.0, 2.0, 6.0], [True] * 3)
    assert (over.seeds, over.reached, over.median, over.median_known, over.mean) == (3, 3, 2.0, True, 3.0)
    half = 4.302653 * math.sqrt(7.0) / math.sqrt(3)  # sample variance (4 + 1 + 9) / 2 = 7
    assert (over.low, over.high) == pytest.approx((3 - half, 3 + half), rel=1e-6)
    assert over_seeds([5.0], [True]).mean == 5.0 and math.isnan(over_seeds([5.0], [True]).low)


@pytest.mark.parametrize(
    ("values", "reached", "median", "known"),
    [
        ([1.0, 2.0, 9.0], [True, True, False], 2.0, True),  # whatever the third is, two are below
        ([1.0, 2.0, 1.5], [True, True, False], 1.5, False),  # it ended early and may be anything above 1.5
        ([1.0, 9.0, 9.0], [True, False, False], 9.0, False),
        ([1.0, 2.0, 3.0, 9.0], [True, True, True, False], 2.5, True),
        ([1.0, 2.0, 9.0, 9.0], [True, True, False, False], 5.5, False),  # the upper middle one is not known
    ],
)
def test_the_median_of_censored_seeds(values: list[float], reached: list[bool], median: float, known: bool) -> None:
    over = over_seeds(values, reached)
    assert (over.median, over.median_known, over.reached) == (median, known, sum(reached))
    assert math.isnan(over.mean) and math.isnan(over.low)


_seed = st.tuples(st.floats(0.1, 100), st.booleans(), st.floats(0, 1000))


@given(st.lists(_seed, min_size=1, max_size=9))
def test_the_median_holds_whatever_censored_seeds_would_have_done(seeds: list[tuple[float, bool, float]]) -> None:
    over = over_seeds([value for value, _, _ in seeds], [known for _, known, _ in seeds])
    truth = float(np.median([value if known else value + later for value, known, later in seeds]))
    assert truth >= over.median
    if over.median_known:
        assert truth == over.median


def test_the_restricted_mean() -> None:
    over = over_seeds([1.0, 2.0, 8.0], [True, True, False], horizon=6.0)
    assert over.mean == 3.0 and over.horizon == 6.0 and over.low < 3.0 < over.high
    with pytest.raises(ValueError, match="horizon: expected at most 8, where a seed ends without the target, got 9"):
        over_seeds([1.0, 2.0, 8.0], [True, True, False], horizon=9.0)
    with pytest.raises(ValueError, match="seeds: expected a value for each"):
        over_seeds([], [])
