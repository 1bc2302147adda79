"""The compiled selection chooses what the partition chooses, on every kind of row, whatever was guessed."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import given, settings
from numpy.typing import NDArray

from algorithms.compressors.selection import largest, largest_of_signs
from algorithms.kernels import use
from algorithms.kernels.candidates import exceeding
from algorithms.kernels.selection import by_radix, by_sign
from tests.algorithms.kernels.awkward import SPECIAL, matrices


@settings(max_examples=200, deadline=None)
@given(rows=matrices(), share=st.floats(0, 1), guess=st.sampled_from([*SPECIAL, 0.5, 2.0, None]))
def test_chooses_as_its_reference_from_any_guess(rows: NDArray[Any], share: float, guess: float | None) -> None:
    w, k = len(rows), max(1, round(share * rows.shape[1]))
    words = rows.view(np.int32 if rows.itemsize == 4 else np.int64)
    limits = np.full(0 if guess is None else w, 0.0 if guess is None else abs(guess), rows.dtype)
    mine, its = np.full((w, k), -1), np.full((w, k), -1)
    held, there = np.zeros((w, k), words.dtype), np.ones((w, k), words.dtype)
    use("compiled")
    try:
        by_radix(words, limits.view(words.dtype), k, mine, held)
    finally:
        use("auto")
    by_radix.reference(words, limits.view(words.dtype), k, its, there)
    np.testing.assert_array_equal(mine, its)
    np.testing.assert_array_equal(held, there)


@settings(max_examples=50, deadline=None)
@given(rows=matrices(), share=st.floats(0, 0.2))
def test_rows_of_a_wider_matrix_and_columns_of_a_taller_one(rows: NDArray[Any], share: float) -> None:
    k = max(1, round(share * rows.shape[1]))
    alone = largest(torch.from_numpy(rows), k)
    wide = torch.from_numpy(np.concatenate([rows, rows], axis=1))[:, : rows.shape[1]]
    turned = torch.from_numpy(np.ascontiguousarray(rows.T)).T
    assert torch.equal(largest(wide, k), alone)
    assert torch.equal(largest(turned, k), alone)


@settings(max_examples=200, deadline=None)
@given(rows=matrices(), share=st.floats(0, 1), guess=st.sampled_from([*SPECIAL, 0.5, 2.0, None]))
def test_chooses_of_each_sign_as_its_reference(rows: NDArray[Any], share: float, guess: float | None) -> None:
    w, k = len(rows), max(1, round(share * rows.shape[1]))
    words = rows.view(np.int32 if rows.itemsize == 4 else np.int64)
    limits = np.full((0 if guess is None else w, 2), 0.0 if guess is None else abs(guess), rows.dtype)
    mine, its = np.full((w, 2, k), -1), np.full((w, 2, k), -1)
    held, there = np.zeros((w, 2, k), words.dtype), np.ones((w, 2, k), words.dtype)
    use("compiled")
    try:
        by_sign(words, limits.view(words.dtype), k, mine, held)
    finally:
        use("auto")
    by_sign.reference(words, limits.view(words.dtype), k, its, there)
    np.testing.assert_array_equal(mine, its)
    np.testing.assert_array_equal(held, there)


@settings(max_examples=50, deadline=None)
@given(rows=matrices(), share=st.floats(0, 0.2))
def test_the_largest_of_a_sign_are_those_of_the_clamped_rows(rows: NDArray[Any], share: float) -> None:
    k, matrix = max(1, round(share * rows.shape[1])), torch.from_numpy(rows)
    columns, magnitudes = largest_of_signs(matrix, k)
    for side, clamped in enumerate((matrix.clamp(min=0), matrix.clamp(max=0))):
        found, held = columns[:, side], magnitudes[:, side]
        assert torch.equal(found, largest(clamped, k))
        torch.testing.assert_close(held, clamped.abs().gather(1, found), rtol=0, atol=0, equal_nan=True)


@settings(max_examples=150, deadline=None)
@given(rows=matrices(), limits=st.lists(st.sampled_from([0.0, np.nan, np.inf, 1e-310, 1.0, 0.5, 2.0]), min_size=1))
def test_what_exceeds_a_limit_of_its_part(rows: NDArray[Any], limits: list[float]) -> None:
    (w, d), count = rows.shape, len(limits)
    starts = np.sort(np.random.default_rng(count).integers(0, d + 1, count + 1))
    starts[0], starts[-1] = 0, d
    words = rows.view(np.int32 if rows.itemsize == 4 else np.int64)
    bounds = np.resize(np.array(limits, rows.dtype), (w, count)).view(words.dtype)
    use("compiled")
    try:
        found = exceeding(words, starts, bounds)
    finally:
        use("auto")
    np.testing.assert_array_equal(found, exceeding.reference(words, starts, bounds))
