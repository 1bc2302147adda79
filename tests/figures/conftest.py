"""Run folders made by hand: the files a figure reads, with numbers small enough to check on paper."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

WriteRun = Callable[..., Path]


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Give a function that writes one complete run folder under `tmp_path` and returns it."""
    return writer(tmp_path)


def writer(place: Path) -> WriteRun:
    """Give a function that writes one complete run folder under `place` and returns it."""

    def write(
        name: str,
        *,
        algorithm: str = "sgd",
        network: str = "lan",
        task: str = "mini",
        seed: int = 1,
        workers: int = 2,
        rounds: Sequence[int] = (0, 10, 20),
        accuracy: Sequence[float | None] = (0.1, 0.5, 0.7),
        loss: Sequence[float] = (2.3, 1.0, 0.5),
        uplink: Sequence[int] = (0, 1000, 2000),
        downlink: Sequence[int] = (0, 4000, 8000),
        paper: Sequence[float | None] = (0.0, 6000.0, 12000.0),
        seconds: Sequence[float] = (0.0, 1.0, 2.0),
        summary: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        more: dict[str, Sequence[float]] | None = None,
    ) -> Path:
        folder = place / name
        folder.mkdir(parents=True)
        settings: dict[str, Any] = {
            "workers": workers,
            "rounds": rounds[-1],
            "seed": seed,
            "batch": 32,
            "algorithm": {"name": algorithm, "_target_": f"algorithms.{algorithm}.make"},
            "network": {"name": network, "workers": workers},
            "task": {"name": task, "seed": seed},
            "model": {"name": "mlp"},
        }
        for key, value in (config or {}).items():
            section, _, leaf = key.partition(".")
            if leaf:
                settings[section][leaf] = value
            else:
                settings[section] = value
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
        metrics = {
            "round": pa.array(rounds, pa.int64()),
            "loss": pa.array(loss, pa.float64()),
            "accuracy": pa.array(accuracy, pa.float64()),
            "uplink_wire_bytes": pa.array(uplink, pa.int64()),
            "downlink_wire_bytes": pa.array(downlink, pa.int64()),
            "uplink_paper_bits": pa.array(paper),  # null type where all are None, as a careless writer would
        }
        pq.write_table(pa.table(metrics | (more or {})), folder / "metrics.parquet")
        timeline = {"round": pa.array(rounds, pa.int64()), "seconds": pa.array(seconds, pa.float64())}
        pq.write_table(pa.table(timeline), folder / "timeline.parquet")
        (folder / "summary.json").write_text(json.dumps({"complete": True, "racy": False} | (summary or {})))
        return folder

    return write
