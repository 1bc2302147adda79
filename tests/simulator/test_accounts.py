"""Every second of every worker is accounted for in runs that look at time, also where faults take workers out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.moment import ADDED
from simulator.records.folder import RunFolder
from simulator.spans import Spans
from simulator.timeline import replayed
from tests.running import run

PLACE = ["network=wan_10m", "compute=fixed", "compute.seconds_per_step=0.05", "stragglers=pareto"]
SIZE = ["workers=4", "rounds=6", "eval_every=2", "network.latency_s='10 ms'", "network.up_bps='100 kbit/s'"]
SPANS = {"compute": "compute", "encode": "encode", "queue": "queue", "wait": "waiting", "away": "away"}
CRASHES = ["faults=crashes", "faults.mttf_s=0.4", "faults.mttr_s=0.1"]
CASES = {
    "asynchronous": ["algorithm=async_sgd"],
    "bounded": ["algorithm=ssp", "algorithm.bound=1", "algorithm.fold=rank"],
    "by window": ["algorithm=semi_async", "algorithm.window_s=0.1"],
    "buffered": ["algorithm=semi_async", "algorithm.k=2", "algorithm.hold=false"],
    "with backups": ["algorithm=backup_sgd", "algorithm.backups=2"],
    "crashing": ["algorithm=async_sgd", *CRASHES],
    "crashing with backups": ["algorithm=backup_sgd", *CRASHES],
    "lossy": ["algorithm=ssp", "faults=lossy", "faults.loss=0.2"],
    "elastic": ["algorithm=async_sgd", "faults=elastic", "faults.joins=[[0,0.2]]", "faults.leaves=[[1,0.3]]"],
}


def columns(row: dict[str, Any], *kinds: str) -> list[np.ndarray]:
    return [np.array(row[f"{kind}_s"]) for kind in kinds]


@pytest.mark.parametrize("case", CASES)
def test_all_time_is_accounted_for_and_drawn(case: str, tmp_path: Path) -> None:
    run(tmp_path / "run", *PLACE, *SIZE, *CASES[case])
    folder = RunFolder(tmp_path / "run")
    rows = folder.read_table("timeline").to_pylist()
    for row in rows:
        np.testing.assert_allclose(sum(columns(row, *ADDED)), row["seconds"], rtol=1e-9)
        for way in ("uplink", "downlink"):  # a part of a transfer is never more than the transfer
            whole, latency, queue = columns(row, way, f"{way}_latency", f"{way}_queue")
            assert (whole - latency - queue).min() > -1e-9
    for before, after in zip(rows, rows[1:], strict=False):
        for kind in ADDED[:2]:  # the others may turn out to have been something else
            assert np.subtract(*columns(after, kind), *columns(before, kind)).min() > -1e-12
    assert sum(rows[-1]["queue_s"]) > 0 and (sum(rows[-1]["away_s"]) > 0) == (
        CRASHES[0] in CASES[case] or case == "elastic"
    )
    summary = folder.read_json("summary")
    assert summary["waiting"]["mean_s"] == pytest.approx(np.mean(rows[-1]["waiting_s"])) and summary["staleness"]
    assert 0 < summary["links"]["mean_utilisation"] <= 1
    spans, _, makespan, recorded = replayed(folder, Spans())
    assert makespan == recorded
    for worker in range(4):
        mine = [span for span in spans.to_pylist() if span["worker"] == worker]
        for kind, column in SPANS.items():
            drawn = sum(span["end_s"] - span["begin_s"] for span in mine if span["kind"] == kind)
            assert drawn == pytest.approx(rows[-1][f"{column}_s"][worker], abs=1e-9), kind


@pytest.mark.parametrize(
    "case",
    [
        ["network=wan_100m", "network.profile=nccl", "algorithm=sgd_allreduce"],  # its halves take different times
        ["network=wifi", "algorithm=ddp_sgd", "stragglers=lognormal"],  # both ways share the air, and jitter
    ],
    ids=["nccl", "wifi"],
)
def test_the_parts_of_a_transfer_are_no_more_than_the_transfer(case: list[str], tmp_path: Path) -> None:
    run(tmp_path / "run", "workers=4", "rounds=6", "eval_every=2", *case)
    for row in RunFolder(tmp_path / "run").read_table("timeline").to_pylist():
        for way in ("uplink", "downlink"):
            whole, latency, queue = columns(row, way, f"{way}_latency", f"{way}_queue")
            assert (whole - latency - queue).min() > -1e-9 * row["seconds"]


def test_synchronous_runs_report_waiting_and_staleness_too(tmp_path: Path) -> None:
    # 4 workers, 6 rounds: with a delay all but the first update are used one round late. Pareto stragglers wait.
    for name, staleness in (("sgd", {"0": 24}), ("delayed_sgd", {"0": 4, "1": 20})):
        _, summary = run(tmp_path / name, *PLACE, *SIZE, f"algorithm={name}")
        last = RunFolder(tmp_path / name).read_table("timeline").to_pylist()[-1]
        assert summary["staleness"] == staleness
        waits = last["waiting_s"]
        mean = sum(waits) / 4
        assert summary["waiting"] == pytest.approx(
            {"mean_s": mean, "most_s": max(waits), "share": mean / last["seconds"]}
        )
        assert mean > 0
