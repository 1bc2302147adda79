"""``break_even``: at which bandwidth two algorithms meet a target at the same time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from omegaconf import DictConfig

from simulator.answers.break_even import BreakEven, Contest, break_even, mean_meeting, pairs
from simulator.answers.commands.targets import TARGET
from simulator.answers.given import Given
from simulator.answers.groups import CLOCK, Group, grouped, one_clock, one_task
from simulator.answers.knobs import Knob, bandwidth, key_of, played_on
from simulator.answers.runs import find_runs
from simulator.answers.table import Answer

SEARCH = {
    "network": "one network to play them on (default: their own)",
    "key": "what is turned, such as network.latency_s (default: the bandwidth)",
    "low": "the least figure to try, in the key's unit (default: a thousandth of what it is)",
    "high": "the largest (default: a thousand times what it is)",
    "points": "of the coarse scan between them, default 25",
    "tolerance": "relative, default 0.001",
}
KEYS = {
    "a": "pattern of finished runs of one algorithm",
    "b": "pattern of finished runs of another one, of the same seeds",
    **TARGET,
    **SEARCH,
    "confidence": "of the interval over seeds, default 0.95",
}


def answer(given: Given) -> Answer:
    """Tabulate a row for each seed and meeting."""
    (first, left), (second, right) = (find_runs(given.patterns[key], key) for key in ("a", "b"))
    one_task([*first, *second])
    one_clock([*first, *second], given.overrides, "network" in given.options)
    sides = [_one_group(grouped(runs, CLOCK), key) for runs, key in ((first, "a"), (second, "b"))]
    names = [side.label for side in sides]
    if names[0] == names[1]:
        names = [f"{name} ({key})" for name, key in zip(names, ("a", "b"), strict=True)]
    target, confidence = given.target(), given.confidence()
    found: list[BreakEven] = []
    for pair in pairs(sides[0].runs, sides[1].runs):
        configs = [played_on(run, one_network(given), given.overrides) for run in pair]
        knob, low, high = search(given, configs[0])
        contest = Contest(pair, (configs[0], configs[1]))
        rest = (given.whole("points", 25), given.number("tolerance", 1e-3))
        found.append(break_even(contest, target, knob, low, high, *rest))
    rows = [row for one in found for row in _rows(one, names)]
    notes = [f"left out: {one}" for one in (*left, *right)]
    mean, least, most = mean_meeting(found, confidence)
    if len(found) > 1 and not math.isnan(mean):
        interval = f"{100 * confidence:g} % in [{least:.4g}, {most:.4g}]"
        notes.append(f"over {len(found)} seeds: {mean:.4g} {knob.unit}, {interval} (geometric mean)")
    columns = ("seed", f"{knob.name} ({knob.unit})", "faster below", "faster above", "remark")
    return Answer(columns, rows, notes)


def one_network(given: Given) -> str | None:
    """Read the one network to play on.

    Raises
    ------
    ValueError
        If there are several.
    """
    names = given.networks()
    if len(names) > 1:
        raise ValueError(f"network: expected one, got {', '.join(map(str, names))}")
    return names[0]


def search(given: Given, config: DictConfig) -> tuple[Knob, float, float]:
    """Read what is turned, and between which figures."""
    knob = key_of(config, given.options["key"]) if "key" in given.options else bandwidth(config)
    low, high = (given.figure(key, knob.unit, by * knob.at) for key, by in (("low", 1e-3), ("high", 1e3)))
    if not 0 < low < high < math.inf:
        raise ValueError(f"low, high: expected 0 < low < high for {knob.name}, got {low:g} and {high:g}")
    return knob, low, high


def _one_group(groups: Sequence[Group], key: str) -> Group:
    if len(groups) > 1:
        told = "; ".join(f"{group.label} (such as {group.runs[0].path})" for group in groups)
        raise ValueError(f"{key}: expected runs of one configuration, got {told}; narrow the pattern")
    return groups[0]


def _rows(found: BreakEven, names: Sequence[str]) -> list[tuple[object, ...]]:
    """A row for each meeting: below a rising one the logarithm of a's time over b's is negative, and a is faster."""
    rows: list[tuple[object, ...]] = []
    for meeting in found.meetings:
        below, above = (names[0], names[1]) if meeting.rising else (names[1], names[0])
        rows.append((found.seed, meeting.at, below, above, ""))
    if rows:
        return rows
    if found.faster is not None:
        always = names[found.faster]
        return [(found.seed, None, always, always, found.why or "faster in the whole range")]
    return [(found.seed, None, "?", "?", found.why or "no change of sign: equal somewhere in the range")]
