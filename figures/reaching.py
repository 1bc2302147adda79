"""How long each algorithm takes to a target at several bandwidths and latencies: as recorded, or by re-timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from figures.groups import grouped, identity, labels, network_settings, one_per_seed, settings
from figures.problems import FigureError
from figures.quantities import rate_bps, seconds
from figures.retiming import Question, replayable, seconds_at
from figures.runs import Run, same_clock, same_course
from figures.targets import Goal

KNOBS = ("network.name", "network.up_bps", "network.down_bps", "network.latency_s")


@dataclass(frozen=True)
class Times:
    """Times to a target of g groups of runs, at b bandwidths and l latencies, both ascending.

    Attributes
    ----------
    seconds : ndarray, shape (g, b, l)
        Mean over seeds; inf where a seed never gets there, NaN where nothing was recorded.
    seeds, reached : list of int
        Of each group: how many there are, and how many get there.
    latency_s : ndarray, shape (l,)
        NaN, alone, stands for the network's own latency.
    how : str
        Where the times come from, for the caption.
    runs : list of list of Run
        The members of each group, one of each seed.
    """

    labels: Sequence[str]
    algorithms: Sequence[str]
    bandwidth_bps: np.ndarray
    latency_s: np.ndarray
    seconds: np.ndarray
    seeds: Sequence[int]
    reached: Sequence[int]
    how: str
    runs: Sequence[Sequence[Run]]


def retimed(
    runs: Sequence[Run], goal: Goal, network: str, bandwidth_bps: np.ndarray, latency_s: np.ndarray | None = None
) -> Times:
    """Re-time one run of each algorithm and seed on `network` at every bandwidth and latency.

    Raises
    ------
    FigureError
        If no run can be re-timed, or the network has no such links.
    """
    groups = list(grouped(replayable(runs), lambda run: identity(run, ("network",))).values())
    members = [one_per_seed(group, same_course) for group in groups]
    latencies = np.array([np.nan]) if latency_s is None else latency_s
    reach = [all(goal.mark(run) is not None for run in group) for group in members]
    found = np.full((len(members), bandwidth_bps.size, latencies.size), np.inf)
    places = list(product(bandwidth_bps.tolist(), [None] if latency_s is None else latencies.tolist()))
    chosen = [(at, run) for at, group in enumerate(members) if reach[at] for run in group]
    times = seconds_at([question(run, goal, *place) for _, run in chosen for place in places], network)
    table = np.array(times).reshape(len(chosen), bandwidth_bps.size, latencies.size)
    for at in range(len(members)):
        if reach[at]:
            found[at] = table[[turn for turn, (owner, _) in enumerate(chosen) if owner == at]].mean(axis=0)
    names = labels([settings(group[0], ("network",)) for group in members], "algorithm")
    return _times(names, members, goal, bandwidth_bps, latencies, found, f"re-timed on {network}")


def question(run: Run, goal: Goal, bandwidth_bps: float, latency_s: float | None) -> Question:
    """Ask when a run that gets there does."""
    mark = goal.mark(run)
    assert mark is not None
    return Question(run.folder, int(run.metrics["round"][mark]), bandwidth_bps, latency_s)


def recorded(runs: Sequence[Run], goal: Goal) -> Times:
    """Read times off runs on networks that differ in the bandwidth and latency of the workers' links, and nothing else.

    Raises
    ------
    FigureError
        If their networks differ otherwise, or their links have no bandwidth and latency.
    """
    places = [_place(run) for run in runs]
    settled = [_network(run) for run in runs]
    others = {key for one in settled for key in one if any(two.get(key) != one[key] for two in settled)}
    if others:
        raise FigureError(
            f"runs: expected networks that differ in {', '.join(key.partition('.')[2] for key in KNOBS)} only, got "
            f"other {', '.join(sorted(others))}; narrow the pattern, or re-time all on one network (network=lan_1g)"
        )
    bandwidth, latency = (np.unique([place[at] for place in places]) for at in (0, 1))
    groups = grouped(zip(runs, places, strict=True), lambda pair: identity(pair[0], ("network",)))
    members, found = [], np.full((len(groups), bandwidth.size, latency.size), np.nan)
    for at, group in enumerate(groups.values()):
        for pairs in grouped(group, lambda pair: pair[1]).values():
            rate, delay = pairs[0][1]
            same = one_per_seed([run for run, _ in pairs], same_clock)
            marks = [goal.mark(run) for run in same]
            times = [np.inf if mark is None else run.seconds[mark] for run, mark in zip(same, marks, strict=True)]
            found[at, np.searchsorted(bandwidth, rate), np.searchsorted(latency, delay)] = np.mean(times)
        members.append(list({run.config.get("seed"): run for run, _ in group}.values()))
    names = labels([settings(group[0], ("network",)) for group in members], "algorithm")
    return _times(names, members, goal, bandwidth, latency, found, "as recorded")


def _times(
    names: Sequence[str],
    members: Sequence[Sequence[Run]],
    goal: Goal,
    bandwidth: np.ndarray,
    latency: np.ndarray,
    found: np.ndarray,
    how: str,
) -> Times:
    reached = [sum(goal.mark(run) is not None for run in group) for group in members]
    algorithms, seeds = [group[0].algorithm for group in members], [len(group) for group in members]
    return Times(names, algorithms, bandwidth, latency, found, seeds, reached, how, members)


def _network(run: Run) -> dict[str, object]:
    return {key: value for key, value in network_settings(run).items() if key not in KNOBS}


def _place(run: Run) -> tuple[float, float]:
    try:
        return rate_bps(run.config["network"]["up_bps"]), seconds(run.config["network"]["latency_s"])
    except (KeyError, TypeError, ValueError) as error:
        raise FigureError(
            f"{run.folder}: expected a network with one up_bps and latency_s ({error}); leave it out, or re-time on "
            "one that has them (network=lan_1g)"
        ) from error
