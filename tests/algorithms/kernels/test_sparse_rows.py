"""Sparse rows: checked, counted, subtracted and added up by kernels as by their references, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from algorithms.codecs import indices as codes
from algorithms.kernels import Kernel, use
from algorithms.kernels.scatter import fold, subtract
from algorithms.payloads import support
from tests.algorithms.kernels.awkward import matrices

Rows = tuple[NDArray[np.int64], NDArray[Any], int]


@st.composite
def supports(draw: st.DrawFn, w: int | None = None, d: int | None = None) -> Rows:
    """Bounds, indices of either width and d: rows that are empty, short, clustered or whole."""
    d = draw(st.integers(1, 2000) | st.sampled_from([1 << 31, (1 << 32) - 1])) if d is None else d
    w = draw(st.integers(0, 6)) if w is None else w
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    rows = []
    for _ in range(w):
        reach = draw(st.integers(1, min(d, 5000)))
        kept = draw(st.sampled_from([0, 1, 2, 40, 2000]))
        first = draw(st.integers(0, d - reach))
        rows.append(np.sort(rng.permutation(reach)[:kept]) + first)
    narrow = d <= 1 << 31 and draw(st.booleans())
    bounds = np.cumsum([0, *map(len, rows)])
    return bounds, np.concatenate([*rows, np.zeros(0, np.int64)]).astype(np.int32 if narrow else np.int64), d


def both(kernel: Kernel[..., Any], *args: Any) -> tuple[Any, Any]:
    use("compiled")
    try:
        return kernel(*args), kernel.reference(*args)
    finally:
        use("auto")


def same(mine: NDArray[Any], its: NDArray[Any]) -> bool:
    """Compare bits, but for those of NaN: which of two a sum keeps is the compiler's choice."""
    return (np.isnan(mine) == np.isnan(its)).all() and mine[mine == mine].tobytes() == its[its == its].tobytes()


@settings(max_examples=200, deadline=None)
@given(rows=supports())
@pytest.mark.parametrize("name", ["_gamma_bits", "_rice_bits"])
def test_gaps_take_as_many_bits(name: str, rows: Rows) -> None:
    mine, its = both(getattr(codes, name), *rows[:2])
    np.testing.assert_array_equal(np.array(mine), np.array(its))


def swap(indices: NDArray[Any], at: int) -> None:
    indices[at], indices[at - 1] = indices[at - 1], indices[at]


def repeat(indices: NDArray[Any], at: int) -> None:
    indices[at] = indices[at - 1]


def shift(indices: NDArray[Any], at: int) -> None:
    indices -= indices.min() + 1


@settings(max_examples=200, deadline=None)
@given(rows=supports(), harm=st.sampled_from([None, swap, repeat, shift]), data=st.data())
def test_what_does_not_increase_is_seen(
    rows: Rows, harm: Callable[[NDArray[Any], int], None] | None, data: st.DataObject
) -> None:
    bounds, indices, size = rows
    if harm and len(indices) > 1:
        harm(indices, data.draw(st.integers(1, len(indices) - 1)))
    size = data.draw(st.sampled_from([size, int(indices.max(initial=0)), int(indices.max(initial=0)) + 1]))
    mine, its = both(support._rises, bounds, indices, size)
    assert mine is its


@settings(max_examples=150, deadline=None)
@given(matrix=matrices(max_columns=300), data=st.data())
def test_subtracts_to_the_bit(matrix: NDArray[Any], data: st.DataObject) -> None:
    bounds, indices, _ = data.draw(supports(*matrix.shape))
    values = np.random.default_rng(len(indices)).permutation(np.resize(matrix, len(indices)))
    if matrix.size == 0:
        values = np.zeros(len(indices), matrix.dtype)
    mine, its = matrix.copy(), matrix.copy()
    use("compiled")
    try:
        subtract(mine, bounds, indices, values)
    finally:
        use("auto")
    subtract.reference(its, bounds, indices, values)
    assert same(mine, its)


@settings(max_examples=150, deadline=None)
@given(matrix=matrices(max_columns=300), data=st.data())
def test_adds_up_chunk_by_chunk_to_the_bit(matrix: NDArray[Any], data: st.DataObject) -> None:
    w, d = matrix.shape
    bounds, indices, _ = data.draw(supports(w, d))
    values = np.resize(matrix, len(indices)) if matrix.size else np.zeros(len(indices), matrix.dtype)
    weights = np.random.default_rng(w).standard_normal(w).astype(matrix.dtype)
    cuts = data.draw(st.lists(st.integers(0, w), max_size=4))
    edges = np.array([0, *sorted(cuts), w])
    mine, its = np.zeros(d, matrix.dtype), np.zeros(d, matrix.dtype)
    use("compiled")
    try:
        fold(mine, bounds, indices, values, weights, edges)
    finally:
        use("auto")
    fold.reference(its, bounds, indices, values, weights, edges)
    assert same(mine, its)
