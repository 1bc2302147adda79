"""Where a target is met: the rule by hand, and what is told apart: not reached, and never measured."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.answers.runs import Missing
from simulator.answers.target import Target, place
from simulator.answers.to_target import bits_to_target, time_to_target
from tests.simulator.answers.conftest import Made, round_seconds

NAN = float("nan")
CLOCK = np.array([10.0, 20.0, 30.0, 40.0])


@pytest.mark.parametrize(
    ("target", "values", "first", "drawn", "missed"),
    [
        (Target("accuracy", 0.8), [0.5, 0.7, 0.9, 0.8], 30.0, 25.0, 20.0),
        (Target("accuracy", 0.9), [0.5, 0.7, 0.9, 0.8], 30.0, 30.0, 20.0),  # exactly there counts
        (Target("loss", 1.0), [3.0, 2.0, 2.0, 0.5], 40.0, 30 + 10 * 2 / 3, 30.0),
        (Target("perplexity", 8.0), [4.0, 9.0, 9.0, 9.0], 10.0, 10.0, 0.0),  # nothing is known of before the first
        (Target("bleu", 20.0), [10.0, NAN, 30.0, 31.0], 30.0, 20.0, 10.0),  # between 10 s and 30 s
        (Target("train_loss", 1.0), [NAN, NAN, 0.5, 0.4], 30.0, 30.0, 0.0),
        (Target("accuracy", 0.6), [0.5, 0.7, 0.5, 0.4], 20.0, 15.0, 10.0),  # the first time counts
    ],
)
def test_the_first_evaluated_mark_at_or_beyond_it(
    target: Target, values: list[float], first: float, drawn: float, missed: float
) -> None:
    found = place(np.array(values), target)
    assert found.reached and found.of(CLOCK) == first and found.not_before(CLOCK) == missed
    line = place(np.array(values), Target(target.metric, target.value, interpolate=True))
    assert line.of(CLOCK) == pytest.approx(drawn, rel=1e-12) and line.not_before(CLOCK) == missed


def test_never_reached_is_a_bound_up_to_the_last_evaluation() -> None:
    found = place(np.array([0.5, 0.7, 0.6, NAN]), Target("accuracy", 0.8, interpolate=True))
    assert not found.reached and found.of(CLOCK) == found.not_before(CLOCK) == 30.0


def test_many_clocks_at_once() -> None:
    found = place(np.array([0.5, 0.7, 0.9, 0.8]), Target("accuracy", 0.8, interpolate=True))
    clocks = np.stack([CLOCK, 2 * CLOCK, CLOCK**2]).reshape(3, 1, 4)
    assert found.of(clocks) == pytest.approx(np.array([[25.0], [50.0], [650.0]]), rel=1e-12)
    assert found.not_before(clocks).tolist() == [[20.0], [40.0], [400.0]]


def test_never_measured_is_missing() -> None:
    with pytest.raises(Missing, match="expected values of accuracy"):
        place(np.full(3, NAN), Target("accuracy", 0.5))


@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [
        ("accurcy", 0.5, "metric: expected one of accuracy, bleu, loss, perplexity, train_loss, got 'accurcy'"),
        ("accuracy", 83.0, r"target: expected an accuracy in \(0, 1\], got 83"),
        ("loss", NAN, "target: expected a finite number, got nan"),
    ],
)
def test_bad_targets(metric: str, value: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Target(metric, value)


def test_time_and_bits_of_a_run(made: Made) -> None:
    run = made("run", [0.5, 0.7, 0.9], up=1000, down=250, uplink_paper_bits=100.0)
    target = Target("accuracy", 0.7)
    seconds = time_to_target(run, target)
    assert seconds.reached and seconds.value == pytest.approx(2 * round_seconds(1250), rel=1e-12)
    assert seconds.not_before == pytest.approx(round_seconds(1250), rel=1e-12)
    # two workers, two rounds
    assert [float(bits_to_target(run, target, of).value) for of in ("uplink", "downlink", "total")] == [
        32000.0,
        8000.0,
        40000.0,
    ]
    assert float(bits_to_target(run, target, count="paper").value) == 200.0
    with pytest.raises(Missing, match="no downlink_paper_bits"):
        bits_to_target(run, target, "total", "paper")
    with pytest.raises(Missing, match="has no bleu"):
        time_to_target(run, Target("bleu", 20.0))
    with pytest.raises(ValueError, match="bits: expected one of uplink, downlink, total, got 'up'"):
        bits_to_target(run, target, "up")
    with pytest.raises(ValueError, match="count: expected one of wire"):
        bits_to_target(run, target, count="free")
