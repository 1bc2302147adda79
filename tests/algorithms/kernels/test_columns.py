"""Sums and subtraction of levels and signs: the bits of dense float32 rows that torch weights, sums and subtracts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algorithms.compressors import ScaledSign
from algorithms.kernels import fallbacks, use
from algorithms.kernels.majority import majority_of
from algorithms.payloads import Quantised, Signs
from algorithms.payloads.payload import Payload

SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 1e-39, 3e38]
ROWS = st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 300]))
COLUMNS = st.one_of(st.integers(1, 40), st.integers(230, 700), st.just(5000))


@pytest.fixture(autouse=True, params=["compiled", "reference"])
def mode(request: pytest.FixtureRequest) -> Iterator[None]:
    use(request.param)
    yield
    assert fallbacks() == []
    use("auto")


def made(n: int, d: int, bucket: int, s: int, kind: str, seed: int) -> tuple[Quantised, Signs, torch.Tensor]:
    rng = np.random.default_rng(seed)
    scales = rng.normal(size=(n, -(-d // bucket))).astype("f4")
    scales[rng.random(scales.shape) < 0.1] = rng.choice(np.array(SPECIAL, "f4"))
    levels = torch.from_numpy(rng.integers(-s, s + 1, (n, d)).astype(kind))
    bits, each = torch.from_numpy(rng.random((n, d)) < 0.5), torch.from_numpy(scales[:, 0].copy())
    weights = torch.from_numpy(rng.random(n))
    return Quantised(d, levels, torch.from_numpy(scales), bucket, s), Signs(d, bits, each), weights


def alike(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    some = ~ours.isnan()
    assert torch.equal(ours[some].signbit(), theirs[some].signbit())


@given(
    n=ROWS,
    d=COLUMNS,
    bucket=st.sampled_from([1, 16, 512, 3000]),
    s=st.sampled_from([1, 7, 127]),
    kind=st.sampled_from(["i2", "i4"]),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@example(n=5000, d=300, bucket=512, s=7, kind="i2", weighted=True, seed=1)  # three carries deep
@settings(max_examples=60, deadline=None)
def test_sums_and_differences(n: int, d: int, bucket: int, s: int, kind: str, weighted: bool, seed: int) -> None:
    quantised, signs, weights = made(n, d, bucket, s, kind, seed)
    given_weights, rows = weights if weighted else None, slice(n // 3, n)
    for payload in (quantised, signs, Signs(d, signs.bits)):
        ours, theirs = torch.full((d,), 0.1), torch.full((d,), 0.1)
        payload.add_to(ours, rows, given_weights)
        Payload.add_to(payload, theirs, rows, given_weights)
        alike(ours, theirs)
        for dtype in (torch.float32, torch.float64):
            residual = torch.linspace(-1, 1, n * d, dtype=dtype).view(n, d)
            expected = residual.clone()
            payload.subtract_from(residual)
            Payload.subtract_from(payload, expected)
            alike(residual, expected)


def test_rows_that_do_not_lie_in_one_piece_are_summed_and_subtracted_too() -> None:
    quantised, signs, weights = made(6, 400, 16, 7, "i2", 3)
    for payload in (quantised, signs):
        spaced, matrix = payload.select(slice(0, 6, 2)), torch.zeros(3, 800)[:, ::2]
        ours = torch.zeros(400)
        spaced.add_to(ours, slice(0, 3), weights[:3])
        spaced.subtract_from(matrix)
        alike(ours, (spaced.dense() * weights[:3].float()[:, None]).sum(0))
        alike(matrix, 0 - spaced.dense())


@given(n=ROWS, d=st.one_of(st.integers(1, 40), st.just(17000)), share=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_majority_is_counted(n: int, d: int, share: float, seed: int) -> None:
    bits = np.random.default_rng(seed).random((n, d)) < share
    elected = np.empty(d, bool)
    majority_of(bits.view(np.uint8), elected)
    np.testing.assert_array_equal(elected, bits.sum(0) >= (~bits).sum(0))
    assert torch.equal(Signs(d, torch.from_numpy(bits)).majority(), torch.from_numpy(elected))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("w", "d"), [(0, 5), (1, 1), (3, 77), (40, 9001), (2, 300_000)])
def test_the_mean_magnitude_is_that_of_the_whole_matrix(w: int, d: int, dtype: torch.dtype) -> None:
    rows = torch.from_numpy(np.random.default_rng(1).normal(size=(w, d))).to(dtype)
    rows[rows.abs() < 0.1] = -0.0
    message = ScaledSign()(rows, None)  # type: ignore[arg-type]
    assert message.scales is not None
    assert torch.equal(message.scales, rows.abs().mean(dim=1).float())
    assert torch.equal(message.bits, rows >= 0)
