"""``utilisation``: which bandwidth keeps workers computing for a share of their time."""

from __future__ import annotations

from simulator.answers.commands.break_even import SEARCH, one_network, search
from simulator.answers.given import Given
from simulator.answers.groups import one_task
from simulator.answers.knobs import played_on
from simulator.answers.runs import find_runs
from simulator.answers.table import Answer
from simulator.answers.utilisation import knob_for_utilisation, utilisation

KEYS = {"runs": "pattern of finished runs", "share": "of a worker's time computing, default 0.9", **SEARCH}


def answer(given: Given) -> Answer:
    """Tabulate a row for each run and figure at which the share is met."""
    runs, left = find_runs(given.patterns["runs"])
    one_task(runs)
    share, rows = given.number("share", 0.9), []
    for group in given.groups(runs):
        for run in group.runs:
            config = played_on(run, one_network(given), given.overrides)
            knob, low, high = search(given, config)
            rest = (given.whole("points", 25), given.number("tolerance", 1e-3))
            found = knob_for_utilisation(run, config, share, knob, low, high, *rest)
            now, name = float(utilisation(run, [config])[0]), f"{knob.name} ({knob.unit})"
            needed: list[float | None] = [one.at for one in found.needed]
            remark = "" if found.needed else _why(found.at_low, found.at_high, share)
            rows += [
                (group.label, run.seed, now, name, at, found.at_low, found.at_high, remark) for at in needed or [None]
            ]
    columns = ("algorithm", "seed", "share now", "what is turned", f"at share {share:g}", "share at low", "at high")
    return Answer((*columns, "remark"), rows, [f"left out: {one}" for one in left])


def _why(low: float, high: float, share: float) -> str:
    if max(low, high) < share:
        return "never in the range: latency, compression and waiting take the rest"
    return "in the whole range"
