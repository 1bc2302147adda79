"""Straggler distributions: their means, their seeds, and that a worker's fate does not depend on its company."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulator.compute import LogNormal, NoStragglers, Pareto, Periodic, ShiftedExponential

MANY = np.arange(100_000)


def normal(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


# distribution, mean, standard deviation, and P(factor <= x)
LAWS: list[tuple[Any, float, float, Callable[[float], float]]] = [
    (LogNormal(0.3), 1.0, math.sqrt(math.exp(0.09) - 1), lambda x: normal((math.log(x) + 0.045) / 0.3)),
    (LogNormal(1.0), 1.0, math.sqrt(math.e - 1), lambda x: normal(math.log(x) + 0.5)),
    (ShiftedExponential(0.5), 1.5, 0.5, lambda x: 1 - math.exp(-(x - 1) / 0.5)),
    (Pareto(3.0), 1.5, math.sqrt(0.75), lambda x: 1 - x**-3.0),
]
ALL = [NoStragglers(), *(law[0] for law in LAWS), Periodic(5, 2, 4.0)]


@pytest.mark.parametrize(("stragglers", "mean", "deviation", "law"), LAWS)
def test_draws_follow_the_law(stragglers: Any, mean: float, deviation: float, law: Callable[[float], float]) -> None:
    drawn = stragglers.factors(1, MANY, 3)
    assert drawn.dtype == np.float64 and drawn.shape == MANY.shape
    assert abs(drawn.mean() - mean) < 5 * deviation / math.sqrt(len(MANY))
    # Kolmogorov and Smirnov: the empirical distribution is further than 1.95 / sqrt(N) off with probability 0.001
    ranks = np.arange(1, len(MANY) + 1) / len(MANY)
    expected = np.array([law(x) for x in np.sort(drawn)])
    assert np.abs(ranks - expected).max() < 1.95 / math.sqrt(len(MANY))


def test_bounds() -> None:
    assert NoStragglers().factors(0, np.arange(4), 0).tolist() == [1] * 4
    assert LogNormal().factors(0, MANY, 0).min() > 0
    assert ShiftedExponential().factors(0, MANY, 0).min() >= 1
    worst = Pareto(0.5).factors(0, MANY, 0)
    assert worst.min() >= 1 and np.isfinite(worst).all()


@pytest.mark.parametrize("stragglers", ALL, ids=lambda s: type(s).__name__)
def test_a_draw_belongs_to_seed_step_and_worker(stragglers: Any) -> None:
    whole = stragglers.factors(4, np.arange(50), 9)
    assert stragglers.factors(4, np.arange(50), 9).tolist() == whole.tolist()
    some = np.array([7, 3, 49])
    assert stragglers.factors(4, some, 9).tolist() == whole[some].tolist()
    assert [stragglers.factors(4, np.array([w]), 9)[0] for w in range(50)] == whole.tolist()
    if not isinstance(stragglers, NoStragglers):
        assert stragglers.factors(4, np.arange(50), 10).tolist() != whole.tolist()
        assert stragglers.factors(5, np.arange(50), 9).tolist() != whole.tolist()


def test_periodic_is_slow_for_its_share_with_a_phase_each() -> None:
    stragglers = Periodic(period=5, length=2, factor=4.0)
    table = np.stack([stragglers.factors(1, np.arange(40), step) for step in range(15)])
    assert set(np.unique(table)) == {1.0, 4.0}
    assert (table[:5] == table[5:10]).all() and (table[:5] == table[10:]).all()
    assert ((table[:5] == 4).sum(0) == 2).all()  # each worker, in each period
    assert len({tuple(column) for column in table[:5].T}) == 5  # every phase occurs
    for column in table.T:  # the slow steps follow each other
        rises = (np.diff(column) > 0).sum()
        assert rises <= 3


NAN = float("nan")
BAD = [
    *[(LogNormal, {"sigma": bad}, "sigma", bad) for bad in (0, -1, "x", True, NAN)],
    *[(ShiftedExponential, {"mean": bad}, "mean", bad) for bad in (0, -0.5, None)],
    *[(Pareto, {"alpha": bad}, "alpha", bad) for bad in (0, -3, "x")],
    *[(Periodic, {"factor": bad}, "factor", bad) for bad in (0, -1, "x")],
    *[(Periodic, {"period": 5, "length": bad}, "length", bad) for bad in (0, 6, -1, 1.5, "x")],
    *[(Periodic, {"period": bad, "length": 1}, "period", bad) for bad in (2.5, "x", None)],
    (Periodic, {"period": 0, "length": 1}, "length", 1),
]


@pytest.mark.parametrize(("build", "options", "key", "came"), BAD)
def test_refused_at_construction(build: Any, options: dict[str, Any], key: str, came: Any) -> None:
    with pytest.raises(ValueError, match=rf"compute\.stragglers\.{key}: expected .*, got ") as error:
        build(**options)
    assert str(came) in str(error.value)
