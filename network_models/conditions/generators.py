"""Traces made up from a seed: a link that comes and goes, and one that fades."""

from __future__ import annotations

import numpy as np

from network_models.conditions.trace import Trace
from network_models.units import rate_bps, real, seconds


def on_off(
    on_bps: float | str,
    off_bps: float | str = 0.0,
    mean_on_s: float | str = 10.0,
    mean_off_s: float | str = 5.0,
    length_s: float | str = 600.0,
    step_s: float | str = 1.0,
    seed: int = 0,
) -> Trace:
    """Switch between two rates as a Markov chain that is asked once a step (Gilbert's).

    Parameters
    ----------
    on_bps, off_bps : float or str
        The two rates; the second may be 0.
    mean_on_s, mean_off_s : float or str
        Mean time in each, at least one step.
    length_s : float or str
        It repeats after so long.
    step_s : float or str
        Between two moments at which it may switch.
    seed : int
        The same seed gives the same trace.

    Notes
    -----
    The share of time on is mean_on / (mean_on + mean_off).
    """
    count, step = _steps(length_s, step_s)
    high, low = rate_bps(on_bps, "on_bps"), 0.0 if off_bps in (0, "0") else rate_bps(off_bps, "off_bps")
    leave = []
    for key, mean in (("mean_on_s", mean_on_s), ("mean_off_s", mean_off_s)):
        if seconds(mean, key) < step:
            raise ValueError(f"{key}: expected at least one step of {step:g} s, got {mean!r}")
        leave.append(step / seconds(mean, key))
    draws = np.random.default_rng([seed, 1]).random(count + 1)
    on = [bool(draws[0] < leave[1] / (leave[0] + leave[1]))]
    for draw in draws[1:count].tolist():
        on.append(on[-1] != (draw < leave[0 if on[-1] else 1]))
    on[0] |= not any(on)  # one that never delivers is of no use
    return Trace(step * np.arange(count), np.where(on, high, low), count * step)


def fading(
    median_bps: float | str,
    sigma: float = 0.6,
    correlation: float = 0.9,
    length_s: float | str = 600.0,
    step_s: float | str = 1.0,
    seed: int = 0,
) -> Trace:
    """Let the logarithm of the rate follow an AR(1) process.

    Parameters
    ----------
    median_bps : float or str
        The median rate.
    sigma : float
        Standard deviation of the natural logarithm of the rate. More is more variable; 0.6 is a factor of 1.8.
    correlation : float
        Of the logarithms of neighbouring steps, 0 <= correlation < 1. More fades more slowly.
    length_s, step_s, seed
        As for `on_off`.

    Notes
    -----
    z[k+1] = correlation z[k] + sqrt(1 - correlation^2) e[k], rate = median exp(sigma z), z[0] from the stationary
    distribution. The mean rate is median exp(sigma^2 / 2).
    """
    count, step = _steps(length_s, step_s)
    if not 0 <= real(correlation) < 1:
        raise ValueError(f"correlation: expected 0 <= correlation < 1, got {correlation!r}")
    if not 0 <= real(sigma) < 10:
        raise ValueError(f"sigma: expected 0 <= sigma < 10, got {sigma!r}")
    noise = np.random.default_rng([seed, 2]).standard_normal(count).tolist()
    log, logs, fresh = noise[0], [noise[0]], float(np.sqrt(1 - correlation**2))
    for value in noise[1:]:
        log = correlation * log + fresh * value
        logs.append(log)
    rates = rate_bps(median_bps, "median_bps") * np.exp(sigma * np.array(logs))
    return Trace(step * np.arange(count), rates, count * step)


def _steps(length_s: float | str, step_s: float | str) -> tuple[int, float]:
    length, step = seconds(length_s, "length_s"), seconds(step_s, "step_s")
    count = round(length / step) if step > 0 else 0
    if not 1 <= count <= 10**7:
        raise ValueError(
            f"length_s: expected at least one step of {step:g} s (and no more than 10^7), got {length_s!r}"
        )
    return count, step
