"""``python -m simulator.grid points=<file.csv> out=<file.csv> [network=wan_100m] [network.KEY=VALUE ...]``

When each of many runs would be after a round, at many bandwidths and latencies, without a run folder for each. A line
of `points` names a finished run's folder, one of its marked rounds, and the ``bandwidth_bps`` and ``latency_s`` (empty:
the network's own) that every worker's link gets: up_bps and down_bps, and latency_s. `out` holds the same lines with
the simulated ``seconds``. A trace is read once and played up to the last round that a point asks for.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from hydra import initialize_config_module
from omegaconf import DictConfig, OmegaConf, open_dict

from simulator.clock import Clock, play
from simulator.config import register, reporting
from simulator.records.folder import RunFolder, atomically
from simulator.retime import clocked
from simulator.trace import Entry, Header, NotReplayable, read_trace

COLUMNS = ("run", "round", "bandwidth_bps", "latency_s")


class Point(NamedTuple):
    """A question: the seconds after a round of a run, where each worker's link has this rate and latency."""

    run: str
    round: int
    bandwidth_bps: float | None
    latency_s: float | None


def seconds_at(points: Sequence[Point], network: str | None, overrides: list[str]) -> list[float]:
    """Answer questions, in their order; `network` and `overrides` are those of `python -m simulator.retime`.

    Raises
    ------
    RunFolderError
        If a run is not finished or damaged.
    NotReplayable
        If a run is racy, or its programs talk by messages.
    ValueError
        If a round has no mark, or the network has no links of one bandwidth and latency.
    """
    found: dict[int, float] = {}
    order = sorted(range(len(points)), key=lambda at: points[at].run)
    for run, places in groupby(order, key=lambda at: points[at].run):
        source, asked = RunFolder(Path(run)), list(places)
        source.require_complete()
        with initialize_config_module("conf", version_base="1.3"):
            config = clocked(source, network, overrides)
        header, entries = _entries(source, max(points[at].round for at in asked))
        for at in asked:
            found[at] = _played(points[at], config, header, entries)
    return [found[at] for at in range(len(points))]


def _entries(source: RunFolder, last: int) -> tuple[Header, list[Entry]]:
    """Read a trace up to the mark of a round."""
    header, rest = read_trace(source.trace)
    if header.racy is not None:
        raise NotReplayable(f"run: expected a trace that time has not touched, got a racy one ({header.racy})")
    entries: list[Entry] = []
    for entry in rest:
        if "process" in entry:
            raise NotReplayable(f"run: expected a synchronous program, got one that talks by messages ({source.path})")
        entries.append(entry)
        if entry["op"] == "mark" and entry["round"] >= last:
            break
    return header, entries


def _played(point: Point, config: DictConfig, header: Header, entries: Sequence[Entry]) -> float:
    from simulator.runner import built

    here = OmegaConf.create(config)
    with open_dict(here):
        for value, keys in ((point.bandwidth_bps, ("up_bps", "down_bps")), (point.latency_s, ("latency_s",))):
            for key in keys if value is not None else ():
                if key not in here.network:
                    raise ValueError(
                        f"network: expected one whose links have a {key}, such as lan_1g or wan_100m, got "
                        f"{here.network.get('name')}"
                    )
                here.network[key] = value
    clock = Clock(header, built(here.network, "network"), built(here.compute, "compute"))
    moments = play(entries, clock, {point.round})
    if not moments:
        raise ValueError(f"round: expected one with a mark in {point.run}, got {point.round}")
    return moments[0][1].seconds


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
    given: dict[str, str] = {}
    overrides: list[str] = []
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    for argument in sys.argv[1:]:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"arguments: expected key=value, got {argument!r}")
        if key in ("points", "out", "network"):
            given[key] = value
        else:
            overrides.append(argument)
    for key in ("points", "out"):
        if not given.get(key):
            raise ValueError(f"{key}: expected a file, got nothing ({key}=<file.csv>)")
    register()
    points = read_points(Path(given["points"]))
    seconds = seconds_at(points, given.get("network"), overrides)
    lines = [(*COLUMNS, "seconds"), *((*point, repr(at)) for point, at in zip(points, seconds, strict=True))]
    atomically(Path(given["out"]), lambda path: _write(path, lines))


def _write(path: Path, lines: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


if __name__ == "__main__":
    reporting(main)
