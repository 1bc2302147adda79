"""``cost``: money and energy at the user's prices, to a target and in total, part by part."""

from __future__ import annotations

from dataclasses import fields

from simulator.answers.commands.targets import TARGET, measured
from simulator.answers.cost import Prices, Usage, energy, money
from simulator.answers.given import Given
from simulator.answers.groups import one_task
from simulator.answers.knobs import played_on
from simulator.answers.runs import Finished, find_runs
from simulator.answers.table import Answer, AtLeast
from simulator.answers.target import place_in
from simulator.answers.times import somebody_reaches
from simulator.answers.timing import seconds_at_marks, spent_at_marks

_PRICES = {
    "worker_hour": "money for each worker's hour",
    "server_hour": "money for the server's hour",
    "gb_up": "money for 1e9 bytes out of workers",
    "gb_down": "money for 1e9 bytes into workers",
    "compute_w": "watts of a worker that computes or compresses",
    "communicate_w": "watts of a worker that sends or receives",
    "idle_w": "watts of a worker that waits",
    "server_w": "watts of the server",
    "joule_per_bit": "energy of a bit that leaves or enters a worker",
    "kwh": "money for a kilowatt-hour of that energy",
}
KEYS = {
    "runs": "pattern of finished runs",
    "network": "networks to play them on (default: as recorded)",
    **(TARGET | {"target": "the value until which cost counts as well (default: the whole run only)"}),
    **_PRICES,
}


def answer(given: Given) -> Answer:
    """Tabulate rows for each run and network: money and energy, each to the target and in total."""
    found, left = find_runs(given.patterns["runs"])
    one_task(found)
    prices = Prices(**{one.name: given.number(one.name, 0.0) for one in fields(Prices)})
    target = given.target() if "target" in given.options else None
    runs, missing = measured(found, target) if target else (found, [])
    if target is not None:
        somebody_reaches(runs, target)
    names = given.networks() if given.retimes else [None]
    kinds = (
        [("money", money)]
        if any((prices.worker_hour, prices.server_hour, prices.gb_up, prices.gb_down, prices.kwh))
        else []
    )
    kinds += [("J", energy)] if prices.energetic else []
    rows: list[tuple[object, ...]] = []
    for group in given.groups(runs):
        for run in group.runs:
            for name in names:
                usage, network = _usage(run, name, given)
                for unit, price in kinds:
                    parts = price(usage, prices)
                    who = (group.label, run.seed, network)
                    if target is not None:
                        where = place_in(run, target)
                        told = float if where.reached else AtLeast
                        rows += [(*who, f"to {target}", unit, part, told(where.of(of))) for part, of in parts.items()]
                    rows += [(*who, "in total", unit, part, float(of[-1])) for part, of in parts.items()]
    columns = ("algorithm", "seed", "network", "until", "unit", "part", "cost")
    return Answer(columns, rows, [f"left out: {one}" for one in (*left, *missing)])


def _usage(run: Finished, name: str | None, given: Given) -> tuple[Usage, str]:
    if not given.retimes:
        return Usage.recorded(run), run.name("network")
    config = played_on(run, name, given.overrides)
    seconds = seconds_at_marks(run.folder, [config])[0]
    return Usage.of(run, seconds, spent_at_marks(run.folder, config)), str(config.network.name)
