"""Compare new ratios with the committed ones: ``python -m benchmarks.check NEW.json``.

Fails, naming each, where a ratio is over a quarter worse than in ``docs/benchmarks/*.json``, or is gone from a part
that was measured again. Parts that were not are told and left out. Ratios vary by 15 % from run to run on a busy
machine: measure again before believing one failure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import Part, read

COMMITTED = Path("docs/benchmarks")
LIMIT = 0.25


def losses(new: Part, old: Part, limit: float) -> list[str]:
    """Say in a line each what is worse by more than `limit` than in an older measurement of the same part, or gone."""
    found, lines = new.by_name(), []
    for what, before in old.by_name().items():
        now = found.get(what)
        if now is None:
            lines.append(f"{new.name}: {what}: was {before.value:.2f} x {before.yardstick}, is gone")
        elif (now.yardstick, now.better) != (before.yardstick, before.better):
            lines.append(f"{new.name}: {what}: expected {before.yardstick} as the yardstick, got {now.yardstick}")
        elif now.loss(before) > limit:
            worse = f"{now.loss(before):.0%} worse"
            lines.append(f"{new.name}: {what}: {before.value:.2f} -> {now.value:.2f} x {now.yardstick}, {worse}")
    return lines


def load(paths: Sequence[Path]) -> dict[str, Part]:
    """Read parts by name; ValueError if one is there twice."""
    parts = [part for path in paths for part in read(path)]
    names = [part.name for part in parts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(map(str, paths))}: expected each part once, got several of {twice[0]}")
    return {part.name: part for part in parts}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print; 1 if anything is worse, or if there is nothing to compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new", type=Path, nargs="+", help="what a benchmark wrote, or `make bench` collected")
    parser.add_argument("--committed", type=Path, default=COMMITTED, help="the folder of committed parts")
    parser.add_argument("--limit", type=float, default=LIMIT, help="the loss that is let pass")
    options = parser.parse_args(arguments)
    try:
        new, old = load(options.new), load(sorted(options.committed.glob("*.json")))
    except ValueError as error:
        print(f"check: {error}", file=sys.stderr)
        return 1
    both = [name for name in old if name in new]
    if not both:
        print(
            f"check: expected a part of {', '.join(old) or 'nothing'}, got {', '.join(new) or 'none'}", file=sys.stderr
        )
        return 1
    lines = [line for name in both for line in losses(new[name], old[name], options.limit)]
    for name in both:
        here, there = new[name].machine.get("processor"), old[name].machine.get("processor")
        if here != there:
            print(f"{name}: on {here}, committed on {there}: ratios agree only roughly")
    for line in [*(f"{name}: not measured again" for name in old if name not in new), *lines]:
        print(line)
    compared = sum(len(old[name].ratios) for name in both)
    print(f"{compared} ratios of {', '.join(both)}: {len(lines)} worse by more than {options.limit:.0%}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
