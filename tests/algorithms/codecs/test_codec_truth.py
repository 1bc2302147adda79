"""What each position code really writes for the largest entries of a real gradient, against its closed form.

The closed forms are for positions that are independent of one another. Those of a gradient are not: they cluster in the
rows of live units and bright pixels. A permutation of the coordinates that all workers share makes them so, and every
code then writes what its formula says within 1 %; in place, how far off a formula is depends on the code.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from algorithms.codecs import INDEX_CODES, expected_block_bits, expected_rice_bits
from algorithms.compressors.selection import largest
from algorithms.payloads import Sparse
from simulator.runner import Run
from tests.running import composed

DENSITIES = (0.1, 0.01, 0.001)
STEPS, RATE = 10, 0.1


def gamma_bits(p: float) -> float:
    """Expect 2 floor(log2 g) + 1 of a geometric gap: P(g >= 2^i) = (1-p)^(2^i - 1)."""
    return 1 + 2 * sum((1 - p) ** (2.0**i - 1) for i in range(1, 40))


def block_bits(p: float) -> float:
    """Blocks of the best length."""
    return min(expected_block_bits(p, b) for b in range(20))


# Bits a position of many coordinates d of which a share p is kept, and how far off that is for a gradient in place.
THEORY: dict[str, tuple[Callable[[float, int], float], float, float]] = {
    "fixed": (lambda p, d: math.ceil(math.log2(d)), -0.01, 0.01),
    "rice": (lambda p, d: expected_rice_bits(p), 0.01, 0.06),  # long gaps between clusters cost it more
    "gamma": (lambda p, d: gamma_bits(p), -0.9, -0.2),  # short gaps within them cost it much less
    "bitmap": (lambda p, d: 1 / p, -0.01, 0.01),
    "block": (lambda p, d: block_bits(p), -0.01, 0.01),
}


@pytest.fixture(scope="module")
def gradient(tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    """Train a small network for a few steps, and give its next gradient, shape (1, d)."""
    config = composed("task=fashion_mnist_mini", "model.widths=[784,2048,1024,10]", "workers=1", "batch=32")
    task = Run(config, tmp_path_factory.mktemp("task") / "run").task
    model, row = task.initial(1), torch.zeros(1, task.layout.size)
    for step in range(STEPS):
        task.gradient(model, torch.tensor([0]), step, row)
        model = model - RATE * row[0]
    return row


def written_bits(gradient: Tensor, density: float, code: str) -> float:
    """Encode the largest entries without their values, and give the bits of the message for each."""
    k = round(density * gradient.shape[1])
    indices = largest(gradient.contiguous(), k)
    payload = Sparse.rows_of(gradient.shape[1], indices, gradient.gather(1, indices), index_code=code)
    return (8 * len(payload.encode(0)) - int(payload.wire.values[0])) / k


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("code", THEORY)
def test_shuffled_positions_take_what_the_formula_says(gradient: Tensor, code: str, density: float) -> None:
    d = gradient.shape[1]
    shared = torch.randperm(d, generator=torch.Generator().manual_seed(1))
    measured = written_bits(gradient[:, shared], density, code)
    assert measured == pytest.approx(THEORY[code][0](density, d), rel=0.01)


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("code", THEORY)
def test_positions_in_place_cluster(gradient: Tensor, code: str, density: float) -> None:
    formula, least, most = THEORY[code]
    measured = written_bits(gradient, density, code) / formula(density, gradient.shape[1])
    assert least < measured - 1 < most


def test_every_code_has_a_theory() -> None:
    assert set(INDEX_CODES) == set(THEORY)
