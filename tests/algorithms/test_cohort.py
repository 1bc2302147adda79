"""Who takes part in a round, in which chunks, and that nobody's draws depend on how workers are hosted."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from algorithms.cohort import Cohort
from tests.algorithms.by_hand import cohort_of

sizes = st.integers(1, 30)


@given(sizes, st.floats(0.01, 1.0), st.integers(0, 50), st.integers(0, 5))
def test_active_workers_are_a_sorted_sample(n: int, participation: float, t: int, seed: int) -> None:
    cohort = cohort_of(n, 1, participation=participation, seed=seed)
    cohort.begin(t)
    active = cohort.active.tolist()
    assert active == sorted(set(active)) and set(active) <= set(range(n))
    assert len(active) == (n if participation == 1 else max(1, round(participation * n)))
    assert float(cohort.weights.sum()) == pytest.approx(1)


def test_rounds_and_seeds_differ_and_everybody_gets_a_turn() -> None:
    cohort = cohort_of(20, 1, participation=0.25)
    seen = torch.zeros(20)
    lists = set()
    for t in range(400):
        cohort.begin(t)
        seen[cohort.active] += 1
        lists.add(tuple(cohort.active.tolist()))
    # binomial(400, 1/4): mean 100, standard deviation 8.7
    assert len(lists) > 390 and float((seen - 100).abs().max()) < 45
    other = cohort_of(20, 1, participation=0.25, seed=1)
    other.begin(399)
    assert not torch.equal(other.active, cohort.active)
    cohort.begin(3)
    again = cohort_of(20, 1, participation=0.25)
    again.begin(3)  # without the rounds before it
    assert torch.equal(again.active, cohort.active)


@given(sizes, st.floats(0.05, 1.0), st.integers(1, 9), st.integers(1, 6), st.integers(0, 9))
def test_parts_are_whole_chunks_of_one_list(n: int, participation: float, chunk: int, parts: int, t: int) -> None:
    options = {"participation": participation, "chunk": chunk}
    whole = cohort_of(n, 1, **options)
    whole.begin(t)
    m = len(whole.active)
    assert [(c.start, c.stop) for c in whole.chunks] == [(i, min(i + chunk, m)) for i in range(0, m, chunk)]
    assert whole.size == m and torch.equal(whole.workers, whole.active) and whole.all_chunks == whole.chunks
    workers, blocks = [], []
    for part in range(parts):
        share = cohort_of(n, 1, part=part, parts=parts, **options)
        share.begin(t)
        assert torch.equal(share.active, whole.active) and share.all_chunks == whole.all_chunks
        assert torch.equal(share.weights, whole.weights)
        assert sum(c.stop - c.start for c in share.chunks) == share.size == len(share.workers)
        workers.append(share.workers)
        blocks += [slice(c.start + share.start, c.stop + share.start) for c in share.chunks]
    assert torch.equal(torch.cat(workers), whole.active)
    assert tuple(blocks) == whole.all_chunks


def test_home_is_what_is_hosted_or_everything() -> None:
    assert cohort_of(10, 1, chunk=2, part=1, parts=2).home == (4, 10)  # two chunks here, three there
    assert cohort_of(10, 1, chunk=2, part=1, parts=2, participation=0.5).home == (0, 10)
    assert cohort_of(10, 1, only=7).home == (7, 8)
    assert cohort_of(3, 1, chunk=8, part=0, parts=2).size == 0


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(0, 5))
def test_private_draws_belong_to_the_worker(n: int, chunk: int, parts: int, t: int) -> None:
    def draws(cohort: Cohort) -> torch.Tensor:
        cohort.begin(t)
        drawn = [cohort.draw(rows) for rows in cohort.chunks]
        return torch.cat([torch.zeros(0, 4), *(d.private.at("x").uniform(d.workers, 4) for d in drawn)])

    whole = draws(cohort_of(n, 1, chunk=n))
    assert torch.equal(draws(cohort_of(n, 1, chunk=chunk)), whole)
    split = [cohort_of(n, 1, chunk=chunk, part=part, parts=parts) for part in range(parts)]
    assert torch.equal(torch.cat([draws(cohort) for cohort in split]), whole)
    assert torch.equal(torch.cat([draws(cohort_of(n, 1, only=worker)) for worker in range(n)]), whole)
    assert len({tuple(row) for row in whole.tolist()}) == n


def test_shared_draws_depend_on_the_round_alone() -> None:
    row = torch.tensor([0])
    one, two = cohort_of(4, 1, part=0, parts=2), cohort_of(4, 1, part=1, parts=2)
    one.begin(3)
    assert torch.equal(one.shared(3).bits(row, 5), two.shared(3).bits(row, 5))
    assert torch.equal(one.draw().shared.bits(row, 5), two.shared(3).bits(row, 5))
    assert not torch.equal(one.shared(3).bits(row, 5), one.shared(4).bits(row, 5))


def test_weights_are_shares_among_the_active() -> None:
    cohort = cohort_of(4, 1, participation=0.5, shares=torch.tensor([1.0, 2, 3, 4]))
    for t in range(5):
        cohort.begin(t)
        a, b = (cohort.active + 1).tolist()
        assert cohort.weights.tolist() == pytest.approx([a / (a + b), b / (a + b)])
    assert cohort_of(4, 1).weights.tolist() == [0.25] * 4
