"""Runs that repeat each other but for the seed, and a name for each such group."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.answers.runs import Finished
from simulator.config import FREE

# How a run was hosted and shown changes no number; how often it was evaluated changes which are known.
HOSTING = FREE | {"seed", "driver", "parts", "eval_every", "device"}
# What re-timing replaces: runs that differ in these alone are one trajectory.
CLOCK = frozenset({"network", "compute", "stragglers"})


@dataclass(frozen=True)
class Group:
    """Runs of one configuration, one for each seed, in the order of seeds.

    Parameters
    ----------
    label : str
        The algorithm, and what sets it apart from others of its name.
    network : str
        The network on which they were recorded, likewise.
    runs : tuple of Finished
    """

    label: str
    network: str
    runs: tuple[Finished, ...]


def one_task(runs: Iterable[Finished]) -> str:
    """Give the task that all runs share.

    Raises
    ------
    ValueError
        If there are several: their losses and accuracies do not compare.
    """
    found: dict[str, Finished] = {}
    for run in runs:
        found.setdefault(run.name("task"), run)
    if len(found) > 1:
        told = ", ".join(f"{name} (such as {run.path})" for name, run in found.items())
        raise ValueError(f"runs: expected one task, got {told}; narrow the pattern")
    return next(iter(found))


def grouped(runs: Sequence[Finished], without: Collection[str] = ()) -> list[Group]:
    """Put runs that differ only by their seed together.

    Parameters
    ----------
    runs : sequence of Finished
    without : collection of str
        Top-level sections that do not count: `CLOCK` where all are played on other networks.

    Raises
    ------
    ValueError
        If two runs of one group and seed ended in different weights.
    """
    groups: dict[str, list[Finished]] = {}
    for run in runs:
        groups.setdefault(json.dumps(_settings(run.config, without), sort_keys=True, default=str), []).append(run)
    members = [_one_per_seed(group) for group in groups.values()]
    settings = [_settings(group[0].config, without) for group in members]
    networks = labels([_settings(group[0].config, HOSTING - {"network"}) for group in members], "network")
    named = zip(labels(settings), networks, members, strict=True)
    return [Group(name, network, tuple(of)) for name, network, of in named]


def _one_per_seed(runs: Sequence[Finished]) -> list[Finished]:
    kept: dict[int, Finished] = {}
    for run in runs:
        first = kept.setdefault(run.seed, run)
        if first.summary.get("digest") != run.summary.get("digest"):
            raise ValueError(
                f"runs: expected one run of each seed, got {first.path} and {run.path}, which have one configuration "
                f"and seed {run.seed} but ended in different weights; narrow the pattern"
            )
    return [kept[seed] for seed in sorted(kept)]


def _settings(config: Mapping[str, Any], without: Collection[str]) -> dict[str, Any]:
    """Flatten a configuration to dotted keys; copies of top-level keys and sections in a section are left out."""
    flat: dict[str, Any] = {}

    def visit(value: Mapping[str, Any], prefix: str) -> None:
        for key, item in value.items():
            if prefix and item == config.get(key) and item is not None:
                continue
            if isinstance(item, Mapping):
                visit(item, f"{prefix}{key}.")
            else:
                flat[f"{prefix}{key}"] = json.dumps(item) if isinstance(item, list) else item

    visit({key: value for key, value in config.items() if key not in HOSTING and key not in without}, "")
    return flat


def labels(groups: Sequence[Mapping[str, Any]], lead: str = "algorithm") -> list[str]:
    """Name each flattened configuration: its `lead`, then what sets it apart from the others of that name.

    Keys of the network are told with networks only, and no others are told with them.

    Examples
    --------
    >>> topk = {"algorithm.name": "topk", "workers": 4}
    >>> labels([topk | {"algorithm.density": 0.1}, topk | {"algorithm.density": 0.01}, {"algorithm.name": "sgd"}])
    ['topk, density=0.1', 'topk, density=0.01', 'sgd']
    """
    names = [str(group.get(f"{lead}.name", "?")) for group in groups]
    told = []
    for name, group in zip(names, groups, strict=True):
        rivals = [other for other, called in zip(groups, names, strict=True) if called == name]
        keys = sorted({key for other in rivals for key in other if key.startswith("network.") == (lead == "network")})
        apart = [key for key in keys if len({str(other.get(key)) for other in rivals}) > 1]
        told.append(", ".join([name, *(f"{key.rpartition('.')[2]}={group.get(key)}" for key in apart)]))
    return told
