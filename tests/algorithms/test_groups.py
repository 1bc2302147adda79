"""The grouped quantiser: the spec's vector, laws of its intervals, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from algorithms.codecs import Ragged
from algorithms.compressors.groups import Groups
from algorithms.payloads import Full
from tests.algorithms.by_hand import rows


def quantised(values: torch.Tensor, groups: int, dynamic_range: float | None = None) -> torch.Tensor:
    coded = Groups(groups, dynamic_range)(values)
    return coded.floats(Ragged.even(*values.shape)).view(values.shape)


def test_the_last_group_is_closed_on_the_left() -> None:
    # ratio (8 / 1)^(1/2): the groups are (2.83, 8] and [1, 2.83], with means 6 and 1.5
    assert quantised(rows([8, -4, 2, -1]), 2).tolist() == [[6, -6, 1.5, -1.5]]


def test_an_edge_belongs_to_the_group_below() -> None:
    # ratio 2: (4, 8], (2, 4], [1, 2]
    assert quantised(rows([8, 4, 2, 1]), 3).tolist() == [[8, 4, 1.5, 1.5]]


def test_every_row_has_intervals_of_its_own() -> None:
    found = quantised(rows([8, -4, 2, 1], [0.5, 0.5, -0.5, 0.5], [0, 0, 0, 0]), 2)
    assert found.tolist() == [[6, -6, 1.5, 1.5], [0.5, 0.5, -0.5, 0.5], [0, 0, 0, 0]]


def test_zeros_are_in_the_last_group_and_in_its_mean() -> None:
    assert quantised(rows([8, 4, 1, 0]), 2).tolist() == [[6, 6, 0.5, 0.5]]
    assert quantised(rows([3, -3, 0]), 4).tolist() == [[3, -3, 0]]


def test_a_tiny_value_spoils_the_groups_unless_the_range_is_bounded() -> None:
    values = rows([8, 4, 2, 1e-20])
    assert len(set(quantised(values, 2)[0].tolist())) == 2
    assert quantised(values, 2)[0, 0] == pytest.approx(14 / 3)
    # bounded to 8 / 1: (2.83, 8] and the rest
    assert quantised(values, 2, 8.0)[0].tolist() == [6, 6, 1, 1]


@pytest.mark.parametrize("groups", [1, 2, 3, 8, 16, 256])
def test_sums_are_kept_and_errors_are_bounded_by_the_ratio(groups: int) -> None:
    values = torch.randn(4, 1000, generator=torch.Generator().manual_seed(0))
    found = quantised(values, groups)
    torch.testing.assert_close(found.abs().sum(1), values.abs().sum(1))
    assert (found * values >= 0).all()
    size = values.abs().double()
    ratio = (size.amax(1) / size.amin(1)) ** (1 / groups)
    limit = ratio[:, None] * (1 + 1e-6)
    relative = found.abs().double() / size
    assert (relative <= limit).all() and (relative >= 1 / limit).all()
    assert ((found - values).norm(dim=1) <= values.norm(dim=1)).all()


def test_a_value_takes_a_sign_and_the_number_of_its_group() -> None:
    message = Full(1000, 1, Groups(8)(torch.randn(1, 1000)))
    assert message.wire.values.tolist() == [4000] and message.wire.scales.tolist() == [256]


@pytest.mark.parametrize("bad", [0, -1, 1.5, "many", True, 257])
def test_bad_groups_are_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"algorithm\.groups: expected .*, got"):
        Groups(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [1.0, 0, -3, "wide", True, float("nan")])
def test_bad_ranges_are_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"algorithm\.dynamic_range: expected a ratio above 1 or null, got"):
        Groups(8, bad)  # type: ignore[arg-type]
