"""Count Sketch: its hashes, its linearity, what it recovers, and what must not be added."""

from __future__ import annotations

import statistics

import pytest
import torch

from algorithms.kernels.sketching import median
from algorithms.payloads import Sketch
from algorithms.sketches import CountSketch
from algorithms.sketches.hashes import PRIME, coefficients, polynomial

SMALL = CountSketch(size=40, rows=3, columns=8, seed=7)


def by_definition(sketch: CountSketch, vector: list[float]) -> list[list[float]]:
    """S[j, h_j(i)] += s_j(i) v_i with Python's integers."""
    linear, cubic = (coefficients(sketch.seed, name, sketch.rows, n) for name, n in (("bucket", 2), ("sign", 4)))
    table = [[0.0] * sketch.columns for _ in range(sketch.rows)]
    for i, value in enumerate(vector):
        for j in range(sketch.rows):
            h = sum(a * i ** (1 - power) for power, a in enumerate(linear[j])) % PRIME
            s = sum(a * i ** (3 - power) for power, a in enumerate(cubic[j])) % PRIME
            table[j][h * sketch.columns // 2**31] += value if s % 2 == 0 else -value
    return table


@pytest.mark.parametrize("kind", ["torch", "numpy"])
def test_polynomials_are_those_of_whole_numbers(kind: str) -> None:
    largest = (1 << 30) - 1
    points = [0, 1, 2, 12345, *range(largest - 3000, largest + 1)]
    terms = [PRIME - 1, 1 << 30, PRIME - 2, 12]
    array = torch.tensor(points)
    found = polynomial(array, terms) if kind == "torch" else polynomial(array.numpy(), terms)
    assert found.tolist() == [sum(a * x ** (3 - i) for i, a in enumerate(terms)) % PRIME for x in points]


def test_the_table_is_the_definition() -> None:
    vectors = torch.randint(-9, 10, (2, 40), generator=torch.Generator().manual_seed(1)).float()
    assert SMALL.insert(vectors).tolist() == [by_definition(SMALL, row) for row in vectors.tolist()]


def test_hashes_spread_evenly_and_signs_balance() -> None:
    sketch = CountSketch(60_000, 3, 16, 5)
    for row in range(3):
        buckets, signs = sketch.hashed(row, torch.arange(60_000))
        counts = torch.bincount(buckets, minlength=16)  # 3750 expected in each, deviation 59
        assert counts.numel() == 16 and int((counts - 3750).abs().max()) < 300
        assert abs(int(signs.long().sum())) < 1500  # deviation 245
    assert not torch.equal(sketch.hashed(0, torch.arange(100))[0], sketch.hashed(1, torch.arange(100))[0])


def test_blocks_do_not_show() -> None:
    # more coordinates than are hashed together; whole numbers, so that no sum rounds
    sketch = CountSketch(70_000, 3, 50, 3)
    vector = torch.randint(-3, 4, (1, 70_000), generator=torch.Generator().manual_seed(2)).double()
    halves = vector.clone(), vector.clone()
    halves[0][:, 35_000:], halves[1][:, :35_000] = 0, 0
    assert torch.equal(sketch.insert(vector), sketch.insert(halves[0]) + sketch.insert(halves[1]))
    where = torch.arange(0, 70_000, 7)
    chosen = torch.zeros_like(vector)
    chosen[:, where] = vector[:, where]
    assert torch.equal(sketch.insert(vector[:, where], where), sketch.insert(chosen))


def test_sketches_are_linear() -> None:
    a, b = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    summed = Sketch.of(SMALL, a) + Sketch.of(SMALL, b)
    torch.testing.assert_close(summed.table, SMALL.insert(a + b), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(2.5 * SMALL.insert(a), SMALL.insert(2.5 * a), rtol=1e-13, atol=1e-13)
    payload = Sketch.of(SMALL, a)
    torch.testing.assert_close(payload.fold([slice(0, 2), slice(2, 3)]).table[0], SMALL.insert(a.sum(0)[None])[0])
    weights = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    mean = payload.combined(weights, [slice(0, 1), slice(1, 3)])
    torch.testing.assert_close(mean, SMALL.insert((weights @ a)[None])[0])


def test_without_collisions_recovery_is_exact() -> None:
    # a linear hash of 4 points into 2**20 buckets: nothing collides in most rows
    sketch = CountSketch(4, 5, 1 << 20, 11)
    vector = torch.tensor([[3.25, -1e-3, 0.0, 7e8]])
    assert torch.equal(sketch.query(sketch.insert(vector)), vector)


def test_heavy_coordinates_and_norms_are_found() -> None:
    generator = torch.Generator().manual_seed(4)
    vector = torch.randn(1, 20_000, generator=generator)
    heavy = torch.randperm(20_000, generator=generator)[:20]
    vector[0, heavy] += 200.0 * torch.randn(20, generator=generator).sign()
    sketch = CountSketch(20_000, 5, 2000, 1)
    table = sketch.insert(vector)
    estimates = sketch.query(table)[0]
    assert set(estimates.abs().topk(20).indices.tolist()) == set(heavy.tolist())
    # |error| is about ||v without its heavy ones|| / sqrt(c) = 141 / 45
    assert float((estimates - vector[0])[heavy].abs().max()) < 15
    assert abs(float(sketch.norm(table)[0]) / float(vector.norm()) - 1) < 0.05


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_the_median_is_the_middle(count: int) -> None:
    numbers = torch.randn(count, 50, generator=torch.Generator().manual_seed(count))
    expected = [statistics.median(column) for column in numbers.T.tolist()]
    assert median(list(numbers)).tolist() == expected


def test_mismatched_hashes_are_refused() -> None:
    ours = Sketch.of(SMALL, torch.ones(1, 40))
    for other in (CountSketch(40, 3, 8, 8), CountSketch(40, 3, 9, 7), CountSketch(40, 5, 8, 7)):
        theirs = Sketch.of(other, torch.ones(1, 40))
        with pytest.raises(ValueError, match="Sketch: expected a summand that shares .*hash seed.* got CountSketch"):
            _ = ours + theirs
        with pytest.raises(ValueError, match="linear only under common hashes"):
            Sketch.join([ours, theirs])
    with pytest.raises(ValueError, match=r"expected a summand with \(rows, kind\)"):
        _ = ours + Sketch.of(SMALL, torch.ones(2, 40))


def test_a_message_carries_its_hashes() -> None:
    payload = Sketch.of(SMALL, torch.arange(40.0)[None])
    assert payload.bytes.tolist() == [20 + 4 * 3 * 8] == [payload.merged_bytes(9)]
    assert Sketch.decode(payload.encode(0)).sketch == SMALL


BAD = [
    ({"rows": 4}, r"algorithm\.rows: expected an odd number, .* median .* got 4"),
    ({"rows": 0}, r"algorithm\.rows: expected a whole number, at least 1, got 0"),
    ({"columns": 0}, r"algorithm\.columns: expected a whole number, at least 1, got 0"),
    ({"columns": 2.5}, r"algorithm\.columns: expected a whole number, at least 1, got 2\.5"),
    ({"size": 0}, r"CountSketch\.size: expected 1 <= d"),
    ({"size": 2**30 + 1}, r"CountSketch\.size: expected 1 <= d"),
    ({"seed": 1 << 64}, r"algorithm\.hash_seed: expected 0 <= seed"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_impossible_sketches_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CountSketch(**{"size": 4, "rows": 3, "columns": 5, "seed": 1, **change})
    with pytest.raises(ValueError, match="values: expected 40 coordinates, got 41"):
        SMALL.insert(torch.ones(1, 41))
