"""The papers' numbers for Golomb-coded positions: the published ratios of SBC, the table of b*, STC's entropies."""

from __future__ import annotations

import pytest

from algorithms.codecs import expected_rice_bits, rice_parameter
from algorithms.codecs.golomb_counts import compression_ratio, entries, entropy_bits, repo_bits, theory_bits

# A word LSTM on Penn Treebank: 10,000 words, two layers of 650. Embedding and decoder; four gates a layer, from input
# and state, each with a bias.
GATES = [4 * 650 * 650, 4 * 650 * 650, 4 * 650, 4 * 650]
PTB = [10_000 * 650, *GATES, *GATES, 10_000 * 650, 10_000]
D = sum(PTB)

# n, p, bits of a value by theory and by the code, published ratio (which the code's count gives), ratio by theory
PUBLISHED = [
    (1, 0.001, 32, 719, 736),  # Gradient Dropping
    (1, 0.001, 0, 2371, 2784),  # SBC(1)
    (10, 0.01, 0, 3165, 3947),  # SBC(2)
    (100, 0.01, 0, 31658, 39468),  # SBC(3)
]


def test_the_model_is_as_large_as_the_papers() -> None:
    assert D == 19_780_400


@pytest.mark.parametrize(("steps", "density", "value_bits", "published", "theory"), PUBLISHED)
def test_published_ratios(steps: int, density: float, value_bits: int, published: float, theory: float) -> None:
    by_code = repo_bits(PTB, density, max(1, value_bits))
    assert compression_ratio(by_code, D, steps) == pytest.approx(published, rel=0.01)
    by_formula = theory_bits(PTB, density, value_bits)
    assert compression_ratio(by_formula, D, steps) == pytest.approx(theory, rel=0.01)
    # the difference is the code's bit too many of each position, and that of SBC's value
    kept = sum(entries(density, size) for size in PTB)
    assert by_code - by_formula == pytest.approx(kept * (1 if value_bits else 2), rel=0.01)


def test_federated_averaging_sends_everything_every_thousandth_step() -> None:
    assert compression_ratio(32 * D, D, 1000) == pytest.approx(1000)


def test_stc_at_one_in_four_hundred() -> None:
    # the paper's x1050, which the code's count gives before positions are rounded up; the formula gives 1152
    whole = 400 * 1_000_000
    assert compression_ratio(repo_bits([whole], 1 / 400), whole) == pytest.approx(1057, rel=0.001)
    assert compression_ratio(theory_bits([whole], 1 / 400, 1), whole) == pytest.approx(1152, rel=0.001)


@pytest.mark.parametrize(
    ("density", "b", "bits", "entropy"),
    [(0.1, 3, 4.756, 4.690), (0.04, 4, 6.085, 6.057), (0.01, 6, 8.108, 8.079), (0.0025, 8, 10.114, 10.085),
     (0.001, 9, 11.495, 11.408)],
)  # fmt: skip
def test_table_of_parameters(density: float, b: int, bits: float, entropy: float) -> None:
    assert rice_parameter(density) == b
    assert theory_bits([1_000_000], density) / entries(density, 1_000_000) == pytest.approx(bits, abs=5e-4)
    assert entropy_bits(density, 0) / density == pytest.approx(entropy, abs=5e-4)
    assert expected_rice_bits(density) < 1.015 * entropy_bits(density, 0) / density


def test_entropies_of_stc() -> None:
    assert entropy_bits(0.01, 32) / entropy_bits(0.01, 1) == pytest.approx(4.414, abs=5e-4)
    assert entropy_bits(1.0, 1) == 1.0  # everything is sent: signs alone


@pytest.mark.parametrize(
    ("density", "size", "kept"),
    [(0.2, 10, 2), (0.01, 250, 3), (0.001, 10, 1), (1.0, 7, 7), (0.07, 100, 7), (0.1, 30, 3), (1 / 400, 400, 1)],
)
def test_entries_are_rounded_up(density: float, size: int, kept: int) -> None:
    assert entries(density, size) == kept
