"""Overlap in whole runs: dense values stay, hosting and resuming change nothing, a re-timed run equals a fresh one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.drivers.replay import retimed
from simulator.records.folder import RunFolder
from simulator.records.recording import timeline_row
from simulator.retimed_folder import retime
from simulator.runner import Run
from tests.running import composed

FILES = ("trace.jsonl", "metrics.parquet", "timeline.parquet")
SMALL = [
    "task=fashion_mnist_mini", "model=mlp", "model.widths=[784,16,12,10]", "batch=4", "workers=8", "chunk=2",
    "rounds=6", "eval_every=2", "stragglers=lognormal",
]  # fmt: skip
BUCKETS = "algorithm.overlap.bucket_bytes=600"  # 16 biases and the small layers, then the large layer
CASES = {
    "sgd": ["algorithm=sgd", BUCKETS],
    "sgd_allreduce": ["algorithm=sgd_allreduce", BUCKETS],
    "fp16": ["algorithm=sgd_allreduce", "algorithm.kind=fp16", BUCKETS, "algorithm.overlap.pieces=3"],
    "topk": ["algorithm=topk", BUCKETS, "algorithm.overlap.pieces=4"],
    "topk_all_gather": ["algorithm=topk", "algorithm.via=all_gather", BUCKETS, "algorithm.momentum=0.9"],
    "qsgd": ["algorithm=qsgd", BUCKETS],
    "randomk": ["algorithm=randomk", BUCKETS],
    "randomk_server": ["algorithm=randomk", "algorithm.via=server", BUCKETS],
    "ef_signsgd": ["algorithm=ef_signsgd", BUCKETS, "algorithm.momentum=0.5", "algorithm.lr=0.01"],
    "sampled": ["algorithm=topk", "participation=0.5", BUCKETS],
    "delayed": ["algorithm=sgd_allreduce", "algorithm.overlap.delay=1", "algorithm.momentum=0.5"],
    "delayed_topk": ["algorithm=topk", "algorithm.overlap.delay=1", "algorithm.overlap.pieces=2"],
}


def done(folder: Path, *overrides: str) -> tuple[Run, dict[str, Any]]:
    made = Run(composed(*SMALL, *overrides), folder)
    return made, made.execute()


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()[1:]]


@pytest.mark.parametrize("algorithm", [["sgd"], ["sgd_allreduce"], ["sgd_allreduce", "algorithm.kind=fp16"]])
def test_buckets_leave_dense_values_alone(tmp_path: Path, algorithm: list[str]) -> None:
    name, *options = algorithm
    plain, buckets = (
        done(tmp_path / str(i), f"algorithm={name}", *options, "chunk=8", *extra)
        for i, extra in enumerate(([], [BUCKETS]))
    )
    assert plain[1]["digest"] == buckets[1]["digest"]
    # a Dense message has a header of its own: the only bytes that buckets add
    (one,) = {e["size"] for e in entries(tmp_path / "0") if e["op"] in ("gather", "all_reduce")}
    sizes = [e["size"] for e in entries(tmp_path / "1") if e["op"] in ("gather", "all_reduce")]
    assert len(sizes) == 12 and one < sizes[0] + sizes[1] <= one + 16
    assert plain[1]["uplink_wire_bytes"] < buckets[1]["uplink_wire_bytes"]


def test_without_overlap_a_trace_names_no_branch(tmp_path: Path) -> None:
    done(tmp_path / "a", "algorithm=topk")
    assert {e["op"] for e in entries(tmp_path / "a")} == {
        "gradient", "work", "gather", "at_server", "broadcast", "mark"
    }  # fmt: skip
    assert all(set(e) == {"op", "kind", "size"} for e in entries(tmp_path / "a") if e["op"] == "work")
    timeline = RunFolder(tmp_path / "a").read_table("timeline").to_pylist()
    assert all(row["hidden_s"] == [0.0] * 8 for row in timeline)


def test_a_bucket_starts_when_its_layers_are_through(tmp_path: Path) -> None:
    # 784-16-12-10: 12,544 + 192 + 120 = 12,856 products forward; a step is 3 x 12,856 - 12,544 = 26,024 of them. The
    # last layer begins at 12,764, the bucket of at least 300 bytes at 12,800: 94 coordinates, ready after 12,856 + 240
    early = "algorithm.overlap.first_bucket_bytes=300"
    made, _ = done(tmp_path / "a", "algorithm=sgd_allreduce", BUCKETS, "rounds=1", early)
    assert made.task.layout.ready == (1.0, 1.0, *[(12_856 + 240 + 384) / 26_024] * 2, *[(12_856 + 240) / 26_024] * 2)
    forks = [(e["name"], e["ready"]) for e in entries(tmp_path / "a") if e["op"] == "fork"]
    assert forks[0] == ("0.0", (12_856 + 240) / 26_024)
    assert forks[-1][1] == 1.0 and [name for name, _ in forks] == [f"0.{i}" for i in range(len(forks))]


@pytest.mark.parametrize("case", CASES)
def test_hosting_changes_nothing(tmp_path: Path, case: str) -> None:
    _, whole = done(tmp_path / "whole", *CASES[case])
    _, split = done(tmp_path / "split", *CASES[case], "parts=4", "threads=2")
    assert split["digest"] == whole["digest"]
    for name in FILES:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "split" / name).read_bytes(), name


@pytest.mark.parametrize("case", ["sgd", "fp16", "topk_all_gather", "sampled", "delayed", "delayed_topk"])
def test_retimed_equals_fresh(tmp_path: Path, case: str) -> None:
    here, _ = done(tmp_path / "here", *CASES[case], "network=wan_10m")
    source = RunFolder(tmp_path / "here")
    moments = retimed(source.trace, here.network, here.compute, {2, 4, 6})
    assert [timeline_row(t, moment) for t, moment in moments] == source.read_table("timeline").to_pylist()
    there = composed(*SMALL, *CASES[case], "network=lte", "compute.flops_per_s=1e7", "compute.profile=[[0.5,0.7]]")
    retime(source, there, RunFolder(tmp_path / "there"))
    Run(there, tmp_path / "fresh").execute()
    for name in FILES:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes(), name


class _Stop(BaseException):
    """Ends a run between two rounds, as a kill would."""


@pytest.mark.parametrize("case", ["topk", "fp16", "delayed", "delayed_topk"])
def test_resuming_changes_nothing(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = done(tmp_path / "whole", *CASES[case], "checkpoint_every=3")
    cut = Run(composed(*SMALL, *CASES[case], "checkpoint_every=3"), tmp_path / "cut")
    write = cut.folder.write_checkpoint

    def stop(state: dict[str, object]) -> None:
        write(state)
        raise _Stop

    monkeypatch.setattr(cut.folder, "write_checkpoint", stop)
    with pytest.raises(_Stop):
        cut.execute()
    _, resumed = done(tmp_path / "cut", *CASES[case], "checkpoint_every=3", "resume=true")
    assert resumed["digest"] == whole["digest"]
    for name in FILES:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes(), name


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
@pytest.mark.parametrize("case", ["topk", "sgd_allreduce", "delayed"])
def test_any_number_of_workers(tmp_path: Path, case: str, workers: int) -> None:
    # slow workers on a fast network: nearly everything can be hidden
    slow = [f"workers={workers}", "rounds=3", "compute.flops_per_s=1e6", "network=lan_1g"]
    plain = [override for override in CASES[case] if "overlap" not in override]
    (_, apart), (_, together) = (done(tmp_path / n, *o, *slow) for n, o in (("a", plain), ("b", CASES[case])))
    hidden = RunFolder(tmp_path / "b").read_table("timeline").to_pylist()[-1]["hidden_s"]
    more = 1e-4 if case == "topk" else 1e-9  # a bucket has a header of its own and at least one coordinate
    assert together["simulated_seconds"] <= apart["simulated_seconds"] * (1 + more)
    assert (sum(hidden) > 0) == (workers > 1 or case == "topk")


def test_a_delayed_run_says_something_else(tmp_path: Path) -> None:
    (_, plain), (_, late) = (done(tmp_path / n, f"algorithm={n}") for n in ("sgd_allreduce", "delayed_sgd"))
    assert plain["digest"] != late["digest"] and plain["uplink_wire_bytes"] == late["uplink_wire_bytes"]
