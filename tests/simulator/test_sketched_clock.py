"""What two phases cost: with latency alone, Sketched-SGD's round takes twice that of SGD over a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.records.folder import RunFolder
from tests.running import run

# nothing but latency: bandwidth and computers are practically infinite
LATENCY = ["network=lan_1g", "network.latency_s=1", "network.up_bps=1e15", "network.down_bps=1e15"]
FAST = ["compute=fixed", "compute.seconds_per_step=1e-9", "compute.memory_bytes_per_s=1e18"]
SMALL = ["workers=3", "rounds=2", "eval_every=1", "task.dimensions=400"]


@pytest.mark.parametrize(("algorithm", "trips"), [("sgd", 2), ("true_topk", 2), ("fetch_sgd", 2), ("sketched_sgd", 4)])
def test_latencies_of_a_round(tmp_path: Path, algorithm: str, trips: int) -> None:
    _, summary = run(tmp_path, f"algorithm={algorithm}", *SMALL, *LATENCY, *FAST)
    # each of the two rounds makes its trips between a worker and the server, of two links with 1 s each
    assert summary["simulated_seconds"] == pytest.approx(2 * trips * 2, rel=1e-3)


def test_paper_floats_of_a_run(tmp_path: Path) -> None:
    # 3 workers, 2 rounds, k = round(0.02 * 400) = 8, P = 4, 5 x 80: up 400 + 32 floats, down 8; nothing for indices
    _, summary = run(tmp_path, "algorithm=sketched_sgd", "algorithm.density=0.02", *SMALL)
    row = RunFolder(tmp_path).read_table("metrics").to_pylist()[-1]
    assert row["uplink_paper_bits"] == 3 * 2 * 32 * (400 + 32)
    assert row["downlink_paper_bits"] == 3 * 2 * 32 * 8
    assert summary["paper_compression_factor"] == 2 * 400 / (400 + 32 + 8)
    # wire: 20 bytes of header and 400 floats, 6 and 32 floats
    assert row["uplink_wire_bytes"] == 3 * 2 * (20 + 1600 + 6 + 128)
    assert row["downlink_wire_indices_bits"] > 0 == row["downlink_paper_indices_bits"]
    ops = [json.loads(line).get("op") for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    said = [op for op in ops if op in ("gather", "at_server", "broadcast", "mark")]
    assert said == ["gather", "at_server", "broadcast", "gather", "at_server", "broadcast", "mark"] * 2
