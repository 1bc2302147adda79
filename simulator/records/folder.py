"""The run folder: one writer for each file, every file whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml

from simulator.moment import SPENT
from simulator.records.counters import COUNTERS, DIRECTIONS, PARTS

_BITS = [
    pa.field(f"{direction}_{counter}{part}_bits", pa.float64())
    for direction in DIRECTIONS
    for counter in COUNTERS
    for part in ("", *(f"_{p}" for p in PARTS))
]
METRICS = pa.schema(
    [
        pa.field("round", pa.int64()),
        pa.field("samples", pa.int64()),
        pa.field("train_loss", pa.float64()),
        pa.field("loss", pa.float64()),
        pa.field("accuracy", pa.float64()),
        pa.field("perplexity", pa.float64()),
        pa.field("bleu", pa.float64()),
        *(pa.field(f"{direction}_wire_bytes", pa.int64()) for direction in DIRECTIONS),
        *_BITS,
    ]
)
TIMELINE = pa.schema(
    [
        pa.field("round", pa.int64()),
        pa.field("seconds", pa.float64()),
        *(pa.field(f"{kind}_s", pa.list_(pa.float64())) for kind in (*SPENT, "transfer")),
    ]
)

# The same as SafeLoader, in C, and 7 times faster: a thousand runs are read when they are collected.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

T = TypeVar("T")


class RunFolderError(ValueError):
    """A run folder is not what the command needs."""


def atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under another name, force it to disk, then give it its name."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    write(partial)
    with open(partial, "rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trace = path / "trace.jsonl"
        self.checkpoint = path / "checkpoint.pt"

    @property
    def complete(self) -> bool:
        """Whether a run ended here."""
        return (self.path / "summary.json").exists() and bool(self.read_json("summary").get("complete"))

    @property
    def begun(self) -> bool:
        """Whether a run began here."""
        return (self.path / "config.yaml").exists()

    def require_complete(self) -> None:
        """Refuse a folder in which no run ended.

        Raises
        ------
        RunFolderError
            With what is there instead.
        """
        if not self.path.is_dir():
            raise RunFolderError(f"run: expected the folder of a finished run, got {self.path}, which does not exist")
        if not self.complete:
            state = "a half-written run (finish it with resume=true)" if self.begun else "no run"
            raise RunFolderError(f"run: expected the folder of a finished run, got {self.path}, which holds {state}")

    def write_config(self, config: dict[str, Any]) -> None:
        """Write the resolved configuration."""
        text = yaml.safe_dump(config, sort_keys=False)
        atomically(self.path / "config.yaml", lambda p: _text(p, text))

    def read_config(self) -> dict[str, Any]:
        """Read the resolved configuration."""
        return self._read("config.yaml", lambda path: dict(yaml.load(path.read_text(), Loader=_LOADER)))

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write ``NAME.json``."""
        atomically(self.path / f"{name}.json", lambda p: _text(p, json.dumps(content, indent=1) + "\n"))

    def read_json(self, name: str) -> dict[str, Any]:
        """Read ``NAME.json``."""
        return self._read(f"{name}.json", lambda path: dict(json.loads(path.read_text())))

    def write_table(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
        """Write ``NAME.parquet`` from rows; the same rows give the same bytes."""
        self.write_columns(name, pa.Table.from_pylist(rows, schema=schema))

    def write_columns(self, name: str, table: pa.Table) -> None:
        """Write ``NAME.parquet``; the same table gives the same bytes."""
        atomically(self.path / f"{name}.parquet", lambda p: pq.write_table(table, p))

    def read_table(self, name: str) -> pa.Table:
        """Read ``NAME.parquet``."""
        return self._read(f"{name}.parquet", pq.read_table)

    def _read(self, name: str, read: Callable[[Path], T]) -> T:
        """Read one file, or say which file is missing or damaged."""
        path = self.path / name
        try:
            return read(path)
        except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
            what = "no such file" if not path.exists() else f"a damaged one ({error})"
            raise RunFolderError(f"run: expected a whole {path}, got {what}") from error

    def write_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint."""
        atomically(self.checkpoint, lambda p: torch.save(state, p))

    def read_checkpoint(self) -> dict[str, Any] | None:
        """Read the checkpoint, or None before the first; its tensors stay in the file until they are looked at.

        Raises
        ------
        RunFolderError
            If it, or the trace that it continues, is damaged.
        """
        if not self.checkpoint.exists():
            return None
        advice = "delete the folder to start over"
        try:
            state = dict(torch.load(self.checkpoint, map_location="cpu", weights_only=True, mmap=True))
        except Exception as error:  # pickle, zip and torch each have their own
            raise RunFolderError(f"resume: expected a whole {self.checkpoint}, got {error}; {advice}") from error
        length = self.trace.stat().st_size if self.trace.exists() else 0
        if length < state["trace_bytes"]:
            raise RunFolderError(
                f"resume: expected at least {state['trace_bytes']} bytes in {self.trace}, got {length}; {advice}"
            )
        return state


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
