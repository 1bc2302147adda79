"""The block code of positions: its length is a function of d and k, close to the papers' log2(1 / phi) + 2 bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from algorithms.codecs import INDEX_CODES, Ragged, Supports, cheapest, expected_block_bits
from algorithms.codecs.blocks import block_parameters, decode_blocks, encode_blocks
from algorithms.compressors.selection import largest
from algorithms.voting.paper_bits import position_bits


def test_blocks_of_two_by_hand() -> None:
    assert encode_blocks(np.array([1, 2, 7]), 8, 1).tolist() == [1, 1, 0, 1, 0, 0, 0, 1, 1, 0]
    found, used = decode_blocks(np.array([1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1], np.uint8), 3, 8, 1)
    assert found.tolist() == [1, 2, 7] and used == 10


def test_the_best_block_is_the_best_of_all() -> None:
    for size in (1, 2, 7, 100, 1000):
        counts = np.array(sorted({0, 1, min(3, size), size}))
        every = [
            [encode_blocks(np.arange(k), size, b).size for b in range((size - 1).bit_length() + 1)] for k in counts
        ]
        assert block_parameters(size, counts).tolist() == [int(np.argmin(lengths)) for lengths in every]


@pytest.mark.parametrize(("density", "parameter"), [(0.1, 3), (0.01, 6), (0.001, 9)])
def test_measured_bits_are_the_theory(density: float, parameter: int) -> None:
    d = 200_000
    gradient = torch.randn(1, d, generator=torch.Generator().manual_seed(1))
    gradient[:, : d // 4] *= 5  # clustered: one layer is louder than the others; the length must not care
    indices = largest(gradient, round(density * d)).numpy()
    sets = Supports(d, Ragged.even(1, indices.size), indices.reshape(-1))
    bits, parameters = INDEX_CODES["block"].measure(sets)
    assert parameters.tolist() == [parameter]
    measured = float(bits[0]) / indices.size
    assert measured == pytest.approx(expected_block_bits(density, parameter), rel=0.01)
    # whole powers of two are somewhat better than blocks of length 1 / phi, whose places take a fraction of a bit
    assert measured == pytest.approx(position_bits(density), rel=0.015)
    assert INDEX_CODES["block"].write(indices[0], d, parameter).size == bits[0]


def test_with_blocks_of_a_power_of_two_the_papers_formula_is_exact() -> None:
    # k = d / 128 positions: k (7 + 1) + d / 128 = k (log2 128 + 2)
    d, k = 128 * 1000, 1000
    assert encode_blocks(np.arange(0, d, 128), d, 7).size == k * position_bits(1 / 128) == k * 9


def test_rice_is_never_longer() -> None:
    generator = np.random.default_rng(0)
    for k in (1, 5, 40):
        sets = Supports(1000, Ragged.even(1, k), np.sort(generator.choice(1000, k, replace=False)))
        assert INDEX_CODES["rice"].measure(sets)[0] <= INDEX_CODES["block"].measure(sets)[0]
        assert cheapest(sets, "auto")[0] != list(INDEX_CODES).index("block")


@pytest.mark.parametrize(
    ("text", "count", "size", "parameter", "expects"),
    [
        ("1101", 1, 4, 1, "expected 3 codes"),  # the second end flag is missing
        ("110110", 1, 4, 1, "expected 1 positions in 2 blocks, got 2"),
        ("0100", 1, 3, 5, "expected blocks of at most 3"),
        ("0110", 1, 3, 1, "increasing positions below 3"),  # place 1 of the block that begins at 2
        ("1110100", 2, 4, 1, ""),
    ],
)
def test_damage_is_told(text: str, count: int, size: int, parameter: int, expects: str) -> None:
    bits = np.array([int(c) for c in text], np.uint8)
    with pytest.raises(ValueError, match=f"message: expected.*{expects}" if not expects else expects):
        decode_blocks(bits, count, size, parameter)


def test_the_share_must_be_one() -> None:
    for bad in (0.0, 1.5, -1.0, math.nan):
        with pytest.raises(ValueError, match=r"density: expected a share in \(0, 1\], got"):
            expected_block_bits(bad, 3)
