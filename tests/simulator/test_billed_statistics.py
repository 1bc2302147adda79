"""What batch normalisation's averaged statistics cost: bytes, and time, in every run and replay."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from simulator.runner import Run
from simulator.trace import read_trace
from tests.running import composed, run
from tests.simulator.conftest import Command

TASK = ["task=cifar10_mini", "task.dataset.train=64", "task.dataset.test=20", "task.augmentation=null"]
MODEL = ["model=resnet9", "model.width=2", "model.norm=batch", "task.bn_batches=1"]
SMALL = [*TASK, *MODEL, "workers=3", "batch=4", "rounds=4", "eval_every=2"]
# widths 2, 4, 4, 4, 8, 16, 16, 16 of eight convolutions: 70 means and 70 variances
CHANNELS = 70


def test_each_evaluation_is_billed_and_changes_no_training(tmp_path: Path) -> None:
    (_, free), (_, billed) = (
        run(tmp_path / rule, *SMALL, f"task.bn_statistics={rule}") for rule in ("batch", "averaged")
    )
    assert billed["digest"] == free["digest"]
    # two evaluations, three workers, 6 bytes of header and 4 for each number
    assert billed["uplink_wire_bytes"] - free["uplink_wire_bytes"] == 2 * 3 * (6 + 4 * 2 * CHANNELS)
    assert billed["paper_bits"] - free["paper_bits"] == 2 * 3 * 32 * 2 * CHANNELS
    assert billed["downlink_wire_bytes"] == free["downlink_wire_bytes"]
    # three messages share the server's 1 Gbit/s, twice
    seconds = billed["simulated_seconds"] - free["simulated_seconds"]
    assert seconds > 2 * 3 * 8 * (6 + 4 * 2 * CHANNELS) / 1e9
    ops = [entry["op"] for entry in read_trace(tmp_path / "averaged" / "trace.jsonl")[1]]
    marks = [i for i, op in enumerate(ops) if op == "mark"]
    assert [ops[i - 1] == "gather" for i in marks] == [False, True, False, True]


def test_metrics_count_what_was_sent_for_them(tmp_path: Path) -> None:
    rows = []
    for rule in ("batch", "averaged"):
        run(tmp_path / rule, *SMALL, f"task.bn_statistics={rule}")
        rows.append(pq.read_table(tmp_path / rule / "metrics.parquet").to_pylist())
    more = [b["uplink_wire_bytes"] - a["uplink_wire_bytes"] for a, b in zip(*rows, strict=True)]
    assert more == [3 * (6 + 8 * CHANNELS), 2 * 3 * (6 + 8 * CHANNELS)]


def test_a_replay_on_another_network_is_a_fresh_run(tmp_path: Path, command: Command) -> None:
    given = [*SMALL, "task.bn_statistics=averaged", "progress=false", "device=cpu", "threads=1"]
    assert command("simulator", *given, f"hydra.run.dir={tmp_path / 'run'}")[0] == 0
    out = f"hydra.run.dir={tmp_path / 'again'}"
    assert command("simulator.retime", f"run={tmp_path / 'run'}", "network=lte", out)[0] == 0
    assert command("simulator", *given, "network=lte", f"hydra.run.dir={tmp_path / 'fresh'}")[0] == 0
    for name in ("timeline.parquet", "links.parquet", "metrics.parquet", "trace.jsonl"):
        assert (tmp_path / "again" / "lte" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes(), name


def test_parts_change_nothing(tmp_path: Path) -> None:
    for parts in (1, 2):
        run(tmp_path / str(parts), *SMALL, "task.bn_statistics=averaged", "chunk=1", f"parts={parts}")
    for name in ("metrics.parquet", "timeline.parquet", "trace.jsonl"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


@pytest.mark.parametrize("choice", ["algorithm=async_sgd", "algorithm=fedavg", "participation=0.5"])
def test_where_not_every_worker_meets_at_an_evaluation_it_is_refused(tmp_path: Path, choice: str) -> None:
    with pytest.raises(ValueError, match="task.bn_statistics: expected batch or local where .*, got averaged"):
        Run(composed(*SMALL, "task.bn_statistics=averaged", choice), tmp_path)
