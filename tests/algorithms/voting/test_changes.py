"""Add-drop against brute force, and by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from algorithms.compressors.selection import largest
from algorithms.voting.changes import swaps, toggles
from tests.algorithms.by_hand import rows


def test_two_workers_by_hand() -> None:
    # the first one's top 3 are now {3, 4, 5}; of its old {0, 1, 3} it drops the weaker 1 and adds the stronger 5
    update = rows([2, -1, 0, 4, 5, -6], [9, 8, 7, 0, 0, 0])
    masks = torch.tensor([[0, 1, 3], [0, 1, 2]])
    message, moved = swaps(update, largest(update, 3), masks, most=1)
    assert torch.equal(message.dense(), rows([0, -1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]))
    assert moved.tolist() == [[0, 3, 5], [0, 1, 2]]
    # paper: one addition and one drop among 6, each log2 6 + 2 bits; nothing costs nothing
    assert message.paper is not None and message.paper.total.tolist() == pytest.approx([2 * 4.5849625, 0])
    # with room for two both leave and both enter
    assert swaps(update, largest(update, 3), masks, most=5)[1].tolist() == [[3, 4, 5], [0, 1, 2]]


def slowly(row: Tensor, mask: list[int], keep: int, most: int) -> tuple[list[int], list[int]]:
    """Find additions and drops with sets."""
    size = row.abs().tolist()
    chosen = sorted(range(len(row)), key=lambda i: (-size[i], i))[:keep]
    fresh = sorted(set(chosen) - set(mask), key=lambda i: (-size[i], i))
    stale = sorted(set(mask) - set(chosen), key=lambda i: (size[i], i))
    return fresh[:most], stale[:most]


@pytest.mark.parametrize("most", [1, 3, 20])
def test_against_sets_over_many_rounds(most: int) -> None:
    generator, (w, d, keep) = torch.Generator().manual_seed(most), (3, 40, 8)
    masks = largest(torch.randn(w, d, generator=generator), keep)
    for _ in range(20):
        update = torch.randint(-9, 10, (w, d), generator=generator).float()  # many ties, some zeros
        before = masks.clone()
        message, masks = swaps(update, largest(update, keep), masks, most)
        for row in range(w):
            fresh, stale = slowly(update[row], before[row].tolist(), keep, most)
            dense = message.dense()[row]
            assert dense.gt(0).nonzero().view(-1).tolist() == sorted(fresh)
            assert dense.lt(0).nonzero().view(-1).tolist() == sorted(stale)
            assert masks[row].tolist() == sorted((set(before[row].tolist()) | set(fresh)) - set(stale))


def test_toggles_turn_one_mask_into_the_other() -> None:
    message = toggles(torch.tensor([0, 2, 5]), torch.tensor([2, 3, 4]), 6)
    assert message.dense().tolist() == [[-1, 0, 0, 1, 1, -1]]
    assert toggles(torch.tensor([1, 2]), torch.tensor([1, 2]), 6).indices.tolist() == []


def test_a_mask_of_the_wrong_length_is_refused() -> None:
    update = rows([1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"mask: expected 2 coordinates in each of 1 rows, got shape \(1, 3\)"):
        swaps(update, torch.tensor([[2, 3]]), torch.tensor([[0, 1, 2]]), 1)
    with pytest.raises(ValueError, match="mask: expected 2 coordinates, got 3"):
        toggles(torch.tensor([0, 1, 2]), torch.tensor([0, 1]), 4)
