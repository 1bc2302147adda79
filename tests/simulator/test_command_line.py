"""The commands as their user types them: what a run leaves, what retime makes of it, what bad input gets."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.simulator.conftest import Command

TOY = ["task=quadratic", "task.dimensions=40", "workers=4", "rounds=6", "eval_every=2", "progress=false", "cache=off"]
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
        "config.yaml", "manifest.json", "metrics.parquet", "timeline.parquet", "trace.jsonl", "summary.json",
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


def test_retime_makes_a_folder_per_network_and_computes_no_gradient(tmp_path: Path, command: Command) -> None:
    run, there = tmp_path / "run", tmp_path / "there"
    assert command("simulator", "algorithm=topk", *TOY, "stragglers=pareto", f"hydra.run.dir={run}")[0] == 0
    code, out, err = command("simulator.retime", f"run={run}", "network=wan_10m,lte", f"hydra.run.dir={there}")
    assert code == 0, err
    for network in ("wan_10m", "lte"):
        fresh = tmp_path / f"fresh_{network}"
        given = ["algorithm=topk", *TOY, "stragglers=pareto", f"network={network}", f"hydra.run.dir={fresh}"]
        command("simulator", *given)
        for name in ("timeline.parquet", "metrics.parquet", "trace.jsonl"):
            assert (there / network / name).read_bytes() == (fresh / name).read_bytes(), name
        summary = json.loads((there / network / "summary.json").read_text())
        assert summary["gradient_seconds"] == 0 and summary["complete"]
        assert json.loads((there / network / "manifest.json").read_text())["retimed_from"] == str(run)
        assert yaml.safe_load((there / network / "config.yaml").read_text())["network"]["name"] == network


def test_retime_on_its_own_network_gives_the_recorded_timeline(tmp_path: Path, command: Command) -> None:
    run, again = tmp_path / "run", tmp_path / "again"
    command("simulator", *TOY, "network=lte", "network.up_bps=1 Mbit/s", f"hydra.run.dir={run}")
    assert command("simulator.retime", f"run={run}", f"hydra.run.dir={again}", "cache=off")[0] == 0
    assert (again / "lte" / "timeline.parquet").read_bytes() == (run / "timeline.parquet").read_bytes()
    faster = tmp_path / "faster"
    code, _, err = command(
        "simulator.retime", f"run={run}", "network.up_bps=2 Mbit/s", "network.latency_s=1 ms", f"hydra.run.dir={faster}"
    )
    assert code == 0, err
    times = [json.loads((f / "summary.json").read_text())["simulated_seconds"] for f in (faster / "lte", run)]
    assert times[0] < times[1]


def test_multirun_makes_a_folder_per_run(tmp_path: Path, command: Command) -> None:
    sweep = tmp_path / "sweep"
    code, _, err = command("simulator", "-m", "algorithm=sgd,topk", "seed=1,2", *TOY, f"hydra.sweep.dir={sweep}")
    assert code == 0, err
    assert len(list(sweep.glob("*/summary.json"))) == 4


BAD = {
    "algorithm.nonsense=3": "nonsense",
    "nonsense=3": "nonsense",
    "workers=0": "workers: expected a whole number, at least 1, got 0",
    "workers=many": "workers",
    "rounds=-1": "rounds: expected a whole number, at least 1, got -1",
    "batch=0": "batch",
    "chunk=0": "chunk",
    "participation=1.5": "participation: expected a fraction in (0, 1]",
    "participation=0.5 algorithm=sgd_allreduce": "participation: expected 1.0 with AllReduceMean",
    "algorithm=topk algorithm.density=null algorithm.k=41": "algorithm.k: expected 1 <= k <= d = 40",
    "algorithm=topk algorithm.density=2": "algorithm.density: expected a fraction in (0, 1], got 2",
    "algorithm=topk algorithm.density=lots": "algorithm.density",
    "algorithm=topk algorithm.via=pigeon": "algorithm.via: expected one of server, all_gather, got 'pigeon'",
    "algorithm=qsgd algorithm.levels=0": "algorithm.levels",
    "algorithm.lr=-1": "algorithm.lr: expected a positive learning rate, got -1",
    "algorithm.lr=fast": "algorithm.lr: expected a number, got 'fast'",
    "algorithm.nesterov=true": "algorithm.momentum",
    "network.up_bps=-5": "network.up_bps",
    "'network.down_bps=12 parsecs'": "network.down_bps",
    "network.latency_s=-1": "network.latency_s",
    "network.up_bps=[1e6,2e6]": "network.up_bps",
    "compute.device=abacus": "compute.device: expected one of cpu_core",
    "compute.speed=[1,2]": "compute.speed: expected one number or 4 of them, got 2",
    "device=cuda:99": "device",
    "device=toaster": "device: expected auto, cpu, cuda or cuda:i, got 'toaster'",
    "dtype=int8": "dtype: expected one of float32, float64",
    "driver=distributed": "driver: expected torchrun",
    "cache=maybe": "cache: expected one of on, off",
    "schedule=step schedule.milestones=[2]": "schedule.milestones",
    "algorithm=topk algorithm.density=null algorithm.k=true": "algorithm.k: expected a whole number",
    "algorithm.momentum=0.9 algorithm.nesterov=maybe": "algorithm.nesterov: expected true or false, got 'maybe'",
    "algorithm=local_sgd algorithm.keep_momentum=perhaps": "algorithm.keep_momentum: expected true or false",
    "algorithm=topk algorithm.error_feedback=sure": "algorithm.error_feedback: expected true or false",
    "algorithm=qsgd algorithm.levels=true": "algorithm.levels: expected a whole number",
    "algorithm=async_sgd participation=0.5": "participation: expected 1.0 with async_sgd, got 0.5",
    "compute.workers=2": "compute.workers: expected workers=4, got 2",
    "network.workers=3": "network.workers: expected workers=4, got 3",
    "compute=fixed compute.seconds_per_step=inf": "compute.seconds_per_step",
    "compute=measured compute.seconds_per_step=-1 compute.memory_bytes_per_s=0": "compute.seconds_per_step",
    "algorithm.name=null": "algorithm.name: expected a plain name, got None",
    "network.name=../../oops": "network.name: expected a plain name",
    "seed=-1": "seed: expected a whole number in 0..2**63 - 1, got -1",
    "stragglers=pareto stragglers.alpha=0": "stragglers.alpha",
}


@pytest.mark.parametrize("overrides", BAD)
def test_bad_input_gets_one_message_before_anything_is_computed(
    tmp_path: Path, command: Command, overrides: str
) -> None:
    folder = tmp_path / "run"
    code, _, err = command("simulator", *TOY, *shlex.split(overrides), f"hydra.run.dir={folder}")
    assert code != 0
    assert BAD[overrides] in err
    assert "Traceback" not in err
    assert not (folder / "metrics.parquet").exists()


def test_more_workers_than_samples(tmp_path: Path, command: Command) -> None:
    many = ["task=fashion_mnist_mini", "model=softmax", "workers=6001", "rounds=1", "progress=false"]
    code, _, err = command("simulator", *many, f"hydra.run.dir={tmp_path / 'a'}")
    assert code != 0 and "workers" in err and "6001" in err and "6000" in err
    code, _, err = command(
        "simulator", *many, "partition=iid_replacement", "batch=1", "chunk=512", f"hydra.run.dir={tmp_path / 'b'}"
    )
    assert code == 0, err


def test_missing_and_corrupt_data(tmp_path: Path, command: Command) -> None:
    data = tmp_path / "data"
    data.mkdir()
    given = ["task=mnist", f"task.data_dir={data}", "rounds=1", f"hydra.run.dir={tmp_path / 'run'}"]
    code, _, err = command("simulator", *given)
    assert code != 0 and str(data) in err and "Traceback" not in err
    for part in ("train", "t10k"):
        (data / f"{part}-images-idx3-ubyte").write_bytes(b"not an IDX file")
        (data / f"{part}-labels-idx1-ubyte").write_bytes(b"not an IDX file")
    code, _, err = command("simulator", *given)
    assert code != 0 and "idx" in err.lower() and "Traceback" not in err


def test_divergence_ends_the_run_and_keeps_what_was_recorded(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "run"
    wild = ["task=quadratic", "workers=2", "rounds=400", "eval_every=1", "algorithm.lr=30", "progress=false"]
    code, _, err = command("simulator", *wild, f"hydra.run.dir={folder}")
    assert code != 0 and "loss: expected a finite number" in err and "algorithm.lr" in err
    rounds = pq.read_table(folder / "metrics.parquet")["round"].to_pylist()
    assert len(rounds) > 3 and rounds == list(range(1, len(rounds) + 1))
    assert not (folder / "summary.json").exists()


def test_retime_refuses_what_it_cannot_do(tmp_path: Path, command: Command) -> None:
    target = f"hydra.run.dir={tmp_path / 'out'}"
    code, _, err = command("simulator.retime", f"run={tmp_path / 'nowhere'}", "network=lte", target)
    assert code != 0 and "nowhere" in err and "does not exist" in err
    half = tmp_path / "half"
    command("simulator", *TOY, f"hydra.run.dir={half}")
    (half / "summary.json").unlink()
    code, _, err = command("simulator.retime", f"run={half}", "network=lte", target)
    assert code != 0 and "half-written" in err and "resume=true" in err
    racy = tmp_path / "racy"
    command("simulator", "algorithm=async_sgd", *TOY, f"hydra.run.dir={racy}")
    code, _, err = command("simulator.retime", f"run={racy}", "network=lte", target)
    assert code != 0 and "ReceiveAny in server (async_sgd.py:" in err
    good = tmp_path / "good"
    command("simulator", *TOY, f"hydra.run.dir={good}")
    for argument, told in {
        "workers=3": "workers",
        "network=nosuch": "nosuch",
        "network.up_bps=-1": "network.up_bps",
        "network.nonsense=1": "nonsense",
        "lonely": "key=value",
    }.items():
        code, _, err = command("simulator.retime", f"run={good}", argument, target)
        assert code != 0 and told in err and "Traceback" not in err, argument
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("ran", "changed"),
    [
        (["stragglers=none"], ["stragglers=lognormal"]),
        (["stragglers=lognormal"], ["compute=fixed"]),
        (["stragglers=lognormal"], ["stragglers.sigma=0.9"]),
        (
            ["stragglers=none"],
            ["stragglers=pareto", "stragglers.alpha=2.5", "compute.device=phone", "network.down_bps=1e6"],
        ),
    ],
)
def test_retimed_equals_fresh_whatever_of_the_clock_changes(
    tmp_path: Path, command: Command, ran: list[str], changed: list[str]
) -> None:
    run, there, fresh = (tmp_path / name for name in ("run", "there", "fresh"))
    assert command("simulator", *TOY, *ran, f"hydra.run.dir={run}")[0] == 0
    code, _, err = command("simulator.retime", f"run={run}", *changed, f"hydra.run.dir={there}")
    assert code == 0, err
    kept = [] if any(one.startswith("stragglers=") for one in changed) else ran
    assert command("simulator", *TOY, *kept, *changed, f"hydra.run.dir={fresh}")[0] == 0
    again = there / "lan_1g"
    assert (again / "timeline.parquet").read_bytes() == (fresh / "timeline.parquet").read_bytes()
    assert (again / "timeline.parquet").read_bytes() != (run / "timeline.parquet").read_bytes()
    assert yaml.safe_load((again / "config.yaml").read_text()) == yaml.safe_load((fresh / "config.yaml").read_text())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trace.jsonl", None),
        ("metrics.parquet", b""),
        ("manifest.json", None),
        ("config.yaml", b"a: [1"),
        ("summary.json", b"{"),
    ],
)
def test_retime_of_a_damaged_folder_names_the_file_and_leaves_nothing(
    tmp_path: Path, command: Command, name: str, content: bytes | None
) -> None:
    run = tmp_path / "run"
    command("simulator", *TOY, f"hydra.run.dir={run}")
    whole = (run / name).read_bytes()
    (run / name).unlink() if content is None else (run / name).write_bytes(content)
    code, _, err = command("simulator.retime", f"run={run}", "network=lte", f"hydra.run.dir={tmp_path / 'out'}")
    assert code != 0 and name in err and "Traceback" not in err
    assert not list((tmp_path / "out").glob("*/*"))
    (run / name).write_bytes(whole)
    assert command("simulator.retime", f"run={run}", "network=lte", f"hydra.run.dir={tmp_path / 'out'}")[0] == 0


def test_retime_of_a_trace_cut_at_a_line_end_is_refused(tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    command("simulator", *TOY, f"hydra.run.dir={run}")
    lines = (run / "trace.jsonl").read_text().splitlines(keepends=True)
    (run / "trace.jsonl").write_text("".join(lines[: len(lines) // 2]))
    code, _, err = command("simulator.retime", f"run={run}", "network=lte", f"hydra.run.dir={tmp_path / 'out'}")
    assert code != 0 and "expected marks up to round 6" in err and "trace.jsonl" in err


def test_a_failing_run_leaves_the_rest_of_the_sweep_alone(tmp_path: Path, command: Command) -> None:
    sweep = tmp_path / "sweep"
    code, _, err = command("simulator", "-m", "algorithm.lr=-1,0.1", *TOY, f"hydra.sweep.dir={sweep}")
    assert code != 0 and "algorithm.lr" in err and "Traceback" not in err
    assert len(list(sweep.glob("*/summary.json"))) == 1


def test_a_file_where_the_run_folder_should_be(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").touch()
    for bad in (f"{tmp_path / 'file'}", f"{tmp_path / 'file' / 'under'}", ""):
        code, _, err = command("simulator", *TOY, f"hydra.run.dir={bad}")
        assert code != 0 and "hydra.run.dir: expected a folder" in err and "Traceback" not in err


def test_where_a_worker_spent_its_time_adds_up_when_it_sits_out(tmp_path: Path, command: Command) -> None:
    command("simulator", "algorithm=fedavg", *TOY, f"hydra.run.dir={tmp_path}")
    for row in pq.read_table(tmp_path / "timeline.parquet").to_pylist():
        for worker in range(4):
            spent = sum(row[f"{kind}_s"][worker] for kind in ("compute", "encode", "uplink", "downlink", "waiting"))
            assert spent == pytest.approx(row["seconds"], rel=1e-9)
