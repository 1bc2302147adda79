"""Read one finished run: what it was asked to do, what it summed up, and its marks with their times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simulator.identity import config_hash, flatten, group_hash
from simulator.records.folder import RunFolder, RunFolderError
from simulator.sweeping.failure import read_failure

_NEEDED = ("round", "seconds")


@dataclass(frozen=True)
class Finished:
    """One run.

    Parameters
    ----------
    folder : Path
        As it was found.
    config_hash, group : str
        Of everything a result depends on; of the same without the seed and other bookkeeping.
    settings : Mapping
        ``config.*`` and ``summary.*`` by their dotted names; lists are written as JSON.
    marks : Table, m rows
        The metrics, the simulated seconds, and the mean and the maximum over workers of what their time went into.
    """

    folder: Path
    config_hash: str
    group: str
    settings: Mapping[str, Any]
    marks: pa.Table


def read_finished(folder: Path) -> Finished:
    """Read a run folder.

    Raises
    ------
    RunFolderError
        If the run is not finished, or one of its files is missing, damaged or about other marks than the rest.
    """
    run = RunFolder(folder)
    if not (folder / "summary.json").exists():
        failure = read_failure(folder)
        raise RunFolderError(f"failed: {failure['error']}" if failure else "half-written" if run.begun else "no run")
    run.require_complete()
    config, summary = run.read_config(), run.read_json("summary")
    metrics, timeline = run.read_table("metrics"), run.read_table("timeline")
    for name, table, needed in (("metrics", metrics, _NEEDED[:1]), ("timeline", timeline, _NEEDED)):
        if missing := [column for column in needed if column not in table.column_names]:
            raise RunFolderError(f"{name}.parquet has no column {', '.join(missing)}")
    if not len(metrics) or metrics["round"].to_pylist() != timeline["round"].to_pylist():
        raise RunFolderError("metrics.parquet and timeline.parquet hold different marks, or none")
    settings = {f"config.{key}": leaf(value) for key, value in flatten(config)}
    settings |= {f"summary.{key}": leaf(value) for key, value in told(summary)}
    marks = clocked(metrics, timeline)
    return Finished(folder, config_hash(config), group_hash(config), settings, marks)


def told(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the leaves of a summary; what is keyed by data (a histogram, links by name) stays whole, as one leaf."""
    for key, value in summary.items():
        if key == "complete":
            continue
        if isinstance(value, Mapping) and value and all(str(name).isidentifier() for name in value):
            yield from ((f"{key}.{name}", item) for name, item in value.items())
        else:
            yield key, value


def leaf(value: Any) -> Any:
    """Give a value that fits into a flat column; what has parts becomes JSON."""
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, list | tuple | Mapping) else value


def clocked(metrics: pa.Table, timeline: pa.Table) -> pa.Table:
    """Put beside the metrics the seconds of each mark and, of each kind of time, its mean and maximum over workers.

    A list column ``compute_s`` of the timeline becomes ``compute_mean_s`` and ``compute_max_s``.
    """
    table = metrics
    for name in timeline.column_names:
        if name == "round":
            continue
        column = timeline[name]
        if not pa.types.is_list(column.type):
            table = table.append_column(name, column)
            continue
        rows = [np.asarray(row, dtype=np.float64) for row in column.to_pylist()]
        kind = name.removesuffix("_s")
        for word, over in (("mean", np.mean), ("max", np.max)):
            values = [float(over(row)) if row.size else None for row in rows]
            table = table.append_column(f"{kind}_{word}_s", pa.array(values, pa.float64()))
    return table
