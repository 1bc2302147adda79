"""Break-even against its closed form on a star, and what is said where there is none."""

from __future__ import annotations

import math

import pytest

from simulator.answers.break_even import BreakEven, Contest, break_even, mean_meeting, pairs
from simulator.answers.crossings import Crossing
from simulator.answers.knobs import bandwidth, latency, played_on
from simulator.answers.runs import Finished
from simulator.answers.target import Target
from simulator.trace import NotReplayable
from tests.simulator.answers.conftest import COMPUTE, LATENCY, RATE, Made, round_seconds

TARGET = Target("accuracy", 0.8)


def contest(a: Finished, b: Finished) -> Contest:
    return Contest((a, b), (played_on(a), played_on(b)))


def accuracies(rounds: int, after: int = 0) -> list[float]:
    """Reach 0.8 after so many rounds, and go on a little."""
    return [0.1] * (rounds - 1) + [0.8] * (1 + after)


@pytest.mark.parametrize(
    ("big", "few", "small", "many"), [(50_000, 4, 500, 7), (9_000, 2, 5_000, 3), (2_000, 9, 10, 11)]
)
def test_two_sizes_and_two_numbers_of_rounds(made: Made, big: int, few: int, small: int, many: int) -> None:
    # few (c + 2L + 8 big / B) = many (c + 2L + 8 small / B)
    exact = 8 * (few * big - many * small) / ((many - few) * (COMPUTE + 2 * LATENCY))
    dense = made("dense", accuracies(few, 3), up=big // 2, down=big // 2)
    sparse = made("sparse", accuracies(many), up=small // 2, down=small // 2)
    pair = contest(dense, sparse)
    found = break_even(pair, TARGET, bandwidth(pair.configs[0]), 1e-4 * exact, 1e4 * exact)
    (meeting,) = found.meetings
    assert meeting.at == pytest.approx(exact, rel=1e-3) and not meeting.rising  # the dense one is faster above
    assert found.faster is None and not found.why
    fine = break_even(pair, TARGET, bandwidth(pair.configs[0]), 1e-4 * exact, 1e4 * exact, tolerance=1e-9)
    assert fine.meetings[0].at == pytest.approx(exact, rel=1e-8)


def test_the_latency_at_which_they_meet(made: Made) -> None:
    dense = made("dense", accuracies(2), up=25_000, down=25_000)
    sparse = made("sparse", accuracies(4), up=500, down=500)
    # 2 (c + 2L + 8e5/2 / B) = 4 (c + 2L + 8e3 / B)
    exact = ((2 * 8 * 50_000 - 4 * 8 * 1000) / RATE / 2 - COMPUTE) / 2
    pair = contest(dense, sparse)
    (meeting,) = break_even(pair, TARGET, latency(pair.configs[0]), 1e-4, 10.0).meetings
    assert meeting.at == pytest.approx(exact, rel=1e-3) and not meeting.rising


def test_interpolation_counts_parts_of_rounds(made: Made) -> None:
    dense = made("dense", [0.6, 1.0], up=25_000, down=25_000)  # reaches 0.8 after 1.5 rounds
    sparse = made("sparse", accuracies(3), up=500, down=500)
    pair, target = contest(dense, sparse), Target("accuracy", 0.8, interpolate=True)
    # the sparse one: from 0.1 to 0.8 within its third round, at its end
    exact = 8 * (1.5 * 50_000 - 3 * 1000) / ((3 - 1.5) * (COMPUTE + 2 * LATENCY))
    (meeting,) = break_even(pair, target, bandwidth(pair.configs[0]), 1e3, 1e9).meetings
    assert meeting.at == pytest.approx(exact, rel=1e-3)


def test_who_is_always_faster(made: Made) -> None:
    better, worse = made("a", accuracies(2), up=100, down=100), made("b", accuracies(3), up=200, down=100)
    for pair, faster in (((better, worse), 0), ((worse, better), 1)):
        both = contest(*pair)
        assert break_even(both, TARGET, bandwidth(both.configs[0]), 1e3, 1e9) == BreakEven(1, (), faster)
    both = contest(better, better)
    assert break_even(both, TARGET, bandwidth(both.configs[0]), 1e3, 1e9) == BreakEven(1, (), None)


def test_a_run_that_ends_too_early_is_only_a_bound(made: Made) -> None:
    quick, never = made("quick", accuracies(2), up=100, down=100), made("never", [0.1] * 5, up=100, down=100)
    both = contest(quick, never)
    found = break_even(both, TARGET, bandwidth(both.configs[0]), 1e3, 1e9)
    assert found.faster == 0 and not found.meetings and f"not reached by {never.path}" in found.why
    short = contest(made("short", [0.1]), quick)  # it stops before the other is there: nothing is known
    found = break_even(short, TARGET, bandwidth(short.configs[0]), 1e3, 1e9)
    assert found.faster is None and "not reached by" in found.why
    neither = contest(never, never)
    assert break_even(neither, TARGET, bandwidth(neither.configs[0]), 1e3, 1e9).faster is None


def test_racy_runs_are_refused(made: Made) -> None:
    both = contest(made("a", accuracies(2)), made("b", accuracies(2), racy="ReceiveAny in server (ssp.py:3)"))
    with pytest.raises(NotReplayable, match="ReceiveAny"):
        break_even(both, TARGET, bandwidth(both.configs[0]), 1e3, 1e9)


def test_over_seeds_by_hand() -> None:
    found = [BreakEven(seed, (Crossing(at, True),), None) for seed, at in enumerate((1e6, 1e7, 1e8))]
    mean, low, high = mean_meeting(found)
    # logarithms 6, 7, 8 in tens: sample deviation 1, half width 4.302653 / sqrt(3)
    half = 4.302653 / math.sqrt(3)
    assert (mean, low, high) == pytest.approx((1e7, 10 ** (7 - half), 10 ** (7 + half)), rel=1e-5)
    assert mean_meeting(found[:1])[0] == pytest.approx(1e6) and math.isnan(mean_meeting(found[:1])[1])
    assert math.isnan(mean_meeting([*found, BreakEven(9, (), 0)])[0])


def test_pairs_share_a_seed(made: Made) -> None:
    one, two, three = (made(f"s{seed}", [0.5], f"seed={seed}") for seed in (1, 2, 3))
    assert pairs([one, two], [three, two]) == [(two, two)]
    with pytest.raises(ValueError, match="a, b: expected runs of the same seeds, got 1 and 3"):
        pairs([one], [three])
    assert round_seconds(2000) == pytest.approx(float(one.seconds[0]))
