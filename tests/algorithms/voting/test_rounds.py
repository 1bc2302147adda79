"""Laws of every variant of majority voting: nothing is lost, hosting and resuming change nothing, tallies add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.majority_vote import majority_vote
from tests.algorithms.by_hand import cohort_of, settle
from tests.running import run

VARIANTS: dict[str, dict[str, Any]] = {
    "topk": {},
    "random": {"vote": "random"},
    "add_drop local": {"vote": "add_drop", "change_density": 0.05},
    "add_drop global": {"vote": "add_drop", "change_density": 0.05, "reference": "global"},
    "topk Q": {"groups": 8},
    "add_drop Q": {"vote": "add_drop", "change_density": 0.05, "groups": 8, "dynamic_range": 100.0},
}
every = pytest.mark.parametrize("variant", VARIANTS)
N, D, K = 4, 40, 8


def exchange_of(variant: str) -> Any:
    return majority_vote(density=K / D, **VARIANTS[variant]).exchange


def updates(t: int) -> Tensor:
    return torch.randn(N, D, generator=torch.Generator().manual_seed(t))


@every
def test_no_mass_is_lost_and_the_mean_is_what_was_sent(variant: str) -> None:
    rounds = 1000 if variant == "add_drop Q" else 100
    cohort, exchange = cohort_of(N, D, chunk=3, shares=torch.tensor([0.5, 0.25, 0.125, 0.125])), exchange_of(variant)
    given, sent_so_far = torch.zeros(N, D, dtype=torch.float64), torch.zeros(N, D, dtype=torch.float64)
    for t in range(rounds):
        cohort.begin(t)
        update = updates(t)
        mean, sent = settle(exchange(cohort, update.clone(), t), cohort)
        total = (cohort.weights.float()[:, None] * sent.dense()).sum(0)
        torch.testing.assert_close(mean, total, rtol=1e-5, atol=1e-5)
        assert int((mean != 0).sum()) <= K and sent.ragged.counts.tolist() == [K] * N
        given += update
        sent_so_far += sent.dense()
    torch.testing.assert_close(sent_so_far + exchange.residual.values, given, rtol=1e-4, atol=1e-3)
    assert float(exchange.residual.values.abs().max()) < 100  # nothing waits for ever


@every
def test_a_loaded_state_goes_on_as_before(variant: str) -> None:
    def go(exchange: Any, first: int, last: int) -> list[Tensor]:
        cohort = cohort_of(N, D)
        means = []
        for t in range(first, last):
            cohort.begin(t)
            means.append(settle(exchange(cohort, updates(t), t), cohort)[0])
        return means

    straight, halfway, resumed = exchange_of(variant), exchange_of(variant), exchange_of(variant)
    go(halfway, 0, 3)
    resumed.load(halfway.state())
    assert all(torch.equal(a, b) for a, b in zip(go(straight, 0, 6)[3:], go(resumed, 3, 6), strict=True))


@pytest.mark.parametrize("reference", ["local", "global"])
def test_tallies_are_those_of_the_masks_that_workers_hold(reference: str) -> None:
    cohort, exchange = cohort_of(N, D), exchange_of(f"add_drop {reference}")
    ballot, before = exchange.inner.inner.ballot, None
    for t in range(20):
        cohort.begin(t)
        _, sent = settle(exchange(cohort, updates(t), t), cohort)
        assert sent.indices.view(N, K).unique(dim=0).tolist() == [ballot.mask.tolist()]
        if reference == "local":
            tally = torch.zeros(D).index_add_(0, ballot.masks.values.view(-1), torch.ones(N * K))
            assert torch.equal(tally, ballot.votes)
            if before is not None:
                moved = (ballot.masks.values[:, :, None] != before[:, None, :]).all(dim=2).sum(dim=1)
                assert 0 < int(moved.max()) <= 2  # 0.05 * 40
            before = ballot.masks.values.clone()
        # every vote says K coordinates, whatever the reference, so no elected one lacks a vote while others have more
        inside, outside = ballot.mask, [i for i in range(D) if i not in ballot.mask.tolist()]
        if reference == "local":
            assert ballot.votes[inside].min() >= ballot.votes[outside].max()


@pytest.mark.parametrize("workers", [8, 3])  # with 3, half of the parts host nobody
@pytest.mark.parametrize("variant", ["random", "add_drop local", "add_drop global", "add_drop Q"])
def test_hosting_changes_nothing(tmp_path: Path, variant: str, workers: int) -> None:
    keys = [f"algorithm.{key}={value}" for key, value in VARIANTS[variant].items()]
    common = ["algorithm=majority_vote", "algorithm.density=0.1", *keys, f"workers={workers}", "rounds=5", "chunk=2"]
    whole = run(tmp_path / "whole", *common)[1]
    assert run(tmp_path / "parts", *common, "parts=4")[1]["digest"] == whole["digest"]
    assert whole["paper_bits"] > 0


@pytest.mark.parametrize("vote", ["topk", "random", "add_drop"])
@pytest.mark.parametrize(
    ("steps", "plain"), [(1, ["algorithm=sgd"]), (3, ["algorithm=local_sgd", "algorithm.steps=3"])]
)
def test_with_all_coordinates_it_is_plain_averaging(tmp_path: Path, vote: str, steps: int, plain: list[str]) -> None:
    common = ["workers=4", "rounds=20", "schedule=step"]
    voting = ["algorithm=majority_vote", f"algorithm.vote={vote}", "algorithm.density=1.0"]
    mine = run(tmp_path / "a", *common, *voting, f"algorithm.local_steps={steps}")[0].algorithms[0].model
    theirs = run(tmp_path / "b", *common, *plain)[0].algorithms[0].model
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_two_barriers_a_round_are_on_the_clock(tmp_path: Path) -> None:
    # latency alone: two round trips against the one of top-k
    wan = ["workers=4", "rounds=3", "network=wan_10m", "compute=fixed", "compute.seconds_per_step=1e-6"]
    voting = run(tmp_path / "a", *wan, "algorithm=majority_vote", "algorithm.local_steps=1")[1]["simulated_seconds"]
    topk = run(tmp_path / "b", *wan, "algorithm=topk")[1]["simulated_seconds"]
    assert voting / topk == pytest.approx(2, rel=0.02)


def test_a_mask_of_another_length_is_refused() -> None:
    cohort, exchange = cohort_of(N, D), exchange_of("add_drop global")
    exchange.inner.inner.ballot.mask = torch.arange(K - 1)
    with pytest.raises(ValueError, match=r"mask: expected 8 coordinates in each of 4 rows, got shape \(4, 7\)"):
        settle(exchange(cohort, updates(0), 0), cohort)
