"""``python -m simulator.collect '<glob>' ['<glob>' ...] [out=table.parquet] [seeds=each|mean]``

Joins every finished run that a pattern matches into one Parquet file, a row for each run and mark: configuration as
``config.*``, metrics, simulated clock, ``summary.*``. ``seeds=mean`` averages over the seeds of each configuration.
DuckDB, pandas and Polars read it as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from simulator.collect import collect, grouped
from simulator.config import reporting
from simulator.records.folder import atomically

_OUT = "table.parquet"
_SEEDS = ("each", "mean")


def read(arguments: Sequence[str]) -> tuple[list[str], Path, str]:
    """Split the arguments into patterns, the file to write, and what to do about seeds.

    Raises
    ------
    ValueError
        If there is no pattern, or a key or value is unknown.
    """
    patterns: list[str] = []
    given = {"out": _OUT, "seeds": _SEEDS[0]}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or "/" in key or "*" in key or Path(argument).exists():
            patterns.append(argument)
        elif key in ("runs", *given) and value:
            patterns, given = ([*patterns, value], given) if key == "runs" else (patterns, given | {key: value})
        else:
            raise ValueError(f"{key}: expected one of runs, {', '.join(given)}, with a value, got {argument!r}")
    if not patterns:
        raise ValueError("runs: expected a pattern of run folders, e.g. 'outputs/sweeps/*/*', got none")
    if given["seeds"] not in _SEEDS:
        raise ValueError(f"seeds: expected one of {', '.join(_SEEDS)}, got {given['seeds']!r}")
    return patterns, Path(given["out"]), given["seeds"]


def main() -> None:
    """Parse the arguments, collect, and write."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    patterns, out, seeds = read(sys.argv[1:])
    table = collect(patterns)
    runs = len(set(table["run"].to_pylist()))
    if seeds == "mean":
        table = grouped(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    atomically(out, lambda path: pq.write_table(table, path))
    print(f"{out}: {runs} runs, {len(table)} rows, {len(table.column_names)} columns")


if __name__ == "__main__":
    reporting(main)
