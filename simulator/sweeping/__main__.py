"""``python -m simulator.sweeping status <folder>``: how many jobs of a sweep are done, which failed, and why."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import get_args

from simulator.config import reporting
from simulator.sweeping.folder import Standing, State, SweepFolder


def status(folder: SweepFolder) -> str:
    """Write the counts, then a line for each job that is neither finished nor waiting for its turn."""
    standings = folder.standings()
    counts = Counter(standing.state for standing in standings)
    told = ", ".join(f"{counts[state]} {state}" for state in get_args(State) if counts[state])
    lines = [f"{len(standings)} jobs in {folder.path}: {told}"]
    lines += [_line(standing) for standing in standings if standing.state in ("failed", "running", "half-written")]
    return "\n".join(lines)


def _line(standing: Standing) -> str:
    rounds = f", {standing.done} of {standing.of} rounds" if standing.of else ""
    why = f": {standing.why}" if standing.why else ""
    when = f" ({standing.when})" if standing.when else ""
    return f"{standing.state:12}  {standing.name}{rounds}{why}{when}"


def main() -> None:
    """Parse the arguments and print."""
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return
    if len(arguments) != 2 or arguments[0] != "status":
        raise ValueError(f"arguments: expected status <folder of a sweep>, got {' '.join(arguments) or 'nothing'}")
    print(status(SweepFolder(Path(arguments[1]))))


if __name__ == "__main__":
    reporting(main)
