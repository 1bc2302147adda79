"""Means and deviations over seeds, against numbers worked by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from simulator.collect import collect, grouped
from simulator.records.folder import RunFolderError
from tests.simulator.collecting.test_collect import write
from tests.simulator.conftest import TOY, Command


def run(folder: Path, seed: int, losses: list[float], **config: object) -> Path:
    """Write a run whose losses at its two marks are given."""
    write(folder, {"seed": seed, "network": {"name": "lan", "seed": seed}} | config, {"digest": str(losses)})
    metrics = pq.read_table(folder / "metrics.parquet").to_pydict() | {"loss": losses}
    pq.write_table(type(pq.read_table(folder / "metrics.parquet")).from_pydict(metrics), folder / "metrics.parquet")
    return folder


def test_mean_and_deviation_by_hand(tmp_path: Path) -> None:
    for seed, losses in ((1, [4.0, 1.0]), (2, [6.0, 1.0]), (3, [8.0, 4.0])):
        run(tmp_path / f"a{seed}", seed, losses, workers=2)
    run(tmp_path / "b1", 1, [5.0, 5.0], workers=3)
    table = grouped(collect([str(tmp_path)]))
    rows = {(row["config.workers"], row["round"]): row for row in table.to_pylist()}
    assert len(rows) == 4
    first, last = rows[2, 1], rows[2, 2]
    assert (first["n"], first["loss.mean"], first["loss.std"]) == (3, 6.0, 2.0)
    assert (last["n"], last["loss.mean"]) == (3, 2.0) and last["loss.std"] == pytest.approx(math.sqrt(3))
    assert first["seconds.mean"] == 0.5 and first["seconds.std"] == 0.0
    assert first["accuracy.mean"] is None and last["accuracy.mean"] == 0.5
    assert (rows[3, 1]["n"], rows[3, 1]["loss.std"]) == (1, None)
    assert first["config.network.name"] == "lan" and first["config.network.seed"] is None
    assert "config.seed" not in table.column_names


def test_a_copy_counts_once_and_a_contradiction_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "one", 1, [4.0, 2.0])
    run(tmp_path / "copy", 1, [4.0, 2.0])
    run(tmp_path / "two", 2, [2.0, 2.0])
    [first, _] = grouped(collect([str(tmp_path)])).to_pylist()
    assert (first["n"], first["loss.mean"]) == (2, 3.0)
    summary = json.loads((tmp_path / "copy" / "summary.json").read_text()) | {"digest": "another"}
    (tmp_path / "copy" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(RunFolderError, match="one configuration and seed 1 but different results"):
        grouped(collect([str(tmp_path)]))


def test_seeds_of_a_real_sweep_are_one_group(tmp_path: Path, command: Command) -> None:
    command(
        "simulator", "-m", "algorithm=topk", "seed=1,2,3", "stragglers=lognormal", *TOY, f"hydra.sweep.dir={tmp_path}"
    )
    out = tmp_path / "mean.parquet"
    code, told, err = command("simulator.collect", str(tmp_path), "seeds=mean", f"out={out}")
    assert code == 0 and "3 runs, 3 rows" in told, err
    rows = pq.read_table(out).to_pylist()
    assert [row["round"] for row in rows] == [2, 4, 6] and {row["n"] for row in rows} == {3}
    each = collect([str(tmp_path)]).filter(collect([str(tmp_path)])["round"].to_numpy() == 6)
    assert rows[-1]["seconds.mean"] == pytest.approx(sum(each["seconds"].to_pylist()) / 3)
    assert rows[-1]["seconds.std"] > 0
