"""``targets``: time and bits until a target, over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator.answers.given import Given
from simulator.answers.groups import Group, one_task
from simulator.answers.knobs import played_on
from simulator.answers.over_seeds import OverSeeds, over_seeds
from simulator.answers.runs import Finished, Floats, Missing, find_runs
from simulator.answers.table import Answer, AtLeast
from simulator.answers.target import Target, place_in
from simulator.answers.times import somebody_reaches
from simulator.answers.timing import seconds_at_marks
from simulator.answers.to_target import ToTarget, bits_to_target, time_to_target

TARGET = {
    "target": "the value to reach",
    "metric": "accuracy (default), bleu, loss, train_loss or perplexity",
    "interpolate": "true: between the last mark that misses it and the first that does not",
}
KEYS = {
    "runs": "pattern of finished runs",
    **TARGET,
    "network": "networks to play them on, such as lte,wan_100m (default: as recorded)",
    "bits": "uplink (default), downlink or total",
    "count": "wire (default), paper or entropy",
    "confidence": "of the intervals, default 0.95",
    "horizon": "seconds: give the restricted mean time up to here; or auto, where the first seed ends without it",
}


def answer(given: Given) -> Answer:
    """Tabulate a row for each algorithm and network."""
    found, left = find_runs(given.patterns["runs"])
    one_task(found)
    target, confidence = given.target(), given.confidence()
    runs, missing = measured(found, target)
    somebody_reaches(runs, target)
    names = given.networks() if given.retimes else [None]
    rows, notes = [], [f"left out: {one}" for one in (*left, *missing)]
    groups = given.groups(runs)
    clocks = {run.path: _clocks(run, given) for run in runs}
    auto = given.options.get("horizon") == "auto"
    for at, name in enumerate(names):
        times = [[time_to_target(run, target, clocks[run.path][at]) for run in group.runs] for group in groups]
        horizon = _earliest(times) if auto else given.number("horizon")
        for group, seconds in zip(groups, times, strict=True):
            sent = [
                bits_to_target(run, target, given.options.get("bits", "uplink"), given.options.get("count", "wire"))
                for run in group.runs
            ]
            over = _summed(seconds, confidence, horizon)
            bits = _summed(sent, confidence, math.nan)
            network = name or (_played(group, given) if given.retimes else group.network)
            seen = over_seeds([float(one.not_before) for one in seconds], [True] * len(seconds)).median
            rows.append((group.label, network, over.seeds, over.reached, seen, *_told(over), *_told(bits)))
        if not math.isnan(horizon):
            where = f" on {name}" if name else ""
            notes.append(f"mean time{where}: restricted, of min(time, {horizon:g} s)")
    columns = ("algorithm", "network", "seeds", "reached", "missed until (s)", *_columns("time", "s"))
    return Answer((*columns, *_columns(given.options.get("bits", "uplink"), "bit")), rows, notes)


def measured(runs: Sequence[Finished], target: Target) -> tuple[list[Finished], list[str]]:
    """Part the runs that have the metric from those that have not, which are told.

    Raises
    ------
    Missing
        If none has.
    """
    having, missing = [], []
    for run in runs:
        try:
            place_in(run, target)
            having.append(run)
        except Missing as error:
            missing.append(str(error))
    if not having:
        raise Missing(missing[0])
    return having, missing


def _clocks(run: Finished, given: Given) -> Sequence[Floats | None]:
    """The clock at the marks on each network; None is the recorded one."""
    if not given.retimes:
        return [None]
    configs = [played_on(run, name, given.overrides) for name in given.networks()]
    return list(seconds_at_marks(run.folder, configs))


def _played(group: Group, given: Given) -> str:
    return ", ".join([group.runs[0].name("network"), *given.overrides])


def _earliest(times: Sequence[Sequence[ToTarget]]) -> float:
    """Where the first seed of any group ends without the target; NaN where all reach it."""
    return min((float(one.value) for group in times for one in group if not one.reached), default=math.nan)


def _summed(values: Sequence[ToTarget], confidence: float, horizon: float) -> OverSeeds:
    known = [one.reached for one in values]
    return over_seeds([float(one.value) for one in values], known, confidence, None if math.isnan(horizon) else horizon)


def _columns(what: str, unit: str) -> tuple[str, ...]:
    return (f"{what} median ({unit})", f"{what} mean", f"{what} low", f"{what} high")


def _told(over: OverSeeds) -> tuple[float, ...]:
    middle = over.median if over.median_known else AtLeast(over.median)
    return middle, over.mean, over.low, over.high
