"""The dropping compressor on the specification's vectors, and on what its estimate must not hide."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Dropping
from algorithms.compressors.dropping import sampled, threshold
from algorithms.layout import Layout
from algorithms.payloads import CentredValues, Dense, Sparse
from tests.algorithms.by_hand import cohort_of, rows

# |x| sorted: 0 .02 .05 .1 .2 .3 .5 .8 .9 1.2. With R = .8 the index is int(10 * .8) - 1 = 7, so T = .8; strictly above
# are .9 and 1.2. (Index 8, as in an older version of the authors' code, would keep 1.2 alone.)
X = [0.9, -0.02, 0.5, -0.1, 0.05, -1.2, 0.3, -0.8, 0.0, 0.2]


def dropped(values: list[float] | Tensor, layout: Layout | None = None, **options: Any) -> Any:
    matrix = values if isinstance(values, Tensor) else rows(values)
    cohort = Cohort(len(matrix), layout or Layout.flat(matrix.shape[1]))
    return Dropping(**options)(matrix, cohort.draw())


def kept(message: Sparse) -> dict[int, float]:
    return dict(zip(message.indices.tolist(), message.floats().tolist(), strict=True))


def test_the_threshold_itself_is_dropped() -> None:
    message = dropped(X, drop=0.8)
    assert kept(message) == pytest.approx({0: 0.9, 5: -1.2})
    assert message.paper.total.tolist() == [128]  # 64 bits for each of two


@pytest.mark.parametrize(
    ("bits", "centre", "found", "paper"),
    [
        (1, "min", {0: 0.8, 5: -0.8}, 2 * 33 + 32),
        # one bucket from .8 on: the mean of what passes in the sample, (.9 + 1.2) / 2
        (1, "mean", {0: 1.05, 5: -1.05}, 2 * 33 + 32),
        # buckets .2 wide: .9 is in [.8, 1); 1.2, the largest, belongs to the last, [1, 1.2]
        (2, "min", {0: 0.8, 5: -1.0}, 2 * 34 + 64),
        (2, "mean", {0: 0.9, 5: -1.2}, 2 * 34 + 64),
    ],
)
def test_centres(bits: int, centre: str, found: dict[int, float], paper: int) -> None:
    message = dropped(X, drop=0.8, bits=bits, centre=centre)
    assert kept(message) == pytest.approx(found)
    assert message.paper.total.tolist() == [paper]
    residual = rows(X)
    message.subtract_from(residual)  # what rounding lost stays behind
    assert residual[0, 0] == pytest.approx(X[0] - found[0]) and residual[0, 5] == pytest.approx(X[5] - found[5])


def test_an_empty_bucket_stands_for_its_edge() -> None:
    # T = 2 (index int(4 * .75) - 1 = 2 of 1 1 2 4): the width is 1, and nothing lies in [2, 3) but T itself
    message = dropped([1.0, -1.0, 2.0, -4.0], drop=0.75, bits=2, centre="mean")
    assert message.coded.centres.tolist() == [[2.0, 4.0]]
    assert kept(message) == {3: -4.0}


def test_columns_are_what_belongs_to_one_output() -> None:
    # a 2 x 4 weight of torch: two outputs; T = 2 (index int(8 * .5) - 1 = 3 of 0 0 1 2 3 4 5 9). The bias has T = 1
    layout = Layout(("weight", "bias"), ((2, 4), (3,)))
    values = [0.0, -3.0, 5.0, 1.0, 9.0, 0.0, -4.0, 2.0, 1.0, -6.0, 8.0]
    mean = dropped(values, layout, drop=0.5, scope="local", bits=1, centre="column_mean")
    assert kept(mean) == {1: -4.0, 2: 4.0, 4: 6.5, 6: -6.5, 9: -7.0, 10: 7.0}
    assert mean.paper.total.tolist() == [6 * 33 + 3 * 32]
    least = dropped(values, layout, drop=0.5, scope="local", bits=1, centre="column_min")
    assert kept(least) == {1: -3.0, 2: 3.0, 4: 4.0, 6: -4.0, 9: -6.0, 10: 6.0}


def test_local_thresholds_spare_small_tensors() -> None:
    layout = Layout(("large", "small"), ((10,), (10,)))
    values = [100.0 + i for i in range(10)] + [0.1 * i for i in range(10)]
    # int(10 * .99) - 1 = 8: one of ten survives in each; int(20 * .9) - 1 = 17: globally the two largest of all
    assert list(kept(dropped(values, layout, drop=0.99, scope="local"))) == [9, 19]
    assert list(kept(dropped(values, layout, drop=0.9, scope="global"))) == [8, 9]
    coded = dropped(values, layout, drop=0.99, scope="local", bits=1).coded
    assert isinstance(coded, CentredValues)
    assert coded.lengths.tolist() == [1, 1] and coded.centres.flatten().tolist() == pytest.approx([108.0, 0.8])


def test_what_all_tie_is_kept_back() -> None:
    layout = Layout(("one", "flat", "zero"), ((1,), (3,), (2,)))
    message = dropped([7.0, 1.0, -1.0, 1.0, 0.0, 0.0], layout, drop=0.9, scope="local", bits=1)
    assert message.indices.numel() == 0 and message.paper.total.tolist() == [0]


@pytest.mark.parametrize(("length", "size", "places"), [(10, 4, [0, 2, 4, 6]), (7, 4, [0, 1, 2, 3]), (3, 4, [0, 1, 2])])
def test_the_sample_has_a_fixed_stride(length: int, size: int, places: list[int]) -> None:
    assert sampled(-torch.arange(length)[None], size)[0].tolist() == places


def test_the_count_varies_and_is_billed_as_it_is() -> None:
    matrix = torch.randn(6, 50_000, generator=torch.Generator().manual_seed(3))
    message = dropped(matrix, drop=0.99, sample=2000)
    counts = message.ragged.counts
    assert len(set(counts.tolist())) > 1 and (abs(counts / 500 - 1) < 0.6).all()
    assert message.paper.total.tolist() == (64 * counts).tolist()
    limits = threshold(matrix.abs()[:, ::25][:, :2000], 0.99)
    assert counts.tolist() == (matrix.abs() > limits[:, None]).sum(1).tolist()
    assert torch.equal(message.dense(), torch.where(matrix.abs() > limits[:, None], matrix, 0.0))
    # a sample of the tensor's own length makes the threshold exact: 50000 - (49500 - 1) - 1 above the entry 49499
    assert (dropped(matrix, drop=0.99).ragged.counts == 500).all()


@pytest.mark.parametrize("options", [{}, {"bits": 2, "centre": "mean"}, {"bits": 1, "centre": "column_mean"}])
def test_rows_do_not_know_each_other(options: dict[str, Any]) -> None:
    layout = Layout(("weight", "bias"), ((6, 8), (7,)))
    matrix = torch.randn(5, 55, generator=torch.Generator().manual_seed(3), dtype=torch.float64).relu()
    options = {"drop": 0.8, "scope": "local", **options}
    together = dropped(matrix, layout, **options)
    alone = [dropped(matrix[row : row + 1], layout, **options) for row in range(5)]
    assert Sparse.join(alone).equals(together)
    assert Sparse.join(alone).paper.total.tolist() == together.paper.total.tolist()


def test_nothing_dropped_is_dense() -> None:
    message = dropped(X, drop=0.0)
    assert isinstance(message, Dense) and torch.equal(message.dense(), rows(X))


@pytest.mark.gpu
@pytest.mark.parametrize("options", [{}, {"bits": 2, "centre": "mean"}, {"bits": 1, "centre": "column_min"}])
def test_a_gpu_keeps_the_same(options: dict[str, Any]) -> None:
    layout = Layout(("weight", "bias"), ((60, 80), (70,)))
    matrix = torch.randn(3, 4870, generator=torch.Generator().manual_seed(3))
    here, there = (dropped(x, layout, drop=0.9, scope="local", **options) for x in (matrix, matrix.cuda()))
    assert torch.equal(there.indices.cpu(), here.indices)
    torch.testing.assert_close(there.floats().cpu(), here.floats())


@pytest.mark.parametrize("options", [{}, {"bits": 1}, {"bits": 2, "centre": "mean"}])
def test_nobody_at_all(options: dict[str, Any]) -> None:
    message = Dropping(0.9, **options)(torch.zeros(0, 5), cohort_of(1, 5).draw(slice(0, 0)))
    assert message.rows == 0 and message.size == 5


@pytest.mark.parametrize("options", [{}, {"bits": 1, "centre": "min"}, {"bits": 2, "centre": "mean"}])
def test_mass_is_conserved_over_a_thousand_steps(options: dict[str, Any]) -> None:
    generator, dropping = torch.Generator().manual_seed(1), Dropping(0.9, **options)
    residual = torch.zeros(2, 60, dtype=torch.float64)
    given, arrived = torch.zeros_like(residual), torch.zeros_like(residual)
    for _ in range(1000):
        gradient = torch.randn(2, 60, generator=generator, dtype=torch.float64)
        residual += gradient
        given += gradient
        message = dropping(residual, cohort_of(2, 60).draw())
        message.subtract_from(residual)
        arrived += message.dense()
    torch.testing.assert_close(arrived + residual, given, rtol=0, atol=1e-9)
    assert residual.abs().max() < 60  # it does not run away


BAD: list[tuple[dict[str, Any], str]] = [
    *[({"drop": bad}, r"algorithm\.drop: expected a share R in \[0, 1\), got ") for bad in (1.0, -0.1, "most", True)],
    ({"scope": "layer"}, r"algorithm\.scope: expected one of global, local, got 'layer'"),
    ({"sample": 0}, r"algorithm\.sample: expected a whole number, at least 1, got 0"),
    ({"bits": 3}, r"algorithm\.bits: expected 1 or 2 bits .* got 3"),
    ({"bits": 1, "centre": "median"}, r"algorithm\.centre: expected one of min, mean, .* got 'median'"),
    ({"bits": 2, "centre": "column_min", "scope": "local"}, r"algorithm\.bits: expected 1 with one centre for each"),
    ({"bits": 1, "centre": "column_mean"}, r"algorithm\.scope: expected local with algorithm\.centre=column_mean"),
    ({"bits": 1, "drop": 0}, r"algorithm\.bits: expected null with algorithm\.drop=0"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dropping(**options)
