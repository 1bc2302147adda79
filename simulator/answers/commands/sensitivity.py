"""``sensitivity``: which of bandwidth, latency, compute and encode limits a run."""

from __future__ import annotations

from simulator.answers.commands.targets import TARGET
from simulator.answers.given import Given
from simulator.answers.groups import one_task
from simulator.answers.knobs import played_on
from simulator.answers.runs import find_runs
from simulator.answers.sensitivity import sensitivity
from simulator.answers.table import Answer, AtLeast

KEYS = {
    "runs": "pattern of finished runs",
    "network": "networks to play them on (default: each run's own)",
    **(TARGET | {"target": "the value until which time counts (default: the whole run)"}),
}


def answer(given: Given) -> Answer:
    """Tabulate a row for each run, network and limit, the one that saves most first."""
    runs, left = find_runs(given.patterns["runs"])
    one_task(runs)
    target = given.target() if "target" in given.options else None
    rows: list[tuple[object, ...]] = []
    for group in given.groups(runs):
        for run in group.runs:
            for name in given.networks():
                config = played_on(run, name, given.overrides)
                found = sensitivity(run, config, target)
                known = float if found.reached else AtLeast
                who = (group.label, run.seed, str(config.network.name), known(found.seconds))
                for rank, limit in enumerate(found.limits, start=1):
                    share = limit.saved / found.seconds if found.seconds else 0.0
                    rows.append((*who, rank, limit.name, known(limit.seconds), limit.saved, 100 * share))
                rows.append((*who, None, "all of them", known(found.left), found.seconds - found.left, None))
    columns = ("algorithm", "seed", "network", "as it is (s)", "rank", "ideal", "takes (s)", "saves (s)", "saves (%)")
    return Answer(columns, rows, [f"left out: {one}" for one in left])
