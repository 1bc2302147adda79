"""Golomb-Rice parameters: the paper's closed form, and the exact minimum of each row."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.codecs import Ragged, best_parameters, expected_rice_bits, rice_parameter

# p, b*, bits per position, entropy per non-zero; Sattler et al., "Sparse Binary Compression", recomputed
TABLE = [
    (0.1, 3, 4.756, 4.690),
    (0.04, 4, 6.085, 6.057),
    (0.01, 6, 8.108, 8.079),
    (0.0025, 8, 10.114, 10.085),
    (0.001, 9, 11.495, 11.408),
]


@pytest.mark.parametrize(("density", "parameter", "position_bits", "entropy"), TABLE)
def test_closed_form_gives_the_table(density: float, parameter: int, position_bits: float, entropy: float) -> None:
    assert rice_parameter(density) == parameter
    assert expected_rice_bits(density) == pytest.approx(position_bits, abs=5e-4)
    other = -(math.log2(density) + (1 - density) / density * math.log2(1 - density))
    assert other == pytest.approx(entropy, abs=5e-4)
    assert expected_rice_bits(density) >= other


@pytest.mark.parametrize("density", [0.001, 0.0025, 0.01, 0.03, 0.04, 0.1, 0.3, 0.6])
def test_closed_form_is_the_best_of_all_parameters(density: float) -> None:
    tried = [expected_rice_bits(density, b) for b in range(20)]
    assert expected_rice_bits(density) == min(tried)


def test_the_printed_example_is_one_parameter_too_large() -> None:
    assert expected_rice_bits(0.01, 7) == pytest.approx(8.382, abs=5e-4)


def test_dense_rows_take_parameter_zero() -> None:
    assert rice_parameter(1.0) == 0
    assert rice_parameter(0.9) == 0
    assert expected_rice_bits(1.0) == 1.0
    with pytest.raises(ValueError, match="share in \\(0, 1\\], got 0"):
        rice_parameter(0)


def test_random_supports_cost_what_the_formula_expects() -> None:
    generator = np.random.default_rng(0)
    kept = np.flatnonzero(generator.random(2_000_000) < 0.01)
    _, bits = best_parameters(Ragged.even(1, kept.size), np.diff(kept, prepend=-1) - 1)
    assert bits[0] / kept.size == pytest.approx(8.108, rel=2e-3)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**20), max_size=6) | st.lists(st.integers(0, 9), max_size=30), max_size=6))
def test_parameters_are_the_exact_minimum_of_every_row(rows: list[list[int]]) -> None:
    counts = np.array([len(row) for row in rows], np.int64)
    excess = np.array([x for row in rows for x in row], np.int64)
    parameters, bits = best_parameters(Ragged.of_counts(counts), excess)
    for row, b, length in zip(rows, parameters, bits, strict=True):
        tried = [sum((x >> c) + 1 + c for x in row) for c in range(32)]
        assert (b, length) == (tried.index(min(tried)), min(tried))
