"""Winners by hand, with censored seeds, and over a grid against the closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.answers.best import best
from simulator.answers.groups import grouped
from simulator.answers.knobs import bandwidth, latency, played_on
from simulator.answers.target import Target
from simulator.answers.times import grid, recorded_times, times_to_target
from tests.simulator.answers.conftest import COMPUTE, Made

NAN = float("nan")


def test_by_hand() -> None:
    # two networks, three groups, two seeds
    times = np.array([[[1.0, 3.0], [4.0, 4.0], [9.0, 9.0]], [[8.0, 8.0], [7.0, 5.0], [6.0, 2.0]]])
    told = best(times, np.ones((3, 2), dtype=bool))
    assert told.winner.tolist() == [0, 2] and told.second.tolist() == [1, 1] and told.decided.all()
    assert told.seconds.tolist() == [[2.0, 4.0, 9.0], [8.0, 6.0, 4.0]]
    assert told.margin.tolist() == [2.0, 1.5]
    # ratios 4 and 4/3: logarithms of mean ln(16/3) / 2 and deviation ln(3) / sqrt 2; t(1) = 12.7062
    middle, half = math.log(16 / 3) / 2, 12.7062047 * math.log(3) / 2
    assert (told.low[0], told.high[0]) == pytest.approx((math.exp(middle - half), math.exp(middle + half)), rel=1e-6)


@pytest.mark.parametrize(
    ("bound", "winner", "second", "margin", "decided"),
    [(9.0, 0, 1, 2.0, True), (5.0, 0, 2, 1.25, True), (3.0, 0, 2, 0.75, False)],
)
def test_a_censored_group_cannot_win_and_may_leave_it_undecided(
    bound: float, winner: int, second: int, margin: float, decided: bool
) -> None:
    times = np.array([[4.0], [8.0], [bound]])
    told = best(times, np.array([[True], [True], [False]]))
    assert (told.winner, told.second, told.margin, told.decided) == (winner, second, margin, decided)
    assert told.censored.tolist() == [False, False, True] and math.isnan(told.low)


def test_seeds_that_a_group_lacks_do_not_count() -> None:
    times = np.array([[1.0, NAN, 3.0], [4.0, 100.0, NAN]])
    told = best(times, np.array([[True, False, True], [True, True, False]]))
    assert told.seconds.tolist() == [2.0, 52.0] and told.censored.tolist() == [False, False]
    with pytest.raises(ValueError, match="at least one seed of each"):
        best(np.array([[1.0], [NAN]]), np.array([[True], [False]]))


def test_nobody_and_one_alone() -> None:
    told = best(np.array([[4.0], [8.0]]), np.zeros((2, 1), dtype=bool))
    assert told.winner == told.second == -1 and not told.decided
    alone = best(np.array([[4.0, 5.0]]), np.ones((1, 2), dtype=bool))
    assert (alone.winner, alone.second, alone.decided) == (0, -1, True) and math.isnan(alone.margin)


def test_a_map_of_bandwidth_and_latency_against_the_closed_form(made: Made) -> None:
    target = Target("accuracy", 0.8)
    shapes = {"dense": (3, 40_000), "middle": (5, 8_000), "sparse": (9, 1000)}  # rounds, bytes a round
    runs = [
        made(name, [0.1] * (rounds - 1) + [0.9], f"algorithm.name={name}", up=size // 2, down=size // 2)
        for name, (rounds, size) in shapes.items()
    ]
    groups, rates, delays = grouped(runs), np.geomspace(1e4, 1e8, 9), np.geomspace(1e-4, 1.0, 5)
    base = played_on(runs[0])
    knobs = bandwidth(base), latency(base)
    times, reached = times_to_target(
        groups, target, lambda run: grid(played_on(run), *knobs, rates.tolist(), delays.tolist())
    )
    told = best(times.reshape(9, 5, 3, 1), reached)
    exact = np.array(
        [
            [[n * (COMPUTE + 2 * delay + 8 * size / rate) for n, size in shapes.values()] for delay in delays]
            for rate in rates
        ]
    )
    assert told.seconds == pytest.approx(exact, rel=1e-9)
    assert (told.winner == exact.argmin(axis=-1)).all() and set(told.winner.ravel().tolist()) == {0, 1, 2}
    ranked = np.sort(exact, axis=-1)
    assert told.margin == pytest.approx(ranked[..., 1] / ranked[..., 0], rel=1e-9) and told.decided.all()


def test_recorded_times_need_no_replay(made: Made) -> None:
    runs = [
        made("racy", [0.9], "algorithm.name=ssp", racy="ReceiveAny in server"),
        made("slow", [0.1, 0.2], "algorithm.name=sgd"),
    ]
    times, reached = recorded_times(grouped(runs), Target("accuracy", 0.8))
    assert times[:, 0].tolist() == [runs[0].seconds[0], runs[1].seconds[1]] and reached[:, 0].tolist() == [True, False]
    with pytest.raises(ValueError, match=r"a run reaches, got 0.95; the nearest is 0.9 in .*racy"):
        recorded_times(grouped(runs), Target("accuracy", 0.95))
