"""Command line: ``python -m figures NAME runs='<glob>' out=<folder> [key=value ...]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from figures.arguments import TABLES, Arguments, parse, usage
from figures.making import make_figure, make_gallery, make_table
from figures.problems import FigureError, warn
from figures.runs import Run, find_runs


def _gallery(asked: Arguments, runs: Sequence[Run]) -> None:
    made = 0
    for name, files in make_gallery(asked, runs):
        if isinstance(files, FigureError):
            print(f"skipped {name}: {files}")
            continue
        made += 1
        for path in files:
            print(path)
    if not made:
        raise FigureError("runs: expected what some figure needs, got none of it; the reasons are above")


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code: 0, or 1 after one message on stderr."""
    if any(argument in ("-h", "--help", "help") for argument in arguments):
        print(usage())
        return 0
    try:
        asked = parse(arguments)
        runs, skipped = find_runs(asked.patterns) if asked.patterns else ([], [])
        if skipped:
            warn(f"left out {len(skipped)} half-written: {', '.join(skipped)}")
        if asked.name in TABLES:
            make_table(asked, runs)
        elif asked.name == "gallery":
            _gallery(asked, runs)
        else:
            for path in make_figure(asked, runs):
                print(path)
    except (FigureError, OSError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
