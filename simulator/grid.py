"""``python -m simulator.grid points=<file.csv> out=<file.csv> [network=wan_100m] [network.KEY=VALUE ...]``

When each of many runs would be after a round, at many bandwidths and latencies, without a run folder for each. A line
of `points` names a finished run's folder, one of its evaluated rounds, and the ``bandwidth_bps`` and ``latency_s`` to
which `simulator.answers.knobs` turn the network (empty: left where it stands). `out` holds the same lines with the
simulated ``seconds``.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig

from simulator.answers.knobs import bandwidth, latency, played_on
from simulator.answers.runs import Finished
from simulator.answers.timing import seconds_at_marks
from simulator.arguments import split
from simulator.config import reporting
from simulator.records.folder import atomically

COLUMNS = ("run", "round", "bandwidth_bps", "latency_s")


class Point(NamedTuple):
    """A question: the seconds after a round of a run, where each worker's link has this rate and latency."""

    run: str
    round: int
    bandwidth_bps: float | None
    latency_s: float | None


def seconds_at(points: Sequence[Point], network: str | None, overrides: Sequence[str]) -> list[float]:
    """Answer questions, in their order; `network` and `overrides` are those of `python -m simulator.retime`.

    Raises
    ------
    RunFolderError
        If a run is not finished or damaged.
    NotReplayable
        If a run is racy.
    ValueError
        If a round was not evaluated, or the network's links have not one bandwidth and latency to turn.
    """
    found: dict[int, float] = {}
    order = sorted(range(len(points)), key=lambda at: points[at].run)
    for path, places in groupby(order, key=lambda at: points[at].run):
        run, asked = Finished.read(Path(path)), list(places)
        rounds, config = list(run.rounds), played_on(run, network, overrides)
        turns = list(dict.fromkeys((points[at].bandwidth_bps, points[at].latency_s) for at in asked))
        clocks = seconds_at_marks(run.folder, [turned(config, *turn) for turn in turns])
        for at in asked:
            point = points[at]
            if point.round not in rounds:
                raise ValueError(f"round: expected one that was evaluated in {path}, got {point.round}")
            row = turns.index((point.bandwidth_bps, point.latency_s))
            found[at] = float(clocks[row, rounds.index(point.round)])
    return [found[at] for at in range(len(points))]


def turned(config: DictConfig, bandwidth_bps: float | None, latency_s: float | None) -> DictConfig:
    """Turn both knobs of a network.

    Raises
    ------
    ValueError
        If one is no rate or duration but a factor: the network has not one figure for all of its links.
    """
    for value, knob in ((bandwidth_bps, bandwidth), (latency_s, latency)):
        if value is None:
            continue
        found = knob(config)
        if found.unit == "times":
            raise ValueError(
                f"network: expected one whose links have one {knob.__name__}, such as lan_1g or wan_100m, got "
                f"{config.network.get('name')}"
            )
        config = found.turned(config, value)
    return config


def read_points(path: Path) -> list[Point]:
    """Read the questions.

    Raises
    ------
    ValueError
        If the file has other columns, or a number is none.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if set(reader.fieldnames or ()) != set(COLUMNS):
            raise ValueError(f"points: expected columns {', '.join(COLUMNS)} in {path}, got {reader.fieldnames}")
        try:
            return [
                Point(
                    row["run"],
                    int(row["round"]),
                    float(row["bandwidth_bps"]) if row["bandwidth_bps"] else None,
                    float(row["latency_s"]) if row["latency_s"] else None,
                )
                for row in reader
            ]
        except (ValueError, TypeError) as error:
            raise ValueError(f"points: expected numbers in line {reader.line_num} of {path}, {error}") from error


def main() -> None:
    """Parse ``key=value`` arguments, answer, write."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    given, overrides = split(sys.argv[1:], ("points", "out", "network"))
    for key in ("points", "out"):
        if not given.get(key):
            raise ValueError(f"{key}: expected a file, got nothing ({key}=<file.csv>)")
    points = read_points(Path(given["points"]))
    seconds = seconds_at(points, given.get("network"), overrides)
    lines = [(*COLUMNS, "seconds"), *((*point, repr(at)) for point, at in zip(points, seconds, strict=True))]
    atomically(Path(given["out"]), lambda path: _write(path, lines))


def _write(path: Path, lines: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


if __name__ == "__main__":
    reporting(main)
