"""Stochastic rounding to bfloat16: to a neighbour, on average nowhere, by numbers that hosting does not change."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import algorithms.rounding as rounding
from algorithms.rounding import round_rows
from algorithms.streams import Stream


def rounded(wide: Tensor, stream: Stream, first: int = 0) -> Tensor:
    out = torch.empty(wide.shape, dtype=torch.bfloat16)
    round_rows(wide, torch.arange(first, first + len(wide)), stream, out)
    return out


FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)


@given(st.lists(FLOATS, min_size=1, max_size=40), st.integers(0, 1000))
def test_a_number_becomes_one_of_its_two_neighbours(values: list[float], seed: int) -> None:
    wide = torch.tensor([values], dtype=torch.float32)
    found = rounded(wide, Stream(seed))[0].double()
    error = (found - wide[0].double()).abs()
    assert bool((error < torch.clamp(2.0**-7 * wide[0].double().abs(), min=2.0**-133)).logical_or(error == 0).all())
    # both neighbours, cut off towards zero and one up, are the only ones
    bits = wide[0].view(torch.int32)
    down = (bits >> 16 << 16).view(torch.float32).double()
    up = ((bits >> 16) + 1 << 16).view(torch.float32).double()
    assert bool(((found == down) | (found == up)).all())


def test_the_bound_is_that_of_eight_bits_and_no_smaller_one_holds() -> None:
    wide = torch.full((1, 20_000), 1.0 + 2.0**-7 - 2.0**-12)
    error = (rounded(wide, Stream(1)).double() - wide).abs().max() / wide[0, 0]
    assert 0.95 * 2.0**-7 < float(error) < 2.0**-7


def test_the_mean_is_kept() -> None:
    count = 1 << 20
    for value in (1.0 + 2.0**-9, -3.7e-12, 0.1, 255.9):
        found = rounded(torch.full((4, count // 4), value), Stream(3)).double()
        exact = float(torch.tensor(value))
        spread = 2.0**-8 * abs(exact) / math.sqrt(count)  # of the mean, at most
        assert abs(float(found.mean()) - exact) < 5 * spread
        assert abs(float(found[:, ::2].mean()) - exact) < 8 * spread  # each half of a draw is as good
        assert abs(float(found[:, 1::2].mean()) - exact) < 8 * spread


def test_neighbouring_coordinates_and_rows_are_rounded_independently() -> None:
    up = (rounded(torch.full((2, 1 << 18), 1.0 + 2.0**-8), Stream(5)) > 1).double()
    pairs = torch.stack([up[0, ::2], up[0, 1::2], up[1, ::2], up[1, 1::2]])
    assert float((torch.corrcoef(pairs) - torch.eye(4)).abs().max()) < 5 / math.sqrt(1 << 17)


def test_what_is_narrow_already_stays() -> None:
    wide = torch.tensor([[0.0, -0.0, 1.0, -1.5, 2.0**-133, 3.3895313892515355e38, math.inf, -math.inf]])
    found = rounded(wide, Stream(1))
    assert torch.equal(found.float(), wide) and torch.equal(torch.signbit(found), torch.signbit(wide))
    assert bool(rounded(torch.tensor([[math.nan]]), Stream(1)).isnan().all())


def test_doubles_are_rounded_to_a_neighbour_too() -> None:
    wide = torch.linspace(-3, 3, 101, dtype=torch.float64)[None]
    found = rounded(wide, Stream(1)).double()
    assert bool(((found - wide).abs() <= 2.0**-7 * wide.abs() * (1 + 1e-6)).all())


@pytest.mark.parametrize("block", [2, 6, 64, 1 << 20])
def test_blocks_rows_and_columns_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    wide = torch.randn(5, 37, generator=torch.Generator().manual_seed(1))
    whole = rounded(wide, Stream(2), first=3)
    monkeypatch.setattr(rounding, "_BLOCK", block)
    parts = torch.cat([rounded(wide[:2], Stream(2), first=3), rounded(wide[2:], Stream(2), first=5)])
    assert torch.equal(parts, whole)
    apart = torch.empty(5, 50, dtype=torch.bfloat16)  # rows that lie apart, as those of a bucket do
    round_rows(torch.nn.functional.pad(wide, (0, 3))[:, :37], torch.arange(3, 8), Stream(2), apart[:, 7:44])
    assert torch.equal(apart[:, 7:44], whole)
    assert not torch.equal(rounded(wide, Stream(2, "other"), first=3), whole)
