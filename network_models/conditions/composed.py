"""Several step functions as one: a trace through outages and other traffic, or the narrowest of two."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import lcm

import numpy as np

from network_models.conditions.steps import Floats
from network_models.conditions.trace import Trace

_MOST = 5_000_000  # steps of a result


def product(*traces: Trace) -> Trace:
    """Multiply: the second and later ones are shares, such as 0 in an outage."""
    return combined(lambda values: np.asarray(values.prod(axis=0)), *traces)


def difference(*traces: Trace) -> Trace:
    """Take the second and later ones from the first, and no less than 0: what other traffic leaves."""
    return combined(lambda values: values[0] - values[1:].sum(axis=0), *traces)


def narrowest(*traces: Trace) -> Trace:
    """The least at each moment: links in a row."""
    return combined(lambda values: np.asarray(values.min(axis=0)), *traces)


def combined(how: Callable[[Floats], Floats], *traces: Trace) -> Trace:
    """Apply a function to the rates of several traces at each moment from 0 on, and clamp below at 0.

    Parameters
    ----------
    how : callable
        Values (traces, m) to values (m,).
    *traces : Trace

    Returns
    -------
    Trace
        It repeats with the least common multiple of their periods, from where all of them repeat.

    Raises
    ------
    ValueError
        If the periods have no common multiple that a table can hold.
    """
    if len(traces) == 1:
        return traces[0]
    settled = max(_settled(trace) for trace in traces)
    period = common_period(*traces)
    end = settled + (period or 1.0)
    times = np.unique(np.concatenate(([0.0, settled], *(trace.changes(0.0, end) for trace in traces))))
    times = times[times < end]
    # Two traces' steps that coincide but for rounding are one step.
    apart = np.append(True, np.diff(times) > 1e-12 * end)
    apart[times == settled] = True
    times = times[apart]
    middles = (times + np.append(times[1:], end)) / 2  # well inside each step
    values = np.array([trace.steps.at(middles + trace.offset_s) for trace in traces])
    return Trace(times, np.maximum(how(values), 0.0), period, settled if period else 0.0)


def common_period(*traces: Trace) -> float | None:
    """The least common multiple of the periods; None when none repeats.

    Raises
    ------
    ValueError
        If a table of it would be too long.
    """
    periods = [trace.period_s for trace in traces if trace.period_s is not None]
    if not periods:
        return None
    exact = [Fraction(repr(period)).limit_denominator(10**9) for period in periods]
    bottom = lcm(*(period.denominator for period in exact))
    whole = Fraction(lcm(*(int(period * bottom) for period in exact)), bottom)
    steps = sum(len(trace.steps.times_s) * float(whole) / (trace.period_s or float(whole)) for trace in traces)
    if steps > _MOST:
        told = f"{', '.join(f'{period:g} s' for period in periods)} ({float(whole):g} s, {steps:.0f} steps)"
        raise ValueError(f"period_s: expected periods with a short common multiple, got {told}")
    return float(whole)


def _settled(trace: Trace) -> float:
    """From where on a trace repeats or stays, in simulated time."""
    steps = trace.steps
    return max(steps.settled_s - trace.offset_s, 0.0) if steps.period_s is None or steps.settled_s else 0.0
