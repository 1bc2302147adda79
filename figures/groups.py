"""Say which runs repeat each other (all but the seed is equal) and name each group by what sets it apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from figures.problems import FigureError
from figures.runs import Run, section_name

T = TypeVar("T")
Settings = dict[str, Any]

# Where a run was written, continued or stored, and how it was shown, changes no number.
BOOKKEEPING = frozenset(
    {
        "seed",
        "resume",
        "cache",
        "run",
        "retimed_from",
        "progress",
        "hydra",
        "threads",
        "kernels",
        "parts",
        "driver",
        "checkpoint_every",
        "eval_every",
        "tracker",
        "state_on",
        "memory_gb",
    }
)
NAMES = ("name", "_target_")
SPOKEN = ("algorithm", "network", "task", "model")  # sections whose names say by themselves what they are


def settings(run: Run, without: Collection[str] = ()) -> Settings:
    """Flatten a configuration to dotted keys, leaving out the seed, bookkeeping and the sections named in `without`.

    A nested key or section that only repeats a top-level one (`task.workers` made from `workers`, `compute.stragglers`
    from `stragglers`) is left out too: it would split the seeds apart or say the same thing twice in a legend.
    """
    top = {key: value for key, value in run.config.items() if not isinstance(value, Mapping)}
    flat = dict(_flatten(run.config, ""))
    copies = [f"{section}.{key}." for section, value in run.config.items() for key in _repeated(value, run.config)]
    flat = {key: value for key, value in flat.items() if not key.startswith(tuple(copies))}
    kept = {}
    for key, value in flat.items():
        section, _, last = key.partition(".")
        last = last.rpartition(".")[2]
        if section in BOOKKEEPING or section in without or (last and last in top and top[last] == value):
            continue
        kept[key] = value
    for section in run.config:
        if section not in (*without, *BOOKKEEPING) and isinstance(run.config[section], Mapping):
            kept[f"{section}.name"] = section_name(run.config, section)
    return kept


def network_settings(run: Run, without: Collection[str] = ()) -> Settings:
    """Give those of a run's `settings` that are its network's."""
    return {key: value for key, value in settings(run, without).items() if key.startswith("network.")}


def _repeated(value: Any, top: Mapping[str, Any]) -> list[str]:
    """Give the keys under which a section holds a copy of another section."""
    items = value.items() if isinstance(value, Mapping) else ()
    return [key for key, item in items if isinstance(item, Mapping) and item == top.get(key)]


def _flatten(value: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flatten(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(item) if isinstance(item, list) else item


def grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    """Collect items of equal key, in order of first appearance."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def identity(run: Run, without: Collection[str] = ()) -> str:
    """Give a text that two runs share exactly when their `settings` are equal."""
    return json.dumps(settings(run, without), sort_keys=True, default=str)


def one_task(runs: Sequence[Run]) -> str:
    """Give the task all runs share.

    Raises
    ------
    FigureError
        If there are several: their losses and accuracies do not belong on one axis.
    """
    names = grouped(runs, lambda run: run.task)
    if len(names) > 1:
        where = ", ".join(f"{name} (e.g. {some[0].folder})" for name, some in names.items())
        raise FigureError(f"runs: expected one task on one axis, got {where}; narrow the pattern")
    return runs[0].task


def one_per_seed(runs: Sequence[Run], same: Callable[[Run, Run], bool]) -> list[Run]:
    """Keep one run of each seed out of a group of equal settings; a copy with equal numbers is dropped silently.

    Raises
    ------
    FigureError
        If two runs of one seed disagree: averaging them would pass a difference of code or machine off as a seed's.
    """
    kept: dict[Any, Run] = {}
    for run in runs:
        first = kept.setdefault(run.config.get("seed"), run)
        if not same(first, run):
            raise FigureError(
                f"runs: {first.folder} and {run.folder} have one configuration and seed {run.config.get('seed')} but "
                "different numbers; expected one of them, narrow the pattern"
            )
    return list(kept.values())


def labels(groups: Sequence[Settings], lead: str) -> list[str]:
    """Name groups of runs: the name in section `lead`, then whatever distinguishes a group from comparable ones.

    A section's own name is told where it varies; its other keys are told where they vary among groups in which the
    section has the same name, so `keep` is not told when only one top-k is shown beside QSGD.

    Examples
    --------
    >>> topk = {"algorithm.name": "topk", "workers": 4}
    >>> sgd = {"algorithm.name": "sgd", "workers": 4}
    >>> labels([topk | {"algorithm.keep": 0.1}, topk | {"algorithm.keep": 0.01}, sgd], "algorithm")
    ['topk, keep=0.1', 'topk, keep=0.01', 'sgd']
    """
    told: list[dict[str, str]] = [{} for _ in groups]
    columns: dict[tuple[str, tuple[str, ...]], str] = {}
    for key in sorted({key for group in groups for key in group}, key=lambda key: (key.count("."), key)):
        section, _, rest = key.partition(".")
        if rest in NAMES:
            continue
        texts = ["" if group.get(key) is None else str(group[key]) for group in groups]
        # Derived values repeat another key's differences: the key with the shortest path tells them.
        if columns.setdefault((key.rpartition(".")[2], tuple(texts)), key) != key:
            continue
        rivals = [group.get(f"{section}.name") if rest else None for group in groups]
        for members in grouped(range(len(groups)), rivals.__getitem__).values():
            if len({texts[at] for at in members}) > 1:
                for at in (at for at in members if texts[at]):
                    told[at][key] = _phrase(key, texts[at])
    result = []
    for group, phrases in zip(groups, told, strict=True):
        others = sorted({key for one in groups for key in one if key.endswith(".name") and key.count(".") == 1})
        varying = [key for key in others if key != f"{lead}.name" and len({str(one.get(key)) for one in groups}) > 1]
        names = [_named(key, group[key]) for key in (f"{lead}.name", *varying) if group.get(key) is not None]
        result.append(", ".join([*names, *phrases.values()]) or "?")
    return result


def _named(key: str, name: Any) -> str:
    section = key.partition(".")[0]
    return str(name) if section in SPOKEN else f"{section}={name}"


def _phrase(key: str, text: str) -> str:
    path, _, last = key.rpartition(".")
    if last == "_target_":
        return f"{path.rpartition('.')[2]}={text.rpartition('.')[2]}"
    return f"{last}={text}"
