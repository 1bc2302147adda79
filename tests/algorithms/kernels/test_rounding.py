"""Draws, rounding to levels and their counts: compiled and by NumPy or PyTorch, the same to the bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algorithms.kernels import fallbacks, use
from algorithms.kernels.draws import COLUMN, fill_bits, fill_uniform
from algorithms.kernels.histogram import count_rows
from algorithms.kernels.rounding import round_rows

WORDS = st.integers(0, 2**32 - 1)
SPECIAL = [0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1e-45, -1e-45, 1e-39, 3e38, -3e38, 1.0, -1.0]


@pytest.fixture(autouse=True)
def compiled_only() -> Iterator[None]:
    use("compiled")  # a kernel that does not compile shall not pass by being its own reference
    yield
    assert fallbacks() == []
    use("auto")


def numbers(width: int) -> st.SearchStrategy[float]:
    floats = st.floats(width=32) if width == 32 else st.floats()
    return st.one_of(st.sampled_from(SPECIAL), floats).map(np.dtype(f"f{width // 8}").type)


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    width, shape = draw(st.sampled_from([32, 64])), (draw(st.integers(0, 4)), draw(st.integers(1, 70)))
    values = draw(arrays(f"f{width // 8}", shape, elements=numbers(width), fill=st.just(0.25)))
    return values if draw(st.booleans()) else np.random.default_rng(draw(WORDS)).normal(size=shape).astype(values.dtype)


@given(
    low=st.lists(WORDS, min_size=1, max_size=4),
    columns=arrays(np.uint32, st.integers(0, 40), elements=WORDS),
    each=st.booleans(),
    kind=st.sampled_from(["u4", "f4", "f8"]),
)
def test_draws_are_those_of_numpy(low: list[int], columns: np.ndarray, each: bool, kind: str) -> None:
    first = np.array(low, np.uint32)
    offsets = np.stack([columns + np.uint32(i) for i in range(len(low) if each else 1)])
    fill = fill_bits if kind == "u4" else fill_uniform
    ours, theirs = (np.empty((len(low), len(columns)), kind) for _ in range(2))
    fill(first, first[::-1].copy(), offsets, ours)
    fill.reference(first, first[::-1].copy(), offsets, theirs)
    np.testing.assert_array_equal(ours, theirs)


@given(
    rows=matrices(),
    word=WORDS,
    bucket=st.sampled_from([1, 7, 16, 70]),
    s=st.sampled_from([1, 7, 15, 16, 127, 32767]),
    known=st.booleans(),
    counted=st.booleans(),
)
@example(np.array([SPECIAL], "f4"), 5, 13, 7, False, True)
@example(np.array([SPECIAL], "f4"), 5, 1, 7, False, True)
@example(np.array([SPECIAL], "f8"), 5, 4, 7, True, True)
def test_rounding_is_that_of_torch(
    rows: np.ndarray, word: int, bucket: int, s: int, known: bool, counted: bool
) -> None:
    w, d = rows.shape
    low = np.arange(w, dtype=np.uint32) * np.uint32(77) + np.uint32(word)
    outcomes = []
    for form in (round_rows, round_rows.reference):
        scales = np.full((w, -(-d // bucket)), 2.5, np.float32)
        levels = np.empty((w, d), np.int8 if s <= 127 else np.int16)
        counts = np.zeros((w, 2 * s + 1 if counted else 0), np.int64)
        bits = rows.view(f"i{rows.itemsize}")
        form(rows, bits, low, low[::-1].copy(), bucket, s, known, scales, levels, counts)
        outcomes.append((scales, levels, counts))
    for ours, theirs in zip(*outcomes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not counted or (outcomes[0][2].sum(1) == d).all()


@pytest.mark.parametrize(("kind", "level"), [("f4", np.int8), ("f4", np.int16), ("f8", np.int8)])
def test_sums_that_fall_on_a_level_are_rounded_as_by_torch(kind: str, level: type[np.signedinteger]) -> None:
    d, s = 20_000, 7
    low, high = np.array([3], np.uint32), np.array([5], np.uint32)
    noise = np.empty((1, d), "f8")
    fill_uniform.reference(low, high, np.arange(d, dtype=np.uint32)[None] * np.uint32(COLUMN), noise)
    rows = ((2 - noise) / s).astype(kind)  # the sum of x s and the noise is 2 but for its last bit
    outcomes = []
    for form in (round_rows, round_rows.reference):
        levels = np.empty((1, d), level)
        scales, counts = np.ones((1, 1), np.float32), np.zeros((1, 0), np.int64)
        form(rows, rows.view(f"i{rows.itemsize}"), low, high, d, s, True, scales, levels, counts)
        outcomes.append(levels)
    np.testing.assert_array_equal(*outcomes)
    assert 0 < (outcomes[0] == 2).sum() < d


@given(
    counts=st.lists(st.integers(0, 9000), min_size=1, max_size=4),
    kind=st.sampled_from(["i1", "i2", "i4"]),
    s=st.sampled_from([1, 7, 15, 16, 127]),
    seed=WORDS,
)
def test_levels_are_counted_as_by_numpy(counts: list[int], kind: str, s: int, seed: int) -> None:
    bounds = np.cumsum([0, *counts])
    levels = np.random.default_rng(seed).integers(-s, s + 1, bounds[-1]).astype(kind)
    ours, theirs = (np.ones((len(counts), 2 * s + 1), np.int64) for _ in range(2))
    count_rows(levels, bounds, s, ours)
    count_rows.reference(levels, bounds, s, theirs)
    np.testing.assert_array_equal(ours, theirs)
