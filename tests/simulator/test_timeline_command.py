"""``python -m simulator.timeline``: files for a figure and for a trace viewer, and what it refuses."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.simulator.conftest import TOY, Command

ENDS_ALIKE = ("algorithm=qsgd", "algorithm=sgd_allreduce", "algorithm=fedavg")


def spans_of(folder: Path) -> list[dict[str, Any]]:
    return pq.read_table(folder / "spans.parquet").to_pylist()


@pytest.mark.parametrize("algorithm", ENDS_ALIKE)
def test_spans_sum_to_the_timeline_of_the_run(tmp_path: Path, command: Command, algorithm: str) -> None:
    command("simulator", algorithm, *TOY, "network=lte", "network.server_down_bps=1e6", "stragglers=lognormal",
            f"hydra.run.dir={tmp_path}")  # fmt: skip
    code, out, err = command("simulator.timeline", f"run={tmp_path}")
    assert code == 0 and "warning" not in err, err
    assert out.split() == [str(tmp_path / "spans.parquet"), str(tmp_path / "trace.perfetto.json")]
    last = pq.read_table(tmp_path / "timeline.parquet").to_pylist()[-1]
    sums: defaultdict[tuple[str, int], float] = defaultdict(float)
    for span in spans_of(tmp_path):
        sums[span["kind"], span["worker"]] += span["end_s"] - span["begin_s"]
    for worker in range(4):
        for kind, column in {"compute": "compute", "encode": "encode", "queue": "queue", "wait": "waiting"}.items():
            assert sums[kind, worker] == pytest.approx(last[f"{column}_s"][worker], abs=1e-9), kind
        assert sums["uplink", worker] + sums["downlink", worker] == pytest.approx(last["transfer_s"][worker], abs=1e-9)
    assert {span["round"] for span in spans_of(tmp_path)} == set(range(1, 7))


@pytest.mark.parametrize("algorithm", ["topk", "async_sgd"])
def test_a_trace_viewer_can_read_it(tmp_path: Path, command: Command, algorithm: str) -> None:
    command("simulator", f"algorithm={algorithm}", *TOY, "stragglers=lognormal", f"hydra.run.dir={tmp_path}")
    code, _, err = command("simulator.timeline", f"run={tmp_path}", "format=chrome", f"out={tmp_path / 'deep' / 'out'}")
    assert code == 0 and "warning" not in err, err
    assert [path.name for path in (tmp_path / "deep" / "out").iterdir()] == ["trace.perfetto.json"]
    events = json.loads((tmp_path / "deep" / "out" / "trace.perfetto.json").read_text())["traceEvents"]
    named = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert set(named.values()) == {"server", *(f"worker {worker}" for worker in range(4))}
    timed = [event for event in events if event["ph"] != "M"]
    assert {event["ph"] for event in timed} == {"X", "C", "i"}
    assert [event["name"] for event in timed if event["ph"] == "i"] == [f"round {t}" for t in range(1, 7)]
    assert all(event["ts"] >= 0 for event in timed)
    assert [event["ts"] for event in timed] == sorted(event["ts"] for event in timed)
    reached: defaultdict[tuple[int, int], float] = defaultdict(float)
    for event in (event for event in timed if event["ph"] == "X"):
        track = (event["pid"], event["tid"])
        assert track in named and event["dur"] >= 0
        assert round(1e3 * event["ts"]) >= round(1e3 * reached[track])  # in nanoseconds: nothing overlaps on one row
        reached[track] = event["ts"] + event["dur"]
    seconds = json.loads((tmp_path / "summary.json").read_text())["simulated_seconds"]
    np.testing.assert_allclose([reached[track] for track, name in named.items() if name != "server"], seconds * 1e6)
    curves = {event["name"] for event in timed if event["ph"] == "C"}
    assert {"0 up", "server down"} <= curves
    assert all(0 <= event["args"]["Mbit/s"] for event in timed if event["ph"] == "C")


def test_rounds_and_workers_can_be_chosen(tmp_path: Path, command: Command) -> None:
    command("simulator", *TOY, f"hydra.run.dir={tmp_path}")
    code, out, _ = command("simulator.timeline", f"run={tmp_path}", "rounds=2:3", "workers=3,1", "format=parquet")
    assert code == 0 and out.split() == [str(tmp_path / "spans.parquet")]
    assert {span["round"] for span in spans_of(tmp_path)} == {2, 3}
    assert {span["worker"] for span in spans_of(tmp_path)} == {-1, 1, 3}
    command("simulator.timeline", f"run={tmp_path}", "rounds=6")
    assert {span["round"] for span in spans_of(tmp_path)} == {6}
    first = (tmp_path / "trace.perfetto.json").read_bytes()
    command("simulator.timeline", f"run={tmp_path}", "rounds=6", "cache=off")
    assert (tmp_path / "trace.perfetto.json").read_bytes() == first


def test_what_cannot_be_replayed_or_read_is_refused(tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    command("simulator", *TOY, f"hydra.run.dir={run}")
    before = sorted(path.name for path in run.iterdir())
    for arguments, told in {
        ("rounds=1",): "run: expected",
        (f"run={tmp_path / 'nowhere'}",): "does not exist",
        (f"run={run}", "rounds=3:2"): "rounds: expected",
        (f"run={run}", "rounds=a"): "rounds: expected",
        (f"run={run}", "rounds=100:200"): "100:200",
        (f"run={run}", "workers=0,4"): "workers: expected numbers in 0..3",
        (f"run={run}", "workers=-1"): "workers: expected",
        (f"run={run}", "format=html"): "chrome, parquet",
        (f"run={run}", "colour=red"): "colour: expected one of",
        (f"run={run}", "lonely"): "key=value",
    }.items():
        code, _, err = command("simulator.timeline", *arguments)
        assert code != 0 and told in err and "Traceback" not in err, arguments
    assert sorted(path.name for path in run.iterdir()) == before


def test_a_replay_that_differs_from_the_record_says_so(tmp_path: Path, command: Command) -> None:
    command("simulator", *TOY, f"hydra.run.dir={tmp_path}")
    summary = json.loads((tmp_path / "summary.json").read_text())
    (tmp_path / "summary.json").write_text(json.dumps(summary | {"simulated_seconds": 1.25}))
    code, _, err = command("simulator.timeline", f"run={tmp_path}")
    assert code == 0 and "warning" in err and "1.25 s were recorded" in err


@pytest.mark.parametrize(
    "asked",
    [
        ["algorithm=ssp"],
        ["algorithm=backup_sgd"],
        ["algorithm=semi_async", "algorithm.window_s=0.05"],
        ["algorithm=async_sgd", "faults=crashes"],
        ["algorithm=backup_sgd", "faults=elastic"],
        ["algorithm=async_sgd", "faults=lossy"],
    ],
)
def test_what_looked_at_time_is_replayed_where_it_was_made(tmp_path: Path, command: Command, asked: list[str]) -> None:
    code, _, err = command("simulator", *asked, *TOY, "stragglers=lognormal", "network=wan_10m", "compute=fixed",
                           "compute.seconds_per_step=0.1", f"hydra.run.dir={tmp_path}")  # fmt: skip
    assert code == 0, err
    code, _, err = command("simulator.timeline", f"run={tmp_path}")
    assert code == 0 and "warning" not in err, err
    seconds = json.loads((tmp_path / "summary.json").read_text())["simulated_seconds"]
    for worker in range(4):
        mine = [span for span in spans_of(tmp_path) if span["worker"] == worker]
        edges = [0.0, *(span["end_s"] for span in mine)]
        np.testing.assert_allclose([*(span["begin_s"] for span in mine), seconds], edges, rtol=1e-9, atol=1e-12)
