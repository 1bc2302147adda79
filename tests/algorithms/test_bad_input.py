"""What a constructor refuses: the error names the key, what was expected and what came."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.async_sgd import async_sgd
from algorithms.cohort import Cohort
from algorithms.compressors import QSGD, Identity, RandomK, TopK
from algorithms.descent import Descent
from algorithms.ef_signsgd import ef_signsgd
from algorithms.fedavg import fedavg
from algorithms.layout import Layout
from algorithms.local_sgd import local_sgd, post_local_sgd
from algorithms.qsgd import qsgd
from algorithms.randomk import randomk
from algorithms.schedules import Constant, Cosine, Inverse, Linear, Step
from algorithms.sgd import sgd, sgd_allreduce
from algorithms.signsgd_vote import signsgd_vote
from algorithms.topk import topk
from tests.algorithms.by_hand import begun, cohort_of

NAN = float("nan")
BAD: list[tuple[Any, dict[str, Any], str, Any]] = [
    *[(Descent, {"lr": bad}, "algorithm.lr", bad) for bad in (0, -1, "fast", True, NAN, float("inf"))],
    *[(Descent, {"momentum": bad}, "algorithm.momentum", bad) for bad in (1.0, -0.1, "much", NAN)],
    *[(Descent, {"weight_decay": bad}, "algorithm.weight_decay", bad) for bad in (-1e-4, NAN, None)],
    (Descent, {"nesterov": True}, "algorithm.nesterov", 0),
    (sgd, {"kind": "int8"}, "algorithm.kind", "int8"),
    (sgd_allreduce, {"kind": "fp8"}, "algorithm.kind", "fp8"),
    (async_sgd, {"kind": ""}, "algorithm.kind", ""),
    (Identity, {"kind": "float"}, "algorithm.kind", "float"),
    *[(local_sgd, {"steps": bad}, "algorithm.steps", bad) for bad in (0, -2, 1.5, "many", True)],
    *[(post_local_sgd, {"start": bad}, "algorithm.start", bad) for bad in (-0.5, 1.5, NAN, "late")],
    *[(fedavg, {"participation": bad}, "algorithm.participation", bad) for bad in (0, 1.5, -1, NAN, "half")],
    (fedavg, {"server_lr": 0.0}, "algorithm.lr", 0.0),
    (topk, {"density": 0.1, "k": 3}, "algorithm.density, algorithm.k", "0.1 and 3"),
    (topk, {"density": None}, "algorithm.density, algorithm.k", "None and None"),
    *[(TopK, {"density": bad}, "algorithm.density", bad) for bad in (0, 1.5, -1, "few", NAN)],
    *[(RandomK, {"k": bad}, "algorithm.k", bad) for bad in (0, -3, 1.5, "few")],
    (randomk, {"density": 0.0}, "algorithm.density", 0.0),
    (randomk, {"via": "mail"}, "algorithm.via", "mail"),
    (topk, {"via": ""}, "algorithm.via", ""),
    (ef_signsgd, {"via": "shared_support"}, "algorithm.via", "shared_support"),
    *[(QSGD, {"levels": bad}, "algorithm.levels", bad) for bad in (0, -1, 1.5, 40000, "4bit")],
    *[(qsgd, {"bucket": bad}, "algorithm.bucket", bad) for bad in (0, -1, 1.5, "all")],
    (qsgd, {"norm": "l1"}, "algorithm.norm", "l1"),
    *[(signsgd_vote, {"momentum": bad}, "algorithm.momentum", bad) for bad in (1, -0.5, NAN, "much")],
    *[(kind, {"warmup": bad}, "schedule.warmup", bad)
      for kind in (Constant, Step, Cosine, Inverse, Linear) for bad in (-1, 2, "x", NAN)],
    *[(Step, {"milestones": bad}, "schedule.milestones", seen)
      for bad, seen in (([0.5, 2], 2), ([-1], -1), (0.5, 0.5), ("half", "half"))],
    *[(Step, {"gamma": bad}, "schedule.gamma", bad) for bad in (-1, "x", NAN, True)],
    *[(Cosine, {"floor": bad}, "schedule.floor", bad) for bad in (-0.1, 1.1, None)],
    *[(Inverse, {"shift": bad}, "schedule.shift", bad) for bad in (0, -1, NAN, "x", True)],
    *[(Cohort, {"n": bad, "layout": Layout.flat(1)}, "workers", bad) for bad in (0, -1)],
    *[(Cohort, {"n": 2, "layout": Layout.flat(1), "chunk": bad}, "chunk", bad) for bad in (0, -8)],
    *[(Cohort, {"n": 2, "layout": Layout.flat(1), "participation": bad}, "participation", bad)
      for bad in (0, -0.5, 1.5, NAN)],
]  # fmt: skip


@pytest.mark.parametrize(("build", "options", "key", "came"), BAD, ids=[f"{b[2]}={b[3]}" for b in BAD])
def test_refused_at_construction(build: Any, options: dict[str, Any], key: str, came: Any) -> None:
    with pytest.raises(ValueError) as error:
        build(**options)
    message = str(error.value)
    assert message.startswith(f"{key}: expected") and str(came) in message.split(", got ")[-1]


@pytest.mark.parametrize("build", [sgd_allreduce, local_sgd, signsgd_vote, randomk, lambda: topk(via="all_gather")])
def test_sampling_is_refused_where_a_collective_needs_everybody(build: Any) -> None:
    hand = begun(build(), cohort_of(4, 3, participation=0.5), 1, torch.zeros(3))
    with pytest.raises(ValueError, match=r"participation: expected 1\.0 with \w+, .* got 0\.5"):
        hand.program.send(None)


def test_the_unknown_index_code_is_named() -> None:
    with pytest.raises(ValueError, match="index_code: expected one of auto, .* got 'zip'"):
        TopK(k=1, index_code="zip")(torch.ones(1, 3), cohort_of(1, 3).draw())
