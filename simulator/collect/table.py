"""Find finished runs and stack them into one table that does not tell who ran them, or in which order."""

from __future__ import annotations

import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from simulator.collect.finished import Finished, read_finished
from simulator.records.folder import RunFolderError

_FILES = ("config.yaml", "metrics.parquet", "timeline.parquet", "trace.jsonl", "summary.json", "failed.json")


def collect(patterns: Sequence[str]) -> pa.Table:
    """Join every finished run that a pattern matches.

    Parameters
    ----------
    patterns : sequence of str
        Globs (``**`` descends) or plain folder names, of runs or of sweeps.

    Returns
    -------
    Table
        One row for each run and mark, by configuration and then round. ``run`` is the folder; ``config_hash`` and
        ``group`` say which runs have one configuration, and which one but for the seed; then the metrics, the clock,
        ``config.*`` and ``summary.*``. Every column is flat: whole numbers, numbers, truth values or text. Whole
        numbers and numbers together become numbers; other kinds together become text. What a run does not have is
        null.

    Raises
    ------
    RunFolderError
        If nothing matches, or no run that matches is finished.

    Notes
    -----
    Half-written and damaged runs are left out, each named once on standard error.
    """
    found = run_folders(patterns)
    runs: list[Finished] = []
    left_out: list[str] = []
    for folder in found:
        try:
            runs.append(read_finished(folder))
        except (RunFolderError, pa.ArrowException) as error:
            left_out.append(f"{folder}: {error}")
    if not runs:
        what = f"none of {len(found)} folders: {'; '.join(left_out)}"
        raise RunFolderError(f"collect: expected at least one finished run, got {what}")
    for line in left_out:
        print(f"warning: left out {line}", file=sys.stderr)
    return stacked(runs)


def stacked(runs: Sequence[Finished]) -> pa.Table:
    """Stack runs, in the order of their configurations; runs of one configuration follow their weights' digests."""
    ordered = sorted(runs, key=lambda run: (run.config_hash, str(run.settings.get("summary.digest")), str(run.folder)))
    counts = [len(run.marks) for run in ordered]
    repeat = pa.array([at for at, count in enumerate(counts) for _ in range(count)], pa.int64())
    leading: dict[str, list[Any]] = {
        "run": [str(run.folder) for run in ordered],
        "config_hash": [run.config_hash for run in ordered],
        "group": [run.group for run in ordered],
    }
    columns = {name: pa.array(values, pa.string()).take(repeat) for name, values in leading.items()}
    marks = stacked_marks([run.marks for run in ordered])
    columns |= {name: marks[name] for name in marks.column_names}
    for name in sorted({key for run in ordered for key in run.settings}):
        columns[name] = one_type([run.settings.get(name) for run in ordered]).take(repeat)
    return pa.table(columns)


def one_type(values: Sequence[Any]) -> pa.Array:
    """Make a column of values that runs may have given different types.

    Examples
    --------
    >>> one_type([1, 0.5, None]).type, one_type([1, "all"]).to_pylist(), one_type([True, 2]).to_pylist()
    (DataType(double), ['1', 'all'], ['true', '2'])
    """
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values), pa.float64())
    if kinds <= {int, float}:
        whole = kinds == {int} and all(-(2**63) <= value < 2**63 for value in values if value is not None)
        if whole:
            return pa.array(values, pa.int64())
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if len(kinds) == 1 and kinds <= {bool, str}:
        return pa.array(values)
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def stacked_marks(tables: Sequence[pa.Table]) -> pa.Table:
    """Stack the marks of runs; a column keeps its type where they agree on it, and is null where a run lacks it."""
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        names = dict.fromkeys(name for table in tables for name in table.column_names)
        table = pa.table(
            {name: one_type([value for table in tables for value in _values(table, name)]) for name in names}
        )
    kinds = [pa.field(field.name, pa.float64()) if pa.types.is_null(field.type) else field for field in table.schema]
    return table.cast(pa.schema(kinds))


def _values(table: pa.Table, name: str) -> list[Any]:
    return table[name].to_pylist() if name in table.column_names else [None] * len(table)


def run_folders(patterns: Sequence[str]) -> list[Path]:
    """Find the run folders that patterns match, and those directly inside a matched sweep, each once."""
    matches = [Path(match) for pattern in patterns for match in _expand(pattern)]
    if not matches:
        asked = " ".join(repr(pattern) for pattern in patterns)
        raise RunFolderError(f"collect: expected run folders, got {asked}, which matches nothing in {Path.cwd()}")
    folders: dict[Path, Path] = {}
    for match in sorted(matches):
        inside = sorted(match.iterdir()) if match.is_dir() and not _is_run(match) else []
        for folder in (match, *inside):
            if folder.is_dir() and _is_run(folder):
                folders.setdefault(folder.resolve(), folder)
    if not folders:
        what = f"{len(matches)} matches without a run, e.g. {matches[0]}"
        raise RunFolderError(f"collect: expected run folders, got {what}")
    return list(folders.values())


def _expand(pattern: str) -> list[str]:
    return [pattern] if Path(pattern).exists() else glob.glob(pattern, recursive=True)


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in _FILES)
