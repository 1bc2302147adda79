"""Time-correlated sparsification worked by hand, and its laws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from algorithms.payloads import Concat, Dense, Full, Sparse
from algorithms.schedules import Step
from algorithms.tcs import tcs
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows, settle
from tests.running import run


def test_three_rounds_by_hand() -> None:
    # k = 1 in the mask and m = 1 outside, of d = 4
    algorithm, cohort = tcs(density=0.25, own_density=0.25, local_steps=1, lr=0.5), cohort_of(2, 4)
    hand = begun(algorithm, cohort, 3)
    # the mask is all ones: what is sent is all there is, and one barrier
    sent, down = over_server(hand, cohort, rows([4, 1, 0, -2], [2, 3, 0, 4]))
    assert isinstance(sent, Dense) and isinstance(down, Dense) and sent.size == 4
    assert sent.paper is not None and sent.paper.total.tolist() == [128, 128]
    assert down.dense().tolist() == [[3, 2, 0, 1]]
    assert marked(hand, 1).tolist() == [-1.5, -1, 0, -0.5]
    assert algorithm.exchange.inner.inner.mask.tolist() == [0] and not algorithm.exchange.residual.values.any()
    # on the mask 1 and 3; outside it 5 at 2, and 4 at 1; the mean is (2, 2, 2.5, 0)
    sent, down = over_server(hand, cohort, rows([1, 0, 5, -2], [3, 4, 0, 2]))
    assert isinstance(sent, Concat) and isinstance(down, Concat)
    assert sent.parts[0].dense().tolist() == [[1, 5], [3, 4]]
    assert isinstance(sent.parts[1], Sparse) and sent.parts[1].indices.tolist() == [2, 1]
    assert sent.paper is not None and sent.paper.total.tolist() == [68, 68]  # two values, and log2 4 + 2
    assert down.parts[0].dense().tolist() == [[2, 2, 2.5]]
    assert down.parts[1].dense().tolist() == [[0, 1, 1, 0]]
    assert down.paper is not None and down.paper.total.tolist() == [3 * 32 + 2 * 3]  # two of four: log2 2 + 2 each
    assert marked(hand, 2).tolist() == [-2.5, -2, -1.25, -0.5]
    assert torch.equal(algorithm.exchange.residual.values, rows([0, 0, 0, -2], [0, 0, 0, 2]))
    # corrected: (0, 0, 0, -2) and (0, 0, 1, 0) with mask {2}; the second has nothing else: the lowest index goes
    sent, down = over_server(hand, cohort, rows([0, 0, 0, 0], [0, 0, 1, -2]))
    assert isinstance(sent, Concat) and sent.parts[0].dense().tolist() == [[0, -2], [1, 0]]
    assert isinstance(sent.parts[1], Sparse) and sent.parts[1].indices.tolist() == [3, 0]
    assert isinstance(down, Concat) and down.parts[0].dense().tolist() == [[0.5, 0, -1]]
    assert marked(hand, 3).tolist() == [-2.5, -2, -1.5, 0]
    hand.ends()


def test_all_values_of_a_worker_share_the_groups() -> None:
    algorithm, cohort = tcs(density=0.25, own_density=0.25, local_steps=1, lr=1.0, groups=2), cohort_of(1, 4)
    hand = begun(algorithm, cohort, 2)
    # first (2.83, 8] and [1, 2.83]: 6, 6, 1.5, 1.5; the first coordinate keeps 2, the second -2 ...
    sent, _ = over_server(hand, cohort, rows([8, 4, 2, 1]))
    assert isinstance(sent, Full) and sent.dense().tolist() == [[6, 6, 1.5, 1.5]]
    marked(hand, 1)
    assert algorithm.exchange.residual.values.tolist() == [[2, -2, 0.5, -0.5]]
    # corrected (2, -2, 8.5, 0.5): 2 on the mask {0}, 8.5 outside; each is alone in its group
    sent, _ = over_server(hand, cohort, rows([0, 0, 8, 1]))
    assert isinstance(sent, Concat) and sent.parts[0].dense().tolist() == [[2, 8.5]]
    assert sent.paper is not None and sent.paper.total.tolist() == [2 * 2 + 4]
    assert marked(hand, 2).tolist() == [-8, -6, -10, -1.5]


@pytest.mark.parametrize(("units", "moved"), [("gradient", 0.25), ("step", 0.5)])
def test_a_residual_scales_with_the_rate_that_drops(units: str, moved: float) -> None:
    # rates 1/2, 1/2, 1/4; the second round leaves 1 at the last coordinate, the third sends it
    schedule = Step(milestones=[0.6], gamma=0.5)
    keys: dict[str, Any] = {"density": 0.34, "own_density": 0.34, "residual_units": units, "schedule": schedule}
    cohort = cohort_of(1, 5)
    hand = begun(tcs(local_steps=1, lr=0.5, **keys), cohort, 3)
    over_server(hand, cohort, rows([2, 2, 0, 0, 0]))
    marked(hand, 1)
    over_server(hand, cohort, rows([2, 2, 4, 4, 1]))
    assert marked(hand, 2).tolist() == [-2, -2, -2, -2, 0]
    over_server(hand, cohort, rows([0, 0, 0, 0, 0]))
    assert marked(hand, 3).tolist() == [-2, -2, -2, -2, -moved]


@pytest.mark.parametrize("groups", [None, 16])
def test_no_mass_is_lost_and_the_mean_is_what_was_sent(groups: int | None) -> None:
    n, d, rounds = 4, 40, 1000 if groups else 100
    cohort = cohort_of(n, d, chunk=3, shares=torch.tensor([0.5, 0.25, 0.125, 0.125]))
    exchange: Any = tcs(density=0.2, own_density=0.05, groups=groups).exchange
    given, sent_so_far = torch.zeros(n, d, dtype=torch.float64), torch.zeros(n, d, dtype=torch.float64)
    for t in range(rounds):
        cohort.begin(t)
        update = torch.randn(n, d, generator=torch.Generator().manual_seed(t))
        before = exchange.inner.inner.mask
        mean, sent = settle(exchange(cohort, update.clone(), t), cohort)
        total = (cohort.weights.float()[:, None] * sent.dense()).sum(0)
        torch.testing.assert_close(mean, total, rtol=1e-5, atol=1e-5)
        if before is not None:
            assert sent.ragged.counts.tolist() == [8 + 2] * n
            assert all(set(before.tolist()) <= set(row.tolist()) for row in sent.indices.view(n, -1))
            assert int((mean != 0).sum()) <= 8 + 2 * n  # the union bounds what comes down
        given += update
        sent_so_far += sent.dense()
    torch.testing.assert_close(sent_so_far + exchange.residual.values, given, rtol=1e-4, atol=1e-3)


def test_a_loaded_state_goes_on_as_before() -> None:
    cohort, made = cohort_of(3, 20), [tcs(density=0.2, own_density=0.1).exchange for _ in range(2)]
    answers = []
    for t in range(6):
        cohort.begin(t)
        update = torch.randn(3, 20, generator=torch.Generator().manual_seed(t))
        if t == 3:
            made[1].load(made[0].state())
            made[1].residual.values = made[0].residual.values.clone()
        answers = [settle(e(cohort, update.clone(), t), cohort)[0] for e in (made if t >= 3 else made[:1])]
        assert torch.equal(answers[0], answers[-1])


@pytest.mark.parametrize(
    ("steps", "plain"), [(1, ["algorithm=sgd"]), (3, ["algorithm=local_sgd", "algorithm.steps=3"])]
)
def test_where_mask_and_own_are_everything_it_is_plain_averaging(tmp_path: Path, steps: int, plain: list[str]) -> None:
    common = ["workers=4", "rounds=20", "schedule=step", "task.dimensions=96"]
    everything = ["algorithm=tcs", "algorithm.density=0.5", "algorithm.own_density=0.5"]
    mine = run(tmp_path / "a", *common, *everything, f"algorithm.local_steps={steps}")[0].algorithms[0].model
    theirs = run(tmp_path / "b", *common, *plain)[0].algorithms[0].model
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_what_is_refused_before_anything_is_computed() -> None:
    for options, expects in (
        ({"own_density": 0.1}, r"algorithm\.own_density: expected own_density \* d >= 1, .* got 0\.1 \* 4 = 0\.4"),
        ({"density": 0.1}, r"algorithm\.density: expected density \* d >= 1, .* got 0\.1 \* 4 = 0\.4"),
        ({"density": 1.0}, r"algorithm\.own_density: expected mask and own coordinates within d = 4, got 4 \+ 1"),
        ({"density": 1.5}, r"algorithm\.density: expected a fraction in \(0, 1\], got 1\.5"),
    ):
        hand = begun(tcs(**({"density": 0.25, "own_density": 0.25} | options)), cohort_of(2, 4), 1)
        with pytest.raises(ValueError, match=expects):
            hand.program.send(None)


def test_a_mask_of_the_wrong_length_is_refused() -> None:
    exchange: Any = tcs(density=0.5, own_density=0.25).exchange
    exchange.inner.inner.mask = torch.tensor([0, 1, 2])
    with pytest.raises(ValueError, match=r"mask: expected k = 2 coordinates, got shape \(3,\)"):
        settle(exchange(cohort_of(2, 4), torch.ones(2, 4), 0), cohort_of(2, 4))


@pytest.mark.parametrize("workers", [8, 3])  # with 3, half of the parts host nobody
def test_hosting_changes_nothing_with_quantised_values(tmp_path: Path, workers: int) -> None:
    common = ["algorithm=tcs", "algorithm.groups=16", f"workers={workers}", "rounds=5", "chunk=2"]
    whole = run(tmp_path / "whole", *common)[1]
    assert run(tmp_path / "parts", *common, "parts=4")[1]["digest"] == whole["digest"]
