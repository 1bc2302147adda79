"""Sync sets: their gaps, and what is refused of them and of the operators, before anything is computed."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from algorithms.compressors import SparseFloats, SparseLevels, SparseSigns
from algorithms.compressors.kept import Kept
from algorithms.layout import Layout
from algorithms.ops import Gradient
from algorithms.qsparse import Operator, qsparse
from algorithms.qsparse_async import qsparse_async
from algorithms.schedules import Constant, Step
from algorithms.sync_sets import ComputeDriven, FixedGap, ListedSteps, RandomGaps
from tests.algorithms.by_hand import begun, cohort_of

COHORT = cohort_of(3, 1, seed=5)


def test_fixed_and_listed_gaps() -> None:
    assert [FixedGap(4).gap(COHORT, 0, c) for c in range(3)] == [4, 4, 4]
    assert [FixedGap(4, first=1).gap(COHORT, 2, c) for c in range(3)] == [1, 4, 4]
    common, own = ListedSteps([2, 3, 7], 4), ListedSteps([[1], [2, 4], [4]], 4)
    assert [common.gap(COHORT, 1, c) for c in range(4)] == [2, 1, 4, None]
    assert [own.gap(COHORT, 1, c) for c in range(3)] == [2, 2, None] and own.exchanges(1) == 2
    with pytest.raises(ValueError, match=r"sync_set.steps: expected a list for each worker, got 3"):
        own.gap(COHORT, 3, 0)


def test_random_gaps_are_uniform_repeat_and_differ_between_workers() -> None:
    sets = RandomGaps(4)
    drawn = torch.tensor([[sets.gap(COHORT, worker, c) for c in range(400)] for worker in range(3)])
    shares = torch.bincount(drawn.view(-1), minlength=5)[1:] / drawn.numel()
    assert drawn.min() == 1 and drawn.max() == 4
    assert float((shares - 0.25).abs().max()) < 4 * math.sqrt(0.25 * 0.75 / drawn.numel())
    assert not torch.equal(drawn[0], drawn[1]) and sets.gap(COHORT, 1, 17) == drawn[1, 17]
    assert any(sets.gap(cohort_of(3, 1, seed=6), 0, c) != drawn[0, c] for c in range(20))


SET, OPERATOR = "algorithm.sync_set", "algorithm.compressor"
BAD: list[tuple[Any, dict[str, Any], str, str]] = [
    *[(FixedGap, {"gap_steps": bad}, f"{SET}.gap_steps", repr(bad)) for bad in (0, -1, 1.5, "often", True)],
    *[(FixedGap, {"gap_steps": 4, "first": bad}, f"{SET}.first", str(bad)) for bad in (0, 5)],
    *[(RandomGaps, {"longest": bad}, f"{SET}.longest", repr(bad)) for bad in (0, 2.5, "long")],
    *[(ComputeDriven, {"longest": bad}, f"{SET}.longest", repr(bad)) for bad in (0, None)],
    *[(ComputeDriven, {"period_s": bad}, f"{SET}.period_s", repr(bad)) for bad in (0, -1.0, "1s", math.nan, math.inf)],
    *[(ListedSteps, {"steps": bad, "longest": 3}, f"{SET}.steps", seen)
      for bad, seen in (([], "[]"), ("1,2", "'1,2'"), ([[1], []], "[]"), ([0, 2], "0"), ([3, 2], "[3, 2]"),
                        ([2, 2], "[2, 2]"), ([1, 2.5], "2.5"), ([4], "a gap of 4"), ([[2], [1, 5]], "a gap of 4"))],
    *[(Kept, {"k": 3, "select": bad}, f"{OPERATOR}.select", repr(bad)) for bad in ("bottom", None)],
    *[(Kept, {"k": 3, "index_width": bad}, f"{OPERATOR}.index_width", repr(str(bad))) for bad in ("layer", 64)],
    (Kept, {"k": 3, "cap": "no"}, f"{OPERATOR}.cap", "'no'"),
    (SparseLevels, {"k": 3, "scaled": 1}, f"{OPERATOR}.scaled", "1"),
    (SparseLevels, {"k": 3, "beta": "max"}, f"{OPERATOR}.beta", "'max'"),
    *[(SparseLevels, {"k": 3, "levels": bad}, "algorithm.levels", repr(bad)) for bad in (0, 2.5, "few")],
    *[(SparseSigns, {"k": 3, "norm": bad}, f"{OPERATOR}.norm", repr(bad)) for bad in (0, 1.5, "l1")],
    *[(build, {"compressor": "topk"}, OPERATOR, "'topk'") for build in (qsparse, qsparse_async)],
    *[(build, {"per_tensor": "yes"}, "algorithm.per_tensor", "'yes'") for build in (qsparse, qsparse_async)],
    *[(build, {"sync_set": 8}, SET, "8") for build in (qsparse, qsparse_async)],
    *[(build, {"wipe_memory": True, "schedule": Constant()}, "algorithm.wipe_memory", "Constant")
      for build in (qsparse, qsparse_async)],
    (qsparse, {"sync_set": ComputeDriven()}, SET, "ComputeDriven(longest=8, period_s=None)"),
    (qsparse, {"sync_set": ListedSteps([[1], [1]], 1)}, SET, "ListedSteps(steps=[[1], [1]], longest=1)"),
    (qsparse, {"wipe_memory": True, "error_feedback": False, "schedule": Step()}, "algorithm.wipe_memory", "false"),
    *[(qsparse, {"average_shift": bad}, "algorithm.average_shift", repr(bad)) for bad in (-1, math.nan, "a", True)],
    (qsparse, {"via": "all_reduce"}, "algorithm.via", "'all_reduce'"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "options", "key", "came"), BAD, ids=[f"{b[2]}={b[3]}" for b in BAD])
def test_refused_at_construction(build: Any, options: dict[str, Any], key: str, came: str) -> None:
    with pytest.raises(ValueError) as error:
        build(**options)
    message = str(error.value)
    assert message.startswith(f"{key}: expected") and came in message.split(", got ")[-1]


def test_gaps_name_the_papers_condition() -> None:
    with pytest.raises(ValueError, match=r"expected gap\(I_T\) <= H = .*longest = 3 of worker 1 \(Basu et al. 2019\)"):
        ListedSteps([[3], [1, 5]], 3)


LAYOUT = Layout(("a", "b"), ((4, 5), (3,)))


@pytest.mark.parametrize("compressor", [SparseFloats(k=4, cap=False), SparseSigns(k=4, cap=False)])
def test_more_than_a_tensor_has_is_refused_unless_capped(compressor: Any) -> None:
    with pytest.raises(ValueError, match=r"compressor.k: expected K <= d = 3, .*k = min\(d, K\).*, got 4"):
        Operator(compressor, per_tensor=True).check(LAYOUT)
    Operator(compressor, per_tensor=False).check(LAYOUT)
    Operator(type(compressor)(k=4), per_tensor=True).check(LAYOUT)


def test_unscaled_levels_need_beta_below_one() -> None:
    # k = 20 of the first tensor, 2 levels: beta = min(20 / 4, sqrt 20 / 2) = 2.24; with 5 levels 20 / 25
    with pytest.raises(ValueError, match=r"levels: expected s with beta < 1 for k = 20 .* got 2 with beta = 2.24"):
        Operator(SparseLevels(k=20, levels=2, scaled=False), per_tensor=True).check(LAYOUT)
    Operator(SparseLevels(k=20, levels=2), per_tensor=True).check(LAYOUT)
    Operator(SparseLevels(k=20, levels=5, scaled=False), per_tensor=True).check(LAYOUT)


def test_operators_and_lists_are_checked_before_the_first_gradient() -> None:
    unfit = SparseLevels(k=9, levels=1, scaled=False)
    for message, options in (
        ("beta < 1", {"compressor": unfit}),
        ("at least rounds = 3 exchanges, got 2", {"sync_set": ListedSteps([1, 2], 1)}),
    ):
        with pytest.raises(ValueError, match=message):
            begun(qsparse(**options), cohort_of(2, 9), 3).meets(Gradient)
    for message, options in (
        ("beta < 1", {"compressor": unfit}),
        (r"at least workers x rounds = 6 exchanges in all, got 5", {"sync_set": ListedSteps([[1, 2, 3], [3, 4]], 3)}),
    ):
        algorithm = qsparse_async(**options)
        algorithm.begin(torch.zeros(9))
        with pytest.raises(ValueError, match=message):
            algorithm.server(cohort_of(2, 9), 3).send(None)
