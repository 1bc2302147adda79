"""Methods with a server program, at the setting at which they are another method: the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.running import run

COMMON = ["workers=5", "rounds=6", "eval_every=3", "chunk=1", "stragglers=lognormal", "network=wan_10m"]
RULE = ["algorithm.lr=0.1", "algorithm.momentum=0.9", "algorithm.nesterov=true", "algorithm.weight_decay=0.01"]
SAME = {
    "ssp": ["algorithm=ssp", "algorithm.bound=0", "algorithm.fold=rank"],
    "backup_sgd": ["algorithm=backup_sgd", "algorithm.backups=0"],
    "semi_async": ["algorithm=semi_async", "algorithm.k=5"],
    "semi_async with a long window": ["algorithm=semi_async", "algorithm.k=5", "algorithm.window_s=1e6"],
}


@pytest.mark.parametrize(
    "task",
    [
        ["task=quadratic", "task.dimensions=97", "schedule=cosine"],
        ["task=quadratic", "task.dimensions=97", "algorithm.kind=bf16"],
        ["task=fashion_mnist_mini", "model=softmax", "batch=8", "partition=dirichlet"],
    ],
    ids=["quadratic", "bf16", "softmax"],
)
def test_lockstep_is_synchronous_sgd_bit_for_bit(tmp_path: Path, task: list[str]) -> None:
    _, plain = run(tmp_path / "sgd", "algorithm=sgd", *COMMON, *RULE, *task)
    for name, chosen in SAME.items():
        _, other = run(tmp_path / name, *chosen, *COMMON, *RULE, *task)
        assert other["digest"] == plain["digest"], name
        assert other["final_loss"] == plain["final_loss"] and other["staleness"] == {"0": 30}


def test_rank_order_follows_the_chunks(tmp_path: Path) -> None:
    # gradients of the quadratic do not depend on the chunk; the order of the sum does, the same in both
    chosen = [*COMMON[:3], "chunk=2", *RULE]
    one, two = (run(tmp_path / name, *SAME[name], *chosen)[1] for name in ("ssp", "backup_sgd"))
    assert one["digest"] == two["digest"] == run(tmp_path / "sgd", "algorithm=sgd", *chosen)[1]["digest"]


def test_lockstep_by_arrival_is_synchronous_up_to_rounding(tmp_path: Path) -> None:
    # each of n pushes moves the model by lr: together n lr times their mean
    chosen = [*COMMON, "dtype=float64"]
    ssp, _ = run(tmp_path / "ssp", "algorithm=ssp", "algorithm.bound=0", "algorithm.lr=0.02", *chosen)
    sgd, _ = run(tmp_path / "sgd", "algorithm=sgd", "algorithm.lr=0.1", *chosen)
    torch.testing.assert_close(ssp.algorithms[0].model, sgd.algorithms[0].model, rtol=1e-10, atol=1e-12)


def test_without_a_bound_or_with_one_push_it_is_asynchronous(tmp_path: Path) -> None:
    chosen = [*COMMON, "algorithm.lr=0.03", "algorithm.momentum=0.5"]
    _, free = run(tmp_path / "a", "algorithm=async_sgd", *chosen)
    _, unbound = run(tmp_path / "b", "algorithm=ssp", "algorithm.bound=.inf", *chosen)
    assert unbound["digest"] == free["digest"] and unbound["staleness"] == free["staleness"]
    for name in ("metrics", "timeline"):
        assert (tmp_path / f"a/{name}.parquet").read_bytes() == (tmp_path / f"b/{name}.parquet").read_bytes()
    # n times as many steps of one push each
    for hold in ("true", "false"):
        single = ["algorithm=semi_async", "algorithm.k=1", f"algorithm.hold={hold}", "rounds=30"]
        _, one = run(tmp_path / f"c{hold}", *single[:1], *chosen, *single[1:])
        assert one["digest"] == free["digest"]
