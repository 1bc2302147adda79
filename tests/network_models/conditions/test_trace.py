"""A rate that changes in steps: golden values by hand, and the integral against one that only adds up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models.conditions import Trace


def summed_finish(trace: Trace, start: float, bits: float) -> float:
    """Add up step after step, asking only for the rates and the times of the changes."""
    now, left = start, bits
    for _ in range(1000):
        rate, change = trace.at(now), trace.next_change(now)
        if rate and now + left / rate <= change:
            return now + left / rate
        left, now = left - rate * (change - now), change
        if now == np.inf:
            return now
    raise AssertionError("no end")


def test_by_hand() -> None:
    # 8 bit/s in [0, 1), 2 in [1, 3), again every 3 s: 8 + 4 = 12 bits a period.
    trace = Trace([0, 1], [8.0, 2.0], period_s=3)
    assert [trace.at(t) for t in (0.0, 0.99, 1.0, 2.99, 3.0, 301.5)] == [8.0, 8.0, 2.0, 2.0, 8.0, 2.0]
    assert [trace.next_change(t) for t in (0.0, 0.5, 1.0, 2.5, 3.0)] == [1.0, 1.0, 3.0, 3.0, 4.0]
    assert trace.bits(0.5, 4.0) == 4 + 4 + 8
    assert trace.bits(0.5, 3000.5) == 12 * 1000
    assert trace.finish(0.5, 6.0) == 2.0  # 4 bits until 1 s, then 2 bits at 2 bit/s
    assert trace.finish(0.5, 12.0 * 1000 + 6.0) == 3002.0
    assert trace.finish(0.0, 12.0) == 3.0 and trace.finish(7.0, 0.0) == 7.0
    assert (trace.peak_bps, trace.mean_bps, trace.period_s) == (8.0, 4.0, 3)
    later = trace.shifted(2.0)  # 2 until 1 s, 8 until 2 s, 2 until 4 s, ...
    assert [later.at(t) for t in (0.0, 1.0, 2.0, 4.0)] == [2.0, 8.0, 2.0, 8.0]
    assert later.next_change(0.0) == 1.0 and later.finish(0.0, 11.0) == 2.5 and later.steps is trace.steps


def test_what_happens_once_and_what_repeats() -> None:
    # 5 bit/s until 2 s, once; from then on 0 for 1 s and 3 for 1 s.
    trace = Trace([0, 2, 3], [5.0, 0.0, 3.0], period_s=2, settled_s=2)
    assert [trace.at(t) for t in (0.0, 2.0, 3.0, 4.0, 5.0, 104.5, 105.5)] == [5.0, 0.0, 3.0, 0.0, 3.0, 0.0, 3.0]
    assert trace.finish(0.0, 10.0) == 2.0 and trace.finish(0.0, 13.0) == 4.0 and trace.finish(1.0, 11.0) == 6.0
    assert trace.bits(0.0, 102.0) == 10 + 50 * 3
    assert trace.changes(1.0, 6.5).tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_last_rate_holds_for_ever_and_nothing_comes_after_an_end() -> None:
    trace = Trace([0, 1], [1.0, 4.0])
    assert trace.finish(0.5, 40.5) == 11.0 and trace.next_change(1.0) == np.inf and trace.mean_bps == 4.0
    ended = Trace([0, 1], [1.0, 0.0])
    assert ended.finish(0.0, 1.0) == 1.0 and ended.finish(0.0, 1.01) == np.inf and ended.finish(5.0, 0.0) == 5.0
    assert Trace([0, 1], [1.0, 0.0], period_s=2.0, settled_s=1.0).finish(0.0, 2.0) == np.inf  # it repeats nothing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "rates_bps: expected as many rates as times, at least one"),
        (([0, 1], [1.0]), "rates_bps: expected as many rates as times"),
        (([1, 2], [1.0, 2.0]), r"times_s: expected increasing finite times from 0 on, got 1\.0"),
        (([0, 2, 2], [1.0, 2.0, 3.0]), r"times_s: expected increasing .* got 2\.0"),
        (([0, np.nan], [1.0, 2.0]), "times_s: expected increasing .* got nan"),
        (([0, np.inf], [1.0, 2.0]), "times_s: expected increasing .* got inf"),
        (([0, 1], [1.0, -2.0]), r"rates_bps: expected finite rates of at least 0, got -2\.0"),
        (([0, 1], [np.nan, 2.0]), "rates_bps: expected finite rates of at least 0, got nan"),
        (([0, 1], [1.0, 2.0], 1.0), r"period_s: expected more than the last time \(1 s\), got 1\.0"),
        (([0, 1], [1.0, 2.0], 2.0, 0.0, -1.0), "offset_s: expected finite seconds of at least 0, got -1"),
    ],
)
def test_bad_traces(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trace(*arguments)


GAPS = st.lists(st.sampled_from([0.25, 1.0]) | st.floats(1e-3, 5.0), min_size=1, max_size=8)
RATES = st.sampled_from([0.0, 1.0, 1e3]) | st.floats(0.01, 1e6)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    gaps = draw(GAPS)
    times = np.concatenate(([0.0], np.cumsum(gaps)[:-1]))
    rates = draw(st.lists(RATES, min_size=len(gaps), max_size=len(gaps)))
    offset = draw(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 50.0))
    settled = draw(st.sampled_from(times.tolist()))
    if draw(st.booleans()):
        rates[-1] = rates[-1] or 1.0
        return Trace(times, rates, float(times[-1] + gaps[-1] - settled), settled, offset)
    rates[-1] = rates[-1] or 1.0
    return Trace(times, rates, offset_s=offset)


@given(traces(), st.sampled_from([0.0, 1.0]) | st.floats(0.0, 100.0), st.sampled_from([0.0, 1.0]) | st.floats(0, 9))
def test_finish_is_the_end_of_the_sum(trace: Trace, start: float, periods: float) -> None:
    bits = periods * trace.mean_bps * (trace.period_s or 1.0)
    end = float(trace.finish(start, bits))
    # Between two steps a bit more or less moves the end by bits / rate: compare bits where rates are tiny.
    if end != pytest.approx(summed_finish(trace, start, bits), rel=1e-9, abs=1e-9):
        assert float(trace.bits(start, summed_finish(trace, start, bits))) == pytest.approx(bits, rel=1e-9, abs=1e-6)
    assert float(trace.bits(start, end)) == pytest.approx(bits, rel=1e-9, abs=1e-6)
    assert end >= start


@given(traces(), st.lists(st.tuples(st.floats(0.0, 100.0), st.floats(0.0, 1e5)), min_size=2, max_size=9))
def test_elementwise_and_monotone(trace: Trace, messages: list[tuple[float, float]]) -> None:
    starts, bits = np.array(messages).T
    ends = trace.finish(starts, bits)
    assert ends.tolist() == [float(trace.finish(start, size)) for start, size in messages]
    order = np.argsort(starts)
    for size in bits[:2]:
        in_order = trace.finish(starts[order], np.full(len(order), size))
        assert (np.diff(in_order) >= -1e-9 * np.maximum(np.abs(in_order[1:]), 1e-3)).all()
    rising = trace.finish(np.full(len(bits), starts[0]), np.sort(bits))
    assert (np.diff(rising) >= 0).all()


@given(traces(), st.floats(0.0, 200.0))
def test_changes_are_where_the_rate_changes(trace: Trace, start: float) -> None:
    here, expected = start, []
    for _ in range(5):
        following = trace.next_change(here)
        assert following > here
        if following == np.inf:
            break
        middle = (here + following) / 2
        assert trace.at(middle) == trace.at(here) or following - here < 1e-9
        expected.append(following)
        here = following
    if expected:
        found = trace.changes(start, here + 1e-9)
        assert len(found) == len(expected) or min(np.diff([start, *expected])) < 1e-7
        if len(found) == len(expected):
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-9)
