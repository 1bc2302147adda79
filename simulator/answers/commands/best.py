"""``best``: who meets a target first on each network, and by how much."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from omegaconf import DictConfig

from simulator.answers.best import Best, best
from simulator.answers.commands.targets import TARGET, measured
from simulator.answers.given import Given
from simulator.answers.groups import CLOCK, Group, grouped, one_clock, one_task
from simulator.answers.knobs import Knob, bandwidth, latency, played_on
from simulator.answers.runs import Finished, find_runs
from simulator.answers.table import Answer, AtLeast
from simulator.answers.target import Target
from simulator.answers.times import grid, recorded_times, times_to_target

KEYS = {
    "runs": "pattern of finished runs, of several algorithms",
    **TARGET,
    "network": "networks to play them on, such as lte,wan_100m (default: as recorded)",
    "bandwidth": "with one network: rates, as 1e6,1e7 or '1 Mbit/s:1 Gbit/s:7'; factors where it is no plain star",
    "latency": "with one network: latencies, as '1 ms:100 ms:5'; factors where it is no plain star",
    "confidence": "of the intervals, default 0.95",
}
_COLUMNS = ("winner", "time (s)", "second", "times slower", "low", "high", "decided")


def answer(given: Given) -> Answer:
    """Tabulate a row for each network, or for each pair of bandwidth and latency."""
    found, left = find_runs(given.patterns["runs"])
    one_task(found)
    target, confidence = given.target(), given.confidence()
    runs, missing = measured(found, target)
    notes = [f"left out: {one}" for one in (*left, *missing)]
    if "bandwidth" in given.options or "latency" in given.options:
        return _over_grid(runs, target, given, confidence, notes)
    if not given.retimes:
        return _as_recorded(runs, target, confidence, notes)
    groups, names = given.groups(runs), given.networks()
    times, reached = times_to_target(
        groups, target, lambda run: [played_on(run, name, given.overrides) for name in names]
    )
    told = best(times, reached, confidence)
    shown = [name or ", ".join([runs[0].name("network"), *given.overrides]) for name in names]
    rows = [(name, *_row(told, (at,), groups)) for at, name in enumerate(shown)]
    return Answer(("network", *_COLUMNS), rows, notes)


def _as_recorded(runs: Sequence[Finished], target: Target, confidence: float, notes: list[str]) -> Answer:
    """Compare what was recorded on each network, which also racy runs allow."""
    groups, rows = grouped(runs), []
    for network in dict.fromkeys(group.network for group in groups):
        rivals = [group for group in groups if group.network == network]
        told = best(*recorded_times(rivals, target), confidence)
        rows.append((network, *_row(told, (), rivals)))
    return Answer(("network", *_COLUMNS), rows, notes)


def _over_grid(runs: Sequence[Finished], target: Target, given: Given, confidence: float, notes: list[str]) -> Answer:
    names = given.networks()
    if len(names) != 1:
        raise ValueError(f"network: expected one with bandwidth= or latency=, got {', '.join(map(str, names))}")
    one_clock(runs, given.overrides, names[0] is not None)
    groups = grouped(runs, CLOCK)
    config = played_on(runs[0], names[0], given.overrides)
    knobs = (bandwidth(config), latency(config))
    axes = [_axis(given, "bandwidth", knobs[0]), _axis(given, "latency", knobs[1])]

    def networks(run: Finished) -> list[DictConfig]:
        return grid(played_on(run, names[0], given.overrides), *knobs, *axes)

    times, reached = times_to_target(groups, target, networks)
    shape = (len(axes[0]), len(axes[1]))
    told = best(times.reshape(*shape, *times.shape[1:]), reached, confidence)
    rows = [(axes[0][at[0]], axes[1][at[1]], *_row(told, at, groups)) for at in np.ndindex(*shape)]
    return Answer((*(f"{knob.name} ({knob.unit})" for knob in knobs), *_COLUMNS), rows, notes)


def _axis(given: Given, name: str, knob: Knob) -> list[float]:
    """Read the figures of one axis; as it stands where there are none."""
    try:
        return given.figures(name, knob.unit) or [knob.at]
    except ValueError as error:
        if knob.unit != "times":
            raise
        raise ValueError(f"{error}; this network has no single figure, and {knob.name} is turned") from None


def _row(told: Best, at: tuple[int, ...], groups: Sequence[Group]) -> tuple[object, ...]:
    winner, second = int(told.winner[at]), int(told.second[at])
    if winner < 0:
        return ("nobody", None, None, None, None, None, False)
    seconds = float(told.seconds[at][winner])
    if second < 0:
        return (groups[winner].label, seconds, None, None, None, None, bool(told.decided[at]))
    margin = float(told.margin[at])
    bounded = bool(told.censored[second])
    shown = AtLeast(margin) if bounded else margin
    rest = (float(told.low[at]), float(told.high[at]), bool(told.decided[at]))
    return (groups[winner].label, seconds, groups[second].label, shown, *rest)
