"""Elections against brute force; ties are drawn alike on every worker and without favour."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from algorithms.streams import Stream
from algorithms.voting.election import lottery, most_votes


def stream(t: int) -> Stream:
    return Stream(3, "shared", t)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.data())
def test_nobody_outside_has_more_votes(votes: list[int], data: st.DataObject) -> None:
    keep = data.draw(st.integers(1, len(votes)))
    mask = most_votes(torch.tensor(votes, dtype=torch.float32), keep, stream(0)).tolist()
    assert mask == sorted(set(mask)) and len(mask) == keep
    outside = [v for i, v in enumerate(votes) if i not in mask]
    assert min(votes[i] for i in mask) >= max(outside, default=0)


def test_ties_are_drawn_from_the_shared_stream() -> None:
    votes = torch.tensor([1.0, 3, 1, 1, 1, 0])
    masks = [most_votes(votes, 2, stream(t)).tolist() for t in range(4000)]
    assert masks[7] == most_votes(votes.clone(), 2, stream(7)).tolist()
    assert all(1 in mask and 5 not in mask for mask in masks)
    for index in (0, 2, 3, 4):  # 4 standard deviations of a binomial count
        share = sum(index in mask for mask in masks) / 4000
        assert share == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 4000) ** 0.5)


def test_a_lottery_draws_in_proportion_to_votes() -> None:
    votes, draws = torch.tensor([1.0, 0, 3, 6]), 4000
    first = torch.zeros(4)
    for t in range(draws):
        first[lottery(votes, 1, stream(t))] += 1
    assert first[1] == 0
    for index, chance in ((0, 0.1), (2, 0.3), (3, 0.6)):
        assert float(first[index]) / draws == pytest.approx(chance, abs=4 * (chance * (1 - chance) / draws) ** 0.5)


def test_a_lottery_of_two_is_sequential_without_replacement() -> None:
    # P({2, 3}) = 0.3 * 6/7 + 0.6 * 3/4
    votes, draws = torch.tensor([1.0, 0, 3, 6]), 4000
    share = sum(lottery(votes, 2, stream(t)).tolist() == [2, 3] for t in range(draws)) / draws
    chance = 0.3 * 6 / 7 + 0.6 * 3 / 4
    assert share == pytest.approx(chance, abs=4 * (chance * (1 - chance) / draws) ** 0.5)


@pytest.mark.parametrize("election", [most_votes, lottery])
@pytest.mark.parametrize("keep", [0, 5, -1])
def test_more_than_all_is_refused(election, keep: int) -> None:
    with pytest.raises(ValueError, match=f"vote: expected to elect 1 <= k <= d = 4 coordinates, got k = {keep}"):
        election(torch.ones(4), keep, stream(0))


def test_a_lottery_needs_runners() -> None:
    with pytest.raises(ValueError, match="vote: expected votes for at least k = 3 coordinates .*, got 2"):
        lottery(torch.tensor([1.0, 0, 2, 0]), 3, stream(0))
