"""Count Sketches: places, sums and medians compiled and by NumPy or PyTorch are the same to the bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algorithms.kernels import fallbacks, jit, use
from algorithms.kernels.lanes import LANES, add_lanes, turn_square
from algorithms.kernels.sketching import hash_places, insert_rows, query_rows
from algorithms.sketches import CountSketch, places
from algorithms.sketches.hashes import LARGEST, PRIME, polynomial

SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-39, 3e38])
SHAPES = {"w": st.integers(0, 18), "m": st.sampled_from([1, 7, 8, 9, 513, 2048, 2051, 5000])}


@pytest.fixture(autouse=True)
def compiled_only() -> Iterator[None]:
    use("compiled")
    yield
    assert fallbacks() == []
    use("auto")


def same(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_array_equal(ours, theirs)
    numbers = ~np.isnan(theirs)
    np.testing.assert_array_equal(np.signbit(ours[numbers]), np.signbit(theirs[numbers]))


def made(w: int, m: int, rows: int, columns: int, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(w, m))
    values[rng.random((w, m)) < 0.02] = rng.choice(SPECIAL)
    return values.astype(kind), rng.integers(0, 2 * columns, (rows, m)).astype(np.uint32)


@given(
    points=st.lists(st.integers(0, LARGEST - 1), max_size=20),
    terms=st.lists(st.integers(0, PRIME - 1), min_size=6, max_size=6),
    columns=st.integers(1, LARGEST - 1),
)
@example(points=[0, 1, LARGEST - 1], terms=[PRIME - 1] * 6, columns=LARGEST - 1)
def test_places_are_those_of_the_polynomials(points: list[int], terms: list[int], columns: int) -> None:
    where, linear, cubic = np.array(points, np.int64), np.array([terms[:2]]), np.array([terms[2:]])
    ours, theirs = (np.empty((1, len(where)), np.uint32) for _ in range(2))
    hash_places(where, linear, cubic, columns, ours)
    hash_places.reference(where, linear, cubic, columns, theirs)
    np.testing.assert_array_equal(ours, theirs)
    expected = ((polynomial(where, terms[:2]) * columns) >> 31) * 2 + polynomial(where, terms[2:]) % 2
    np.testing.assert_array_equal(ours[0], expected)


@given(**SHAPES, rows=st.sampled_from([1, 3, 5]), columns=st.integers(1, 300), kind=st.sampled_from(["f4", "f8"]))
@example(w=8, m=5000, rows=5, columns=1, kind="f4")  # every sum waits for the one before
@settings(max_examples=60, deadline=None)
def test_sums_are_those_of_torch(w: int, m: int, rows: int, columns: int, kind: str) -> None:
    values, where = made(w, m, rows, columns, kind, w + m)
    ours, theirs = (np.full((w, rows, columns), 0.25, kind) for _ in range(2))
    with np.errstate(invalid="ignore"):
        insert_rows(values, where, ours)
        insert_rows.reference(values, where, theirs)
    same(ours, theirs)


@given(**SHAPES, rows=st.sampled_from([1, 3, 5, 7]), columns=st.integers(1, 300), kind=st.sampled_from(["f4", "f8"]))
@settings(max_examples=60, deadline=None)
def test_medians_are_those_of_torch(w: int, m: int, rows: int, columns: int, kind: str) -> None:
    _, where = made(w, m, rows, columns, kind, w + m)
    table = np.random.default_rng(m).choice([*SPECIAL, 1.0, -1.0, 2.5], (w, rows, columns)).astype(kind)
    ours, theirs = (np.empty((w, m), kind) for _ in range(2))
    query_rows(table, where, ours)
    query_rows.reference(table, where, theirs)
    same(ours, theirs)


@pytest.mark.parametrize("mode", ["compiled", "reference"])
def test_blocks_change_no_bit(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(mode)
    sketch, vectors = CountSketch(5000, 3, 64, 9), torch.randn(9, 5000)
    table = sketch.insert(vectors)
    estimates, some = sketch.query(table), torch.arange(0, 5000, 3)
    by_hand = torch.zeros_like(table)
    for row in range(3):
        buckets, signs = sketch.hashed(row, torch.arange(5000))
        by_hand[:, row].scatter_add_(1, buckets.expand(9, -1), vectors * signs)
    assert torch.equal(table, by_hand)
    chosen = torch.zeros_like(vectors)
    chosen[:, some] = vectors[:, some]
    assert torch.equal(sketch.insert(vectors[:, ::3], some), sketch.insert(chosen))
    monkeypatch.setattr(places, "_KEPT", 0)
    monkeypatch.setattr(places, "_WIDE", 777)
    monkeypatch.setattr(places, "_BLOCK", 100)
    assert torch.equal(sketch.insert(vectors), table)
    assert torch.equal(sketch.query(table), estimates)


@jit
def _squares(values: np.ndarray, out: np.ndarray, table: np.ndarray) -> None:
    turn_square(values, np.uint64(1), np.uint64(10), out, np.uint64(0))
    add_lanes(table, np.uint64(3), out, np.uint64(8), table.dtype.type(-1))


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_eight_by_eight_is_turned_and_eight_are_added(kind: str) -> None:
    values, out, table = np.arange(81, dtype=kind), np.zeros(64, kind), np.ones(12, kind)
    _squares(values, out, table)
    np.testing.assert_array_equal(out.reshape(LANES, LANES), [[1 + 10 * i + j for i in range(8)] for j in range(8)])
    assert table.tolist() == [1, 1, 1, *(1 - (2 + 10 * i) for i in range(8)), 1]
