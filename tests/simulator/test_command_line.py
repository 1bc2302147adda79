"""The main command as its user types it: what a run leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.simulator.conftest import TOY, Command

SUMMARY = {
    "final_accuracy", "final_loss", "simulated_seconds", "uplink_wire_bytes", "downlink_wire_bytes", "paper_bits",
    "digest", "wall_seconds", "gradient_seconds", "racy",
}  # fmt: skip


def test_a_run_leaves_a_whole_folder(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "run"
    code, out, _ = command("simulator", "algorithm=topk", "algorithm.density=0.1", *TOY, f"hydra.run.dir={folder}")
    assert code == 0
    for kind in ("compute", "encode", "uplink", "downlink", "waiting", "bandwidth / latency"):
        assert kind in out
    files = {path.name for path in folder.iterdir()}
    assert files == {
        "config.yaml", "manifest.json", "metrics.parquet", "timeline.parquet", "links.parquet", "trace.jsonl",
        "summary.json",
    }  # fmt: skip
    summary = json.loads((folder / "summary.json").read_text())
    assert set(summary) >= SUMMARY and summary["racy"] is False and summary["gradient_seconds"] > 0
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["workers"] == 4 and config["algorithm"]["density"] == 0.1 and "hydra" not in config
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"seeds", "versions", "commit", "device", "chunk_threads"} <= set(manifest)
    metrics, timeline = (pq.read_table(folder / f"{name}.parquet").to_pylist() for name in ("metrics", "timeline"))
    assert [row["round"] for row in metrics] == [row["round"] for row in timeline] == [2, 4, 6]
    assert metrics[-1]["samples"] == 6 * 4 * 32
    # 4 of 40 coordinates: 4 * (32 + ceil(log2 40)) bits from each of 4 workers in each of 6 rounds
    assert metrics[-1]["uplink_paper_bits"] == summary["paper_bits"] == 6 * 4 * 4 * (32 + 6)
    last = timeline[-1]
    for worker in range(4):
        spent = sum(last[f"{kind}_s"][worker] for kind in ("compute", "encode", "uplink", "downlink", "waiting"))
        assert spent == pytest.approx(last["seconds"], rel=1e-9)


def test_multirun_makes_a_folder_per_run(tmp_path: Path, command: Command) -> None:
    sweep = tmp_path / "sweep"
    code, _, err = command("simulator", "-m", "algorithm=sgd,topk", "seed=1,2", *TOY, f"hydra.sweep.dir={sweep}")
    assert code == 0, err
    assert len(list(sweep.glob("*/summary.json"))) == 4


def test_where_a_worker_spent_its_time_adds_up_when_it_sits_out(tmp_path: Path, command: Command) -> None:
    command("simulator", "algorithm=fedavg", *TOY, f"hydra.run.dir={tmp_path}")
    for row in pq.read_table(tmp_path / "timeline.parquet").to_pylist():
        for worker in range(4):
            spent = sum(row[f"{kind}_s"][worker] for kind in ("compute", "encode", "uplink", "downlink", "waiting"))
            assert spent == pytest.approx(row["seconds"], rel=1e-9)
