"""The page of all ratios, ``docs/benchmarks.md``, made of the committed measurements.

python -m benchmarks.page                                     # make it again
python -m benchmarks.page outputs/benchmarks/all.json         # take these measurements first
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.check import COMMITTED
from benchmarks.results import LESS, Part, Ratio, read, write

PAGE = Path("docs/benchmarks.md")
HEAD = """# How fast it is

Made by `python -m benchmarks.page` of the measurements in `docs/benchmarks`; not edited by hand. All are ratios to a
yardstick that was timed beside them, of processor seconds unless said otherwise. `make bench` measures again,
`python -m benchmarks.check outputs/benchmarks/all.json` compares with what stands here.
"""


def page(parts: Sequence[Part]) -> str:
    """Lay out one section for each part."""
    return "\n".join([HEAD, *(_section(part) for part in sorted(parts, key=lambda part: part.name))])


def _section(part: Part) -> str:
    rows = "\n".join(_row(ratio) for ratio in part.ratios)
    missed = [name for name, reason in part.details.get("failures", {}).items() if reason]
    reasons = "".join(f"\nNot run: {name} ({part.details['failures'][name]}).\n" for name in missed)
    m = part.machine
    where = f"{m.get('processor')}, {m.get('cores')} cores, {m.get('system')}, load {m.get('load_1min')}"
    versions = ", ".join(f"{name} {m[name]}" for name in ("python", "torch", "numpy", "numba") if m.get(name))
    return f"""## {part.name}

| | ratio | of | goal | |
|---|---|---|---|---|
{rows}
{reasons}
`{part.command}`: {part.seconds:.0f} s on {where}; {versions}; commit {(part.commit or "unknown")}.
"""


def _row(ratio: Ratio) -> str:
    goal = "" if ratio.goal is None else f"{'at most' if ratio.better == LESS else 'at least'} {ratio.goal:g}"
    verdict = "" if ratio.goal is None else "met" if ratio.met else "missed"
    return f"| {ratio.what} | {ratio.value:.2f} | {ratio.yardstick} | {goal} | {verdict} |"


def take(measured: Sequence[Part], folder: Path) -> None:
    """Put measured parts in the place of the committed ones of the same names."""
    for part in measured:
        write(part, folder / f"{part.name}.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take what was measured, then make the page; 1 if a file cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, nargs="*", help="what a benchmark wrote, or `make bench` collected")
    options = parser.parse_args(arguments)
    try:
        take([part for path in options.measured for part in read(path)], COMMITTED)
        parts = [part for path in sorted(COMMITTED.glob("*.json")) for part in read(path)]
    except ValueError as error:
        print(f"page: {error}", file=sys.stderr)
        return 1
    PAGE.write_text(page(parts), encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
