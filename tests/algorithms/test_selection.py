"""The selection of k entries a row against a full sort, on every kind of row that upsets a guessed threshold."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from algorithms.compressors import selection
from algorithms.compressors.randomk import support
from algorithms.kernels.partition import places
from algorithms.streams import Stream


def sorted_out(rows: Tensor, k: int) -> Tensor:
    """The k largest magnitudes by a stable full sort; NaN counts as infinite."""
    magnitude = rows.abs().nan_to_num(nan=float("inf"))
    return torch.sort(torch.sort(magnitude, dim=1, descending=True, stable=True).indices[:, :k], dim=1).values


def rows_of(kind: str, w: int, d: int, seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(w, d, generator=g)
    spread = torch.rand(w, d, generator=g)
    match kind:
        case "zeros":
            return torch.zeros(w, d)
        case "ties":
            return x.round()
        case "mostly zero":  # fewer non-zeros than kept: the guess is 0 and everything passes
            return torch.where(spread < 0.002, x, 0.0)
        case "infinite":
            return torch.where(spread < 0.02, float("inf"), x)
        case "not a number":
            return torch.where(spread < 0.02, float("nan"), x)
        case "hidden":  # the sample of every so many-th coordinate sees large values that are not typical
            x[:, :: max(8, d // 4096) | 1] *= 1000.0
            return x
        case "mixed":
            x[0], x[1 % w], x[2 % w] = 0.0, 1.0, float("nan")
            return x
        case _:
            return x


KINDS = ("normal", "zeros", "ties", "mostly zero", "infinite", "not a number", "hidden", "mixed")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0002, 0.01, 0.09, 0.5, 1.0])
def test_equals_a_full_sort(kind: str, share: float, dtype: torch.dtype) -> None:
    x = rows_of(kind, 5, 5003, seed=3).to(dtype)
    k = max(1, round(share * 5003))
    expected = sorted_out(x, k)
    assert torch.equal(selection.largest(x, k), expected)
    if k < 5003:
        assert torch.equal(selection._on_device(x, k), expected)


@settings(max_examples=60, deadline=None)
@given(w=st.integers(0, 9), d=st.integers(1, 3000), share=st.floats(0, 1), kind=st.sampled_from(KINDS))
def test_any_shape(w: int, d: int, share: float, kind: str) -> None:
    x = rows_of(kind if w else "normal", w, d, seed=d)
    k = max(1, round(share * d))
    assert torch.equal(selection.largest(x, k), sorted_out(x, k))


def test_blocks_do_not_change_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rows_of("ties", 7, 2000, seed=1)
    whole = selection.largest(x, 20)
    monkeypatch.setattr(selection, "_BLOCK", 3 * 2000)
    assert torch.equal(selection.largest(x, 20), whole)


@given(size=st.integers(1, 40).map(lambda words: 8 * words), density=st.floats(0, 1), seed=st.integers(0, 99))
def test_places_equals_flatnonzero(size: int, density: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random(size) < density
    assert places(mask).tolist() == np.flatnonzero(mask).tolist()


@settings(max_examples=50, deadline=None)
@given(w=st.integers(0, 5), d=st.integers(1, 2000), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_random_support_is_that_of_the_sorted_keys(w: int, d: int, share: float, seed: int) -> None:
    k, stream, rows = max(1, round(share * d)), Stream(seed), torch.arange(w)
    keys = torch.sort(stream.bits(rows, d), dim=1, stable=True).indices[:, :k]
    assert torch.equal(support(stream, rows, k, d), torch.sort(keys, dim=1).values)
