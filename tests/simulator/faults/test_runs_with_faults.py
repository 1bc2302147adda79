"""Whole runs with faults: the same bits again, counts in the summary, a readable rest when all is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import simulator.trace
from simulator.trace import read_trace
from tests.running import run
from tests.simulator.conftest import TOY, Command

CONF = Path(__file__).resolve().parents[3] / "conf"
ALGORITHMS = ["async_sgd", "ssp", "semi_async", "backup_sgd"]
# a step takes 10 ms, so a worker crashes every few steps
SMALL = ["workers=5", "rounds=12", "eval_every=4", "compute=fixed", "stragglers=lognormal", "network=wan_10m"]
TROUBLE = {
    "crashes": ["faults=crashes", "faults.mttf_s=0.4", "faults.mttr_s=0.2", "faults.loss=0.05"],
    "lossy": ["faults=lossy", "faults.loss=0.2", "faults.retry_after_s='20 ms'"],
    "elastic": ["faults=elastic", "faults.joins=[[0,0.1],[1,0.5]]", "faults.leaves=[[2,0.1],[1,0.2]]"],
    "scheduled": ["faults=scheduled", "faults.outages=[[0,0.05,0.1],[0,0.2,0.35],[3,0.1,null]]"],
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", TROUBLE)
def test_a_run_with_faults_repeats_to_the_bit(tmp_path: Path, algorithm: str, kind: str) -> None:
    chosen = [f"algorithm={algorithm}", *SMALL, *TROUBLE[kind]]
    one, two = (run(tmp_path / name, *chosen)[1] for name in "ab")
    assert one["digest"] == two["digest"] and one["faults"] == two["faults"]
    for name in ("trace.jsonl", "metrics.parquet", "timeline.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    counts, ops = one["faults"], [entry["op"] for entry in read_trace(tmp_path / "a/trace.jsonl")[1]]
    for count, op in (("crashes", "crash"), ("rejoins", "rejoin"), ("joins", "join"), ("messages_lost", "lost")):
        assert counts[count] == ops.count(op)
    assert counts["retries"] == ops.count("resend")
    expected = {"crashes": "rejoins", "lossy": "retries", "elastic": "joins", "scheduled": "crashes"}[kind]
    assert counts[expected] > 0
    assert sum(one["staleness"].values()) > 0


def test_faults_follow_the_seed(tmp_path: Path) -> None:
    chosen = ["algorithm=async_sgd", *SMALL, *TROUBLE["crashes"]]
    one, two = (run(tmp_path / f"s{seed}", *chosen, f"faults.seed={seed}")[1] for seed in (1, 2))
    assert one["faults"] != two["faults"]


def test_every_kind_of_trouble_in_conf_runs_as_it_is(tmp_path: Path) -> None:
    names = sorted(path.stem for path in (CONF / "faults").glob("*.yaml"))
    assert names == ["crashes", "elastic", "lossy", "none", "scheduled"]
    for name in names:
        made, summary = run(tmp_path / name, "algorithm=async_sgd", *SMALL, f"faults={name}")
        assert made.folder.complete and ("faults" in summary) == (name != "none")


def test_when_all_is_lost_what_was_recorded_stays_readable(tmp_path: Path, command: Command) -> None:
    toy = [
        *TOY,
        "compute=fixed",
        "faults=scheduled",
        "faults.outages=[[0,0.1,null],[1,0.1,null],[2,0,null],[3,0,null]]",
    ]
    code, _, err = command("simulator", "algorithm=ssp", *toy, "rounds=100", f"hydra.run.dir={tmp_path / 'r'}")
    assert code == 1
    assert re.search(r"error: faults: at 0\.1\d* s every worker is gone, .* still waits in server \(ssp\.py:\d+\)", err)
    metrics, timeline = (pq.read_table(tmp_path / f"r/{name}.parquet") for name in ("metrics", "timeline"))
    assert metrics["round"].to_pylist() == timeline["round"].to_pylist() == [2, 4]
    assert not (tmp_path / "r/summary.json").exists()
    header, entries = read_trace(tmp_path / "r/trace.jsonl")
    assert header.racy is not None and header.racy.startswith("ReceiveAny in server (ssp.py")
    assert [entry["op"] for entry in entries].count("crash") == 4


def test_ops_of_traces_with_faults_are_documented(tmp_path: Path) -> None:
    ops: set[str] = set()
    for algorithm, extra in (("backup_sgd", TROUBLE["crashes"]), ("semi_async", TROUBLE["elastic"])):
        special = "algorithm.window_s=0.01" if algorithm == "semi_async" else "compute.seconds_per_step=0.1"
        run(tmp_path / algorithm, f"algorithm={algorithm}", *SMALL, *extra, special)
        lines = (tmp_path / algorithm / "trace.jsonl").read_text().splitlines()[1:]
        ops |= {json.loads(line)["op"] for line in lines}
    assert {"crash", "rejoin", "leave", "join", "lost", "resend", "timeout", "abandon"} <= ops
    documented = set(re.findall(r"^(\w+) {2,}", str(simulator.trace.__doc__), re.MULTILINE))
    assert ops <= documented
