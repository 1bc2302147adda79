"""Bad input gets one message that names the key, before anything is computed, and harms nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.simulator.conftest import TOY, Command

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
    "device=cuda:99": "device: expected",
    "state_dtype=fp8": "state_dtype: expected one of null, bf16, got 'fp8'",
    "state_on=moon": "state_on: expected memory, file, file:FOLDER or host, got 'moon'",
    "memory_gb=0": "memory_gb: expected a number of gigabytes above 0, or null, got 0.0",
    "memory_gb=0.001": "memory_gb: expected at least",
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
    "faults=lossy": "faults: expected none with sgd, whose workers meet at collectives, got lossy",
    "algorithm=ssp faults=scheduled faults.outages=[[4,0,1]]": "faults.outages: expected a worker in 0..3, got 4",
    "algorithm=ssp faults=crashes faults.mttf_s=0": "faults.mttf_s: expected more than 0 seconds, got 0",
    "algorithm=ssp algorithm.bound=-1": "algorithm.bound: expected a whole number of clocks, at least 0",
    "algorithm=backup_sgd algorithm.backups=4": "algorithm.backups: expected a whole number in 0..3",
    "algorithm=semi_async algorithm.k=0": "algorithm.k: expected a whole number, at least 1, got 0",
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
