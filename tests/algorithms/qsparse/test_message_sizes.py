"""The paper's arithmetic of message sizes: ResNet-50 with k = min(d_t, 1000) of each tensor, softmax on MNIST."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.cohort import Cohort
from algorithms.compressors import Compressor, PerTensor, ScaledSign, SparseFloats, SparseLevels, SparseSigns
from algorithms.compressors.kept import Kept
from algorithms.layout import Layout
from tests.algorithms.qsparse import resnet50

LAYOUT = resnet50.layout()
SIZES = [some.stop - some.start for some in LAYOUT.slices]


def test_the_tensors_of_resnet50() -> None:
    assert (len(SIZES), LAYOUT.size) == (161, 25_557_032)
    kept = Kept(k=1000)
    assert sum(kept.count(size) for size in SIZES) == 99_400
    assert round(99_400 / LAYOUT.size, 4) == 0.0039


@pytest.fixture(scope="module")
def row() -> torch.Tensor:
    return torch.randn(1, LAYOUT.size, generator=torch.Generator().manual_seed(1))


def paper_bits(compressor: Compressor, row: torch.Tensor, layout: Layout = LAYOUT) -> int:
    """Compress one worker's row tensor by tensor, and give what the paper counts for the message."""
    payload = PerTensor(compressor)(row, Cohort(1, layout).draw())
    assert payload.paper is not None and payload.rows == 1
    return int(payload.paper.total[0])


# k (32 + i) and k (1 + i) + 32 L for k = 99,400 and L = 161, with i = 32, i = ceil(log2 25,557,032) = 25, or summed
# over tensors with ceil(log2 d_t) each. SGD sends 32 d = 817,825,024 bits a step.
TABLE = {
    # index width: TopK, SignTopK, SGD / SignTopK with H = 8, TopK / SignTopK with H = 8
    "32": (6_361_600, 3_285_352, 1991, 15.5),
    "global": (5_665_800, 2_589_552, 2527, 17.5),
    "tensor": (4_560_424, 1_484_176, 4408, 24.6),
}


@pytest.mark.parametrize("width", TABLE)
def test_the_table_for_resnet50(row: torch.Tensor, width: str) -> None:
    options: dict[str, Any] = {"k": 1000, "index_width": width}
    topk = paper_bits(SparseFloats(**options), row)
    signs = paper_bits(SparseSigns(**options), row)
    assert (topk, signs) == TABLE[width][:2]
    assert round(32 * LAYOUT.size * 8 / signs) == TABLE[width][2]
    assert round(topk * 8 / signs, 1) == TABLE[width][3]


def test_signs_of_everything_for_resnet50(row: torch.Tensor) -> None:
    assert paper_bits(ScaledSign(), row) == 25_557_032 + 32 * 161


# d = 7850 in one piece, k = 40, 13 bits an index: SGD 32 * 7850 = 251,200.
@pytest.mark.parametrize(
    ("compressor", "bits"),
    [
        (SparseFloats(k=40), 40 * (32 + 13)),  # 1,800
        (SparseSigns(k=40), 40 * (1 + 13) + 32),  # 592
        (SparseLevels(k=40, levels=15), 40 * (13 + 1 + 4) + 32),  # 752: 4 bits for 0..15 and a sign
        (SparseLevels(k=40, levels=15, select="random"), 752),
    ],
)
def test_softmax_on_mnist(compressor: Compressor, bits: int) -> None:
    assert paper_bits(compressor, torch.randn(1, 7850), Layout.flat(7850)) == bits
    assert bits in (1800, 592, 752)


def test_a_tensor_of_one_coordinate_needs_no_index() -> None:
    layout = Layout(("a", "b"), ((1,), (3,)))
    # per tensor 1 + 0 and 2 (1 + 2), a scale each; of the whole of four coordinates: 3 (1 + 2)
    assert paper_bits(SparseSigns(k=2), torch.ones(1, 4), layout) == 1 + 6 + 64
    assert paper_bits(SparseSigns(k=2, index_width="global"), torch.ones(1, 4), layout) == 9 + 64
