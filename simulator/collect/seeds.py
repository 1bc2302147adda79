"""Sum up what differs only in its seed: means, standard deviations and how many, by mark."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulator.identity import BOOKKEEPING
from simulator.records.folder import RunFolderError

_SEED = "config.seed"
# What a repetition of one run must give again.
_SAME = ("summary.digest", "summary.simulated_seconds")


def grouped(table: pa.Table) -> pa.Table:
    """Average the runs of each group over their seeds, at each mark.

    Parameters
    ----------
    table : Table
        As `collect` gives it.

    Returns
    -------
    Table
        One row for each group and round, by group and then round: ``group``, ``round``, ``n`` (seeds), for every
        number X of the metrics and the clock ``X.mean`` and ``X.std`` (with n - 1; null where n is 1), and the
        ``config.*`` that all runs of the group share.

    Raises
    ------
    RunFolderError
        If two runs have one configuration and seed but different results: averaging would pass a difference of code
        or machine off as a seed's. A copy with equal results counts once.
    """
    table = _one_per_seed(table)
    numbers = [
        field.name
        for field in table.schema
        if not field.name.startswith(("config.", "summary."))
        and field.name not in ("run", "config_hash", "group", "round")
        and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]
    settings = [name for name in table.column_names if name.startswith("config.") and not _bookkeeping(name)]
    deviation = pc.VarianceOptions(ddof=1, min_count=2)
    asked: list[tuple[str, str, Any]] = [("run", "count", None)]
    asked += [(name, "mean", None) for name in numbers] + [(name, "stddev", deviation) for name in numbers]
    asked += [(name, "min", None) for name in settings] + [(name, "max", None) for name in settings]
    found = table.group_by(["group", "round"], use_threads=False).aggregate(asked)
    found = found.sort_by([("group", "ascending"), ("round", "ascending")])
    columns = {"group": found["group"], "round": found["round"], "n": found["run_count"]}
    for name in numbers:
        columns[f"{name}.mean"], columns[f"{name}.std"] = found[f"{name}_mean"], found[f"{name}_stddev"]
    for name in settings:
        low, high = found[f"{name}_min"], found[f"{name}_max"]
        # a copy of the seed inside a section, say, is not the group's
        shared = pc.fill_null(pc.equal(low, high), False)
        columns[name] = pc.if_else(shared, low, pa.scalar(None, low.type))
    return pa.table(columns)


def _bookkeeping(name: str) -> bool:
    return name.split(".")[1] in BOOKKEEPING


def _one_per_seed(table: pa.Table) -> pa.Table:
    """Keep the first run of each group and seed."""
    keys = ["run", "group", _SEED, *(name for name in _SAME if name in table.column_names)]
    first: dict[tuple[Any, Any], dict[str, Any]] = {}
    kept: dict[str, bool] = {}
    for row in table.select(keys).to_pylist():
        if row["run"] in kept:
            continue
        other = first.setdefault((row["group"], row[_SEED]), row)
        kept[row["run"]] = other is row
        if any(other[name] != row[name] for name in keys[3:]):
            raise RunFolderError(
                f"collect: {other['run']} and {row['run']} have one configuration and seed {row[_SEED]} but different "
                "results; expected one of them, narrow the pattern"
            )
    return table.filter(pa.array([kept[run] for run in table["run"].to_pylist()], pa.bool_()))
