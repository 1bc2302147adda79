"""Find run folders and read them. A half-written folder among good ones is left out and named, never read in part."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import yaml

from figures.problems import FigureError

RUN_FILES = ("config.yaml", "manifest.json", "metrics.parquet", "timeline.parquet", "trace.jsonl", "summary.json")
METRICS = ("round", "loss", "accuracy", "uplink_wire_bytes", "downlink_wire_bytes", "uplink_paper_bits")
SOMETIMES = ("samples", "perplexity", "bleu")  # not in the runs of older versions, where they read as null


@dataclass(frozen=True)
class Run:
    """One complete run: its configuration and what was measured at its m marks.

    `metrics` maps each name of `METRICS` and `SOMETIMES` to float64 [m] (NaN where the file holds null), counts being
    cumulative and summed over workers; `seconds` is the simulated clock at the same marks, float64 [m].
    """

    folder: Path
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    metrics: Mapping[str, np.ndarray]
    seconds: np.ndarray

    @property
    def workers(self) -> int:
        return int(self.config["workers"])

    @property
    def task(self) -> str:
        return section_name(self.config, "task")

    @property
    def algorithm(self) -> str:
        return section_name(self.config, "algorithm")


def same_course(first: Run, second: Run) -> bool:
    """Whether two runs measured the same at the same rounds, whatever their clocks say."""
    return all(np.array_equal(first.metrics[name], second.metrics[name], equal_nan=True) for name in first.metrics)


def same_clock(first: Run, second: Run) -> bool:
    """Whether two runs measured the same at the same simulated seconds."""
    return np.array_equal(first.seconds, second.seconds) and same_course(first, second)


def section_name(config: Mapping[str, Any], section: str) -> str:
    """Give the name of what fills a slot of the configuration: its `name`, else the class it makes, else "?"."""
    value = config.get(section)
    if not isinstance(value, Mapping):
        return "?" if value is None else str(value)
    return str(value.get("name") or str(value.get("_target_", "?")).rpartition(".")[2])


def find_runs(patterns: Sequence[str]) -> tuple[list[Run], list[str]]:
    """Read every complete run folder that a pattern matches.

    Parameters
    ----------
    patterns : sequence of str
        Globs (``**`` descends) or plain folder names.

    Returns
    -------
    list of Run
        In the natural order of their folders: run 2 comes before run 10.
    list of str
        One entry "folder (reason)" for each folder left out.

    Raises
    ------
    FigureError
        If nothing matches, or nothing that matches is a complete run.
    """
    matches = sorted({Path(match) for pattern in patterns for match in _expand(pattern)}, key=_natural)
    asked = " ".join(f"runs='{pattern}'" for pattern in patterns)
    if not matches:
        raise FigureError(f"{asked}: expected at least one run folder, the pattern matches nothing in {Path.cwd()}")
    folders = [match for match in matches if match.is_dir()]
    candidates = [folder for folder in folders if any((folder / name).exists() for name in RUN_FILES)]
    runs: list[Run] = []
    skipped: list[str] = []
    for folder in candidates + [folder for folder in folders if _stray(folder, candidates)]:
        try:
            runs.append(read_run(folder))
        except FigureError as error:
            skipped.append(f"{folder} ({error})")
    if not runs:
        found = "; ".join(skipped) or f"{len(matches)} matching files, no folder"
        raise FigureError(f"{asked}: expected at least one complete run folder, got {found}")
    return runs, skipped


def _expand(pattern: str) -> list[str]:
    return [pattern] if Path(pattern).exists() else glob.glob(pattern, recursive=True)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key in which digits count as numbers."""
    pieces = re.split(r"(\d+)", str(path))
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces]


def _stray(folder: Path, candidates: Sequence[Path]) -> bool:
    """Whether a matched folder is neither a run, nor above one (a sweep), nor inside one (its checkpoints)."""
    return not any(folder == run or folder in run.parents or run in folder.parents for run in candidates)


def read_run(folder: Path) -> Run:
    """Read one run folder.

    Raises
    ------
    FigureError
        If a file is missing, unreadable or contradicts another one, or the run did not end (`complete` is not true).
    """
    if not (folder / "summary.json").exists():
        raise FigureError("no summary.json")
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        if not isinstance(summary, dict) or summary.get("complete") is not True:
            raise FigureError("summary.json does not say complete: true")
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        metrics = _columns(folder / "metrics.parquet", METRICS, SOMETIMES)
        timeline = _columns(folder / "timeline.parquet", ("round", "seconds"))
    except (OSError, ValueError, yaml.YAMLError, pyarrow.ArrowException) as error:
        if isinstance(error, FigureError):
            raise
        raise FigureError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if not isinstance(config, dict) or not isinstance(config.get("workers"), int):
        raise FigureError("config.yaml: expected a mapping with a whole number of workers")
    if not np.array_equal(metrics["round"], timeline["round"]):
        raise FigureError("metrics.parquet and timeline.parquet hold different marks")
    if not metrics["round"].size:
        raise FigureError("metrics.parquet holds no mark")
    return Run(folder, config, summary, metrics, timeline["seconds"])


def _columns(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    if not path.exists():
        raise FigureError(f"no {path.name}")
    with parquet.ParquetFile(path) as file:
        missing = [name for name in names if name not in file.schema_arrow.names]
        if missing:
            raise FigureError(f"{path.name} has no column {', '.join(missing)}")
        found = [name for name in optional if name in file.schema_arrow.names]
        table = file.read(columns=[*names, *found])
    # A column that is null throughout may have been written with the null type, hence the cast.
    columns = {name: table.column(name).cast(pyarrow.float64()).to_numpy() for name in table.column_names}
    nulls = {name: np.full(table.num_rows, np.nan) for name in optional}
    return nulls | {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
