"""Ratios out of what the older benchmarks print as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.results import MORE, Ratio

Values = Sequence[dict[str, Any]]


def values(printed: str) -> list[dict[str, Any]]:
    """Find the JSON in what a command printed: all of it, or the lines that are objects.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        return [json.loads(printed)]
    except json.JSONDecodeError:
        found = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    if not found:
        raise ValueError(f"expected a line of JSON, got {printed.strip().splitlines()[-1:] or 'nothing'}")
    return found


def gradients(found: Values) -> list[Ratio]:
    """Compare the gradients of all workers with one plain pass over their samples, one thread."""
    ratios = []
    for one in found:
        o = one["options"]
        shape = f"{o['model']}, {o['workers']} x {o['batch']}"
        for name, row in one["variants"].items():
            if not name.startswith("plain"):
                ratios.append(Ratio(f"{shape}, {name.rsplit('_', 1)[0]}", row["cpu_ratio"], "plain pass"))
    return ratios


def scale(found: Values) -> list[Ratio]:
    """Take the clock's share of a round in which all workers differ."""
    (one,) = found
    ratios = []
    for model, row in one["heterogeneous"].items():
        ratios.append(
            Ratio(f"clock, {row['workers']:,} different workers, {model}", row["clock_share"], "round (wall)")
        )
    return ratios


def memory(found: Values) -> list[Ratio]:
    """Compare peaks with what each algorithm is allowed, and with its [w, d] matrices."""
    ratios = []
    for one in found:
        name = f"{one['algorithm']}, {one['workers']} x {one['coordinates']:,}"
        ratios.append(Ratio(name, one["peak_bytes"] / one["allowed_bytes"], "the memory that is allowed", 1.0))
    return ratios


def retime(found: Values) -> list[Ratio]:
    """Compare re-timing on many networks at once with replaying each."""
    (one,) = found
    shape = f"{one['options']['networks']} networks x {one['options']['rounds']} rounds x {one['options']['workers']}"
    return [
        Ratio(f"{name}, {shape}", case["replay_s"] / case["many_s"], "replay's speed", better=MORE)
        for name, case in one["cases"].items()
    ]
