"""``python -m simulator.timeline run=<folder> [rounds=10:20] [workers=0,1,2] [format=chrome|parquet] [out=<folder>]``

Who did what from when to when: plays a finished run again on its own network and writes every span of every worker as
``spans.parquet`` (which ``python -m figures gantt`` draws) and ``trace.perfetto.json`` (which ui.perfetto.dev and
chrome://tracing open, with a curve for each of the busiest links). ``rounds`` are counted from 1, both ends included;
without ``format`` both files are written, without ``out`` into the run's folder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import isclose
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import OmegaConf

from simulator.building import built
from simulator.config import reporting
from simulator.drivers.replay import retimed
from simulator.faults import Faults
from simulator.progress import duration
from simulator.records import perfetto
from simulator.records.folder import RunFolder, atomically
from simulator.records.links import MANY
from simulator.spans import Spans

_KEYS = ("run", "rounds", "workers", "format", "out", "cache")
_FORMATS = ("chrome", "parquet")


def replayed(run: RunFolder, spans: Spans) -> tuple[pa.Table, dict[int, str], float, float]:
    """Play a run again and give its spans, the names of its links, and the makespan now and as recorded.

    Raises
    ------
    RunFolderError
        If the run is not finished or damaged.
    """
    run.require_complete()
    config, recorded = OmegaConf.create(run.read_config()), run.read_json("summary")["simulated_seconds"]
    rounds = run.read_table("metrics")["round"].to_pylist()
    network, compute = built(config.network, "network"), built(config.compute, "compute")
    spans.loads = len(network.fabric.capacity_bps) <= MANY
    faults = built(config.faults, "faults") if "faults" in config else Faults()
    moments = retimed(run.trace, network, compute, set(rounds), spans, faults)
    makespan = moments[-1][1].seconds if moments else 0.0
    names = {resource: network.fabric.label(resource) for resource in spans.rates()}
    return spans.table(until=makespan), names, makespan, float(recorded)


def chosen(given: dict[str, str], workers: int) -> Spans:
    """Read ``rounds`` and ``workers``.

    Raises
    ------
    ValueError
        If they are no rounds, or no workers of this run.
    """
    first, last = 0, 2**62
    if "rounds" in given:
        low, colon, high = given["rounds"].partition(":")
        if not low.isdigit() or (colon and not high.isdigit()) or int(high or low) < int(low):
            raise ValueError(f"rounds: expected a round or first:last, such as 10:20, got {given['rounds']!r}")
        first, last = int(low), int(high or low)
    if "workers" not in given:
        return Spans(first, last)
    listed = given["workers"].split(",")
    if not all(worker.isdigit() and int(worker) < workers for worker in listed):
        raise ValueError(f"workers: expected numbers in 0..{workers - 1}, such as 0,1,2, got {given['workers']!r}")
    return Spans(first, last, sorted({int(worker) for worker in listed}))


def read(arguments: Sequence[str]) -> dict[str, str]:
    """Split ``key=value`` arguments.

    Raises
    ------
    ValueError
        If an argument is none, its key unknown or given twice, or ``run`` is missing.
    """
    given: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not value:
            raise ValueError(f"arguments: expected key=value, got {argument!r}")
        if key not in _KEYS or key in given:
            raise ValueError(f"{key}: expected one of {', '.join(_KEYS)}, each once, got {argument!r}")
        given[key] = value
    if "run" not in given:
        raise ValueError("run: expected the folder of a finished run, got nothing (run=<folder>)")
    if given.get("format", "chrome") not in _FORMATS:
        raise ValueError(f"format: expected one of {', '.join(_FORMATS)}, got {given['format']!r}")
    return given


def main() -> None:
    """Parse arguments, replay, and write."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    given = read(sys.argv[1:])
    run = RunFolder(Path(given["run"]))
    run.require_complete()
    spans = chosen(given, int(run.read_config()["workers"]))
    table, names, makespan, recorded = replayed(run, spans)
    if not len(table):
        raise ValueError(f"rounds: expected some of the run's, got {given.get('rounds')!r}, in which nothing happened")
    if not isclose(makespan, recorded, rel_tol=1e-12):
        print(
            f"warning: replayed, the run takes {makespan!r} s, but {recorded!r} s were recorded: the code has changed, "
            "or the run depended on time in a way that its trace does not tell",
            file=sys.stderr,
        )
    folder = Path(given.get("out", given["run"]))
    folder.mkdir(parents=True, exist_ok=True)
    if given.get("format", "parquet") == "parquet":
        atomically(folder / "spans.parquet", lambda path: pq.write_table(table, path))
        print(folder / "spans.parquet")
    if given.get("format", "chrome") == "chrome":

        def write(path: Path) -> None:
            with open(path, "w", encoding="utf-8") as file:
                perfetto.write(file, table, spans.rates(), names)

        atomically(folder / "trace.perfetto.json", write)
        print(folder / "trace.perfetto.json")
    print(f"{len(table)} spans of {duration(makespan)}", file=sys.stderr)


if __name__ == "__main__":
    reporting(main)
