"""Outages, other traffic and jitter: what they do to a link, moment by moment, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from network_models import SERVER, star
from network_models.conditions import Jitter, Trace, combined, difference, fading, narrowest, on_off, product


@st.composite
def step_traces(draw: st.DrawFn) -> Trace:
    count = draw(st.integers(1, 5))
    rates = draw(st.lists(st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 10), min_size=count, max_size=count))
    times = np.arange(count) * 0.5
    if draw(st.booleans()):
        return Trace(times, rates, offset_s=draw(st.sampled_from([0.0, 0.75])))
    settled = draw(st.sampled_from(times.tolist()))
    period = draw(st.sampled_from([0.5, 1.0, 1.5])) + float(times[-1]) - settled
    return Trace(times, rates, period, settled, draw(st.sampled_from([0.0, 0.25, 1.3])))


@given(st.lists(step_traces(), min_size=1, max_size=3))
def test_compositions_hold_at_every_moment(traces: list[Trace]) -> None:
    moments = np.arange(0.011, 40.0, 0.113)
    values = np.array([[trace.at(t) for t in moments] for trace in traces])
    for compose, expected in (
        (product, values.prod(axis=0)),
        (narrowest, values.min(axis=0)),
        (difference, np.maximum(values[0] - values[1:].sum(axis=0), 0.0)),
    ):
        composed = compose(*traces)
        assert [composed.at(t) for t in moments] == pytest.approx(expected.tolist())
        # The sum of what was found at moments 2 ms apart, steps being at multiples of 10 ms.
        fine = np.arange(0.001, 12.0, 0.002)
        assert float(composed.bits(0.0, 12.0)) == pytest.approx(
            0.002 * composed.steps.at(fine + composed.offset_s).sum()
        )


def test_periods_without_a_short_common_multiple_are_refused() -> None:
    ones = [Trace([0.0, 0.1], [1.0, 2.0], period) for period in (1.000001, 0.999983, 1.000037)]
    with pytest.raises(ValueError, match="period_s: expected periods with a short common multiple, got 1"):
        combined(lambda values: values[0], *ones)
    assert product(Trace([0, 0.1], [1.0, 2.0], 0.3), Trace([0, 0.1], [1.0, 2.0], 0.7)).period_s == pytest.approx(2.1)


def test_outages_of_workers_and_links() -> None:
    outages = [
        {"worker": 1, "start_s": "1 s", "end_s": "2 s"},
        {"link": "0 down", "start_s": 4, "end_s": 5, "repeat_s": 10},
        {"link": "server up", "start_s": 7},
    ]
    fabric = star(2, 100, 200, 0.0, outages=outages).fabric
    assert [[fabric.label(at), rate.peak_bps] for at, rate in sorted(fabric.rates.items())] == [
        ["1 up", 100.0], ["server up", 100.0], ["0 down", 200.0], ["1 down", 200.0]
    ]  # fmt: skip
    assert [fabric.rates[1].at(t) for t in (0, 1, 1.5, 2, 90)] == [100.0, 0.0, 0.0, 100.0, 100.0]
    assert [fabric.rates[3].at(t) for t in (0, 4.5, 5, 13.9, 14.5, 15.5)] == [200.0, 0.0, 200.0, 200.0, 0.0, 200.0]
    assert [fabric.rates[2].at(t) for t in (0, 7, 1e6)] == [100.0, 0.0, 0.0]
    assert fabric.path_bps(0, 1) == 100.0


def test_a_trace_through_an_outage_and_other_traffic() -> None:
    trace = Trace([0, 1], [100.0, 300.0], 2.0)
    outages = [{"worker": 0, "start_s": 2.5, "end_s": 3.5}]
    fabric = star(2, 1, 1e3, 0.0, up_trace=trace, background_load=0.25, outages=outages).fabric
    assert [fabric.rates[0].at(t) for t in (0, 1, 2.4, 2.6, 3.4, 3.5, 4, 101)] == [75, 225, 75, 0, 0, 225, 75, 225]
    assert fabric.rates[1].at(2.6) == 75 and fabric.rates[3].at(0) == 750
    assert set(fabric.rates) == {0, 1, 3, 4}  # not the server's


def test_other_traffic_comes_and_goes() -> None:
    settings = dict(background_load=0.6, background_mean_on_s="2 s", background_mean_off_s=6.0, seed=4)
    fabric = star(50, 100, 100, 0.0, **settings).fabric
    rates = [fabric.rates[at].steps.rates_bps for at in fabric.rates]
    assert all(set(np.round(rate, 9)) == {40.0, 100.0} for rate in rates)
    means = np.array([fabric.rates[at].mean_bps for at in fabric.rates])
    # On a quarter of the time: 100 - 0.25 x 60 = 85. One link's share has a spread of about 4.5 %, of 100 links 0.45 %.
    assert means.mean() == pytest.approx(85.0, abs=1.5) and len(set(means)) == 100
    again = star(50, 100, 100, 0.0, **settings).fabric
    assert all(
        fabric.rates[at].steps.times_s.tobytes() == again.rates[at].steps.times_s.tobytes() for at in again.rates
    )
    other = star(50, 100, 100, 0.0, **settings | {"seed": 5}).fabric
    assert other.rates[0].mean_bps != fabric.rates[0].mean_bps


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(outages=[{"worker": 3, "end_s": 1}]), r"network.outages\[0\].worker: expected a worker in 0..1, got 3"),
        (dict(outages=[{"link": "0 sideways"}]), r"network.outages\[0\].link: expected a link such as '0 up'"),
        (dict(outages=[{"start_s": 1}]), r"outages\[0\]: expected either worker or link"),
        (dict(outages=[{"worker": 0, "when": 1}]), r"outages\[0\]: expected worker or link, .* got 'when'"),
        (dict(outages=[{"worker": 0, "start_s": 2, "end_s": 1}]), r"outages\[0\].end_s: expected a time after start_s"),
        (dict(outages=[{"worker": 0, "end_s": 2, "repeat_s": 1}]), r"outages\[0\].repeat_s: expected longer than"),
        (dict(outages=["soon"]), r"outages\[0\]: expected {worker or link, start_s, end_s}, got 'soon'"),
        (dict(outages=[{"link": "server up"}], server_up_bps="inf"), "expected a finite rate of server up, got inf"),
        (dict(background_load=1.0), "network.background_load: expected 0 <= share < 1, got 1.0"),
        (dict(background_load=0.5, background_mean_on_s=1), "expected both or none"),
        (dict(background_load=0.5, background_mean_on_s=0, background_mean_off_s=1), "expected more than 0 s"),
        (dict(jitter_s=-1), "network.jitter_s: expected a duration"),
        (dict(jitter="gaussian"), "network.jitter: expected one of uniform, exponential, lognormal, got 'gaussian'"),
        (dict(loss=1.0), "network.loss: expected 0 <= loss < 1, got 1.0"),
        (dict(half_duplex=True, down_bps=2e6), "network.half_duplex: expected up_bps = down_bps of worker 0"),
        (dict(half_duplex=[True]), "network.half_duplex: expected one value or 2"),
        (dict(half_duplex="yes"), "network.half_duplex: expected true or false, got 'yes'"),
        (dict(up_trace=[]), "network.up_trace: expected one trace or up to 2"),
        (dict(up_trace=5), "network.up_trace: expected a file or a Trace, got 5"),
        (dict(up_trace=Trace([0], [0.0])), "network.up_trace: expected a trace that delivers .* got at no time"),
        (dict(up_trace=Trace([0], [1.0]), trace_offset_s="spread"), "network.trace_offset_s: expected seconds, as"),
        (dict(trace_offset_s=-1, up_trace=Trace([0], [1.0])), "network.trace_offset_s: expected a duration"),
    ],
)
def test_bad_conditions(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        star(**{"workers": 2, "up_bps": 1e6, "down_bps": 1e6, "latency_s": 0.0, **settings})


def test_traces_are_dealt_to_the_workers_in_turn() -> None:
    one, two = Trace([0, 1], [1.0, 2.0], 2.0), Trace([0], [5.0])
    fabric = star(5, 9.0, 9.0, 0.0, up_trace=[one, two, None], trace_offset_s=[0, 0, 0, "1 s", 0]).fabric
    assert [fabric.rates[at].at(0) if at in fabric.rates else None for at in range(5)] == [1.0, 5.0, None, 2.0, 5.0]
    assert fabric.up_bps.tolist() == [2.0, 5.0, 9.0, 2.0, 5.0, 9.0] and fabric.rates[0].steps is fabric.rates[3].steps


@pytest.mark.parametrize("distribution", ["uniform", "exponential", "lognormal"])
def test_jitter_has_its_mean_and_its_spread(distribution: str) -> None:
    jitter = Jitter("20 ms", distribution, seed=7)
    source = np.arange(200_000)
    draws = jitter.delay_s(source, source + 1, 5)
    spread = {"uniform": 1 / np.sqrt(3), "exponential": 1.0, "lognormal": np.sqrt(np.e - 1)}[distribution]
    assert draws.min() >= 0 and draws.mean() == pytest.approx(0.02, rel=0.02)
    assert draws.std() == pytest.approx(0.02 * spread, rel=0.06)
    assert draws[17] == jitter.delay_s(17, 18, 5)  # a draw depends on its own arguments only
    for other in (jitter.delay_s(source, source + 1, 6), jitter.delay_s(source + 1, source, 5)):
        assert abs(np.corrcoef(draws, other)[0, 1]) < 0.02
    assert jitter.delay_s(SERVER, 0, 0) != Jitter("20 ms", distribution, seed=8).delay_s(SERVER, 0, 0)


def test_generators() -> None:
    link = on_off("2 Mbit/s", "100 kbit/s", mean_on_s=20, mean_off_s=10, length_s="10 h", seed=1)
    assert set(link.steps.rates_bps) == {2e6, 1e5} and link.period_s == 36_000
    # A third of the time off, over about 1,200 cycles: a spread of about 1.3 % of the time.
    assert link.mean_bps == pytest.approx(2e6 * 2 / 3 + 1e5 / 3, rel=0.06)
    fade = fading("5 Mbit/s", sigma=0.5, correlation=0.8, length_s=20_000, seed=2)
    logs = np.log(fade.steps.rates_bps / 5e6)
    assert logs.mean() == pytest.approx(0.0, abs=0.04) and logs.std() == pytest.approx(0.5, rel=0.05)
    assert np.corrcoef(logs[1:], logs[:-1])[0, 1] == pytest.approx(0.8, abs=0.02)
    for made in (on_off, fading):
        assert made(1e6, seed=3).steps.rates_bps.tobytes() == made(1e6, seed=3).steps.rates_bps.tobytes()
        assert made(1e6, seed=3).mean_bps != made(1e6, seed=4).mean_bps
    for made, settings, message in (
        (on_off, dict(mean_on_s=0.1), "mean_on_s: expected at least one step of 1 s"),
        (on_off, dict(length_s=0), "length_s: expected at least one step"),
        (fading, dict(correlation=1.0), "correlation: expected 0 <= correlation < 1"),
        (fading, dict(sigma=-1), "sigma: expected 0 <= sigma"),
    ):
        with pytest.raises(ValueError, match=message):
            made(1e6, **settings)
