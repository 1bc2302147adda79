"""Runs that repeat each other but for the seed, and a name for each such group."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.answers.runs import Finished
from simulator.identity import BOOKKEEPING

# What re-timing replaces: runs that differ in these alone are one trajectory.
CLOCK = frozenset({"network", "compute", "stragglers"})
_MEASURED = ("compute.seconds_per_step", "compute.memory_bytes_per_s", "compute.profile")


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
    networks = labels([_settings(group[0].config, ()) for group in members], "network")
    named = zip(labels(settings), networks, members, strict=True)
    return [Group(name, network, tuple(of)) for name, network, of in named]


def one_clock(runs: Sequence[Finished], overrides: Collection[str], network: bool) -> None:
    """Refuse to play runs side by side whose own compute models or networks differ.

    Parameters
    ----------
    overrides : collection of str
        Settings that replace theirs, which may differ.
    network : bool
        Whether a network replaces theirs.

    Raises
    ------
    ValueError
        Naming two runs and the keys in which they differ. Seeds, and what `compute=measured` has measured for each,
        may differ.
    """
    replaced = {override.lstrip("+~").partition("=")[0] for override in overrides} | ({"network"} if network else set())

    def clock(run: Finished) -> dict[str, Any]:
        sections = {key: run.config[key] for key in CLOCK if key in run.config}
        measured = _MEASURED if run.name("compute") == "measured" else ()
        return {
            key: value
            for key, value in _flat(sections, run.config)
            if key not in measured
            and not key.endswith(".seed")
            and not any(key == one or key.startswith(f"{one}.") for one in replaced)
        }

    first = clock(runs[0])
    for run in runs[1:]:
        other = clock(run)
        apart = sorted(key for key in first.keys() | other.keys() if first.get(key) != other.get(key))
        if apart:
            told = ", ".join(f"{key} ({first.get(key)!r} and {other.get(key)!r})" for key in apart[:3])
            raise ValueError(f"{told}: expected one for all runs, got two in {runs[0].path} and {run.path}; give one")


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
    counted = {key: value for key, value in config.items() if key not in BOOKKEEPING and key not in without}
    return dict(_flat(counted, config))


def _flat(value: Mapping[str, Any], top: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Flatten a configuration to dotted keys; copies of top-level keys and sections in a section are left out."""
    for key, item in value.items():
        if prefix and item == top.get(key) and item is not None:
            continue
        if isinstance(item, Mapping):
            yield from _flat(item, top, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(item) if isinstance(item, list) else item


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
