"""QSGD: Q(v_i) = ||v|| sign(v_i) xi_i, with xi_i one of the two levels l / s around |v_i| / ||v||, unbiased."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from algorithms.compressors import QSGD
from algorithms.payloads import Quantised
from algorithms.qsgd import qsgd
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows

DRAWS = 20_000
ROW = torch.tensor([0.3, -1.7, 0.0, 2.9, -0.01, 0.8, -2.2, 1.1])


def drawn(compressor: QSGD, row: Tensor, draws: int = DRAWS) -> Quantised:
    """Quantise the same vector on many workers, each with draws of its own."""
    return compressor(row.expand(draws, len(row)).clone(), cohort_of(draws, len(row), seed=11).draw())


def test_a_round_on_the_grid() -> None:
    # Values that are levels are sent as they are. l2, s = 5: |(3, -4, 0, 0)| = 5 and |(0, 0, 0, -10)| = 10, so
    # levels (3, -4, 0, 0) and (0, 0, 0, -5); x <- x - 1/2 mean
    hand = begun(qsgd(levels=5, bucket=None, norm="l2", lr=0.5), cohort_of(2, 4), 1)
    sent, down = over_server(hand, cohort_of(2, 4), rows([3, -4, 0, 0], [0, 0, 0, -10]))
    assert isinstance(sent, Quantised)
    assert sent.levels.tolist() == [[3, -4, 0, 0], [0, 0, 0, -5]] and sent.scales.tolist() == [[5], [10]]
    assert sent.paper is not None and sent.paper.total.tolist() == [48, 48]  # d (1 + 3) bits + 32
    assert down.dense()[0].tolist() == [1.5, -2, 0, -5]
    assert marked(hand, 1).tolist() == [-0.75, 1, 0, 2.5]
    hand.ends()


def test_buckets_have_norms_of_their_own() -> None:
    # max norm, s = 4, buckets of 3 in a row of 8: norms 4, 0, 8; a zero bucket stays zero
    row = torch.tensor([[1.0, -2, 4, 0, 0, 0, -8, 2]])
    sent = QSGD(levels=4, bucket=3, norm="max")(row, cohort_of(1, 8).draw())
    assert sent.scales.tolist() == [[4, 0, 8]]
    assert sent.levels.tolist() == [[1, -2, 4, 0, 0, 0, -4, 1]]
    assert torch.equal(sent.dense(), row)
    assert sent.paper is not None and sent.paper.total.tolist() == [8 * 4 + 3 * 32]


@pytest.mark.parametrize("norm", ["max", "l2"])
@pytest.mark.parametrize(("levels", "bucket"), [(1, None), (3, None), (7, 3)])
def test_unbiased(norm: str, levels: int, bucket: int | None) -> None:
    values = drawn(QSGD(levels, bucket, norm), ROW).dense().double()
    sigma = values.std(0) / DRAWS**0.5
    assert bool(((values.mean(0) - ROW).abs() <= 5 * sigma + 1e-6).all())


@pytest.mark.parametrize("levels", [1, 2, 4, 16])
def test_variance_and_sparsity_are_bounded(levels: int) -> None:
    # Lemma 3.1: E|Q(v) - v|^2 <= min(d / s^2, sqrt(d) / s) |v|^2 and E|Q(v)|_0 <= s (s + sqrt d), for the 2-norm
    d, s = len(ROW), levels
    sent = drawn(QSGD(s, None, "l2"), ROW)
    variance = (sent.dense() - ROW).double().square().sum(1)
    bound = min(d / s**2, d**0.5 / s) * float(ROW.double().square().sum())
    assert float(variance.mean()) <= bound
    assert float((sent.levels != 0).sum(1).double().mean()) <= s * (s + d**0.5)
    # and exactly: the sum over i of (|v| / s)^2 f_i (1 - f_i), f_i the fraction of a level
    scale = float(sent.scales[0, 0])
    fraction = (ROW.abs().double() * s / scale) % 1
    exact = float((scale / s) ** 2 * (fraction * (1 - fraction)).sum())
    assert float(variance.mean()) == pytest.approx(exact, rel=0.05)


matrices = st.lists(
    st.lists(st.floats(-(2.0**60), 2.0**60, width=32, allow_subnormal=False), min_size=5, max_size=5),
    min_size=1, max_size=4,
)  # fmt: skip


@given(matrices, st.integers(1, 300), st.integers(1, 7), st.sampled_from(["max", "l2"]), st.booleans())
def test_levels_are_the_two_around_the_value(
    values: list[list[float]], s: int, bucket: int, norm: str, double: bool
) -> None:
    matrix = torch.tensor(values, dtype=torch.float64 if double else torch.float32)
    w = len(matrix)
    sent = QSGD(s, bucket, norm)(matrix.clone(), cohort_of(w, 5).draw())
    level = sent.levels.double()
    scale = sent.scales.double().repeat_interleave(min(bucket, 5), dim=1)[:, :5]
    ratio = torch.where(scale > 0, matrix.double().abs() * s / scale.clamp(min=1e-300), 0.0)
    slack = 1e-5 * (1 + ratio)
    assert int(sent.levels.abs().max()) <= s
    assert bool((level.abs() >= (ratio - slack).floor()).all())
    assert bool((level.abs() <= (ratio + slack).floor() + 1).all())
    assert bool((level * matrix.double() >= 0).all())  # never the wrong sign
    assert bool((level[scale == 0] == 0).all())
    if norm == "max":
        largest = (scale > 0) & (matrix.double().abs() == scale)
        assert bool((level.abs()[largest] == s).all())


def test_draws_do_not_depend_on_hosting() -> None:
    cohort = cohort_of(6, 8, chunk=2)
    matrix = ROW.expand(6, 8).clone()
    compressor = QSGD(2, 4)
    whole = compressor(matrix, cohort.draw())
    for rows_ in cohort.chunks:
        assert compressor(matrix[rows_], cohort.draw(rows_)).equals(whole.select(rows_))
    assert len({tuple(row) for row in whole.levels.tolist()}) > 1
    cohort.begin(1)
    assert not compressor(matrix, cohort.draw()).equals(whole)


def test_bits_of_the_papers_variants() -> None:
    # 4 bits with buckets of 512 and 2 bits with buckets of 128: 4.0625 and 2.25 bits a coordinate
    for levels, bucket, expected in ((7, 512, 4.0625), (1, 128, 2.25), (127, 512, 8.0625)):
        paper = QSGD(levels, bucket)(torch.ones(1, 1024), cohort_of(1, 1024).draw()).paper
        assert paper is not None and float(paper.total[0]) / 1024 == expected
