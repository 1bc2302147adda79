"""Two gloo processes end where one process ends, for every synchronous algorithm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from simulator.runner import Run
from tests.running import composed

ROOT = Path(__file__).resolve().parents[2]
COMMON = "task=fashion_mnist_mini model=softmax workers=8 chunk=4 rounds=5 eval_every=2 checkpoint_every=5"


def torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start two processes on this machine."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT, env=environment)


def cases() -> list[str]:
    """Every synchronous algorithm, and the ones whose state must travel between ranks."""
    names = sorted(path.stem for path in (ROOT / "conf" / "algorithm").glob("*.yaml"))
    racy = [name for name in names if Run(composed(f"algorithm={name}"), Path("unused")).messaging]
    assert {"async_sgd", "gradient_dropping", "qsparse_async", "ssp"} < set(racy) and "sgd" not in racy
    plain = [f"algorithm={name} {COMMON}" for name in names if name not in racy]
    layers = "mlp model.widths=[784,20,10]"
    sampled = COMMON.replace("chunk=4", "chunk=2")
    return [
        *plain,
        f"algorithm=topk participation=0.5 algorithm.momentum=0.9 {sampled}",
        f"algorithm=fedavg participation=0.25 algorithm.momentum=0.5 {COMMON}",
        f"algorithm=sgd algorithm.kind=bf16 {COMMON}",
        f"algorithm=sgd_allreduce algorithm.kind=fp16 {COMMON}",
        f"algorithm=qsgd algorithm.via=all_gather dtype=float64 {COMMON}",
        f"algorithm=topk algorithm.overlap.bucket_bytes=600 {COMMON.replace('softmax', layers)}",
        f"algorithm=topk algorithm.overlap.delay=1 {COMMON}",
    ]


def test_two_processes_end_in_the_digest_of_one(tmp_path: Path) -> None:
    todo = cases()
    done = torchrun("tests/simulator/all_ranks.py", str(tmp_path / "two"), *todo)
    assert done.returncode == 0, done.stderr[-3000:]
    ranks = json.loads((tmp_path / "two" / "digests.json").read_text())
    for number, case in enumerate(todo):
        alone = Run(composed(*case.split()), tmp_path / "one" / str(number)).execute()
        assert [digests[case] for digests in ranks] == [alone["digest"]] * 2, case
        for name in ("trace.jsonl", "metrics.parquet", "timeline.parquet"):
            one, two = (tmp_path / hosts / str(number) / name for hosts in ("one", "two"))
            assert one.read_bytes() == two.read_bytes(), (case, name)


def test_the_command_line_under_torchrun(tmp_path: Path) -> None:
    overrides = [*"algorithm=topk".split(), *COMMON.split(), "device=cpu", "progress=false"]
    done = torchrun("-m", "simulator", *overrides, f"hydra.run.dir={tmp_path / 'two'}")
    assert done.returncode == 0, done.stderr[-3000:]
    alone = Run(composed(*overrides), tmp_path / "one").execute()
    summary = json.loads((tmp_path / "two" / "summary.json").read_text())
    assert summary["digest"] == alone["digest"]
    assert summary["uplink_wire_bytes"] == alone["uplink_wire_bytes"]
