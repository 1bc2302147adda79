"""The operators of Qsparse-local-SGD: exact identities, contraction with the paper's gamma, the rules at the edges."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.cohort import Draw
from algorithms.compressors import PerTensor, ScaledSign, SparseFloats, SparseLevels, SparseSigns
from algorithms.layout import Layout
from algorithms.payloads import decode
from tests.algorithms.by_hand import cohort_of, rows

D, K = 60, 9


def draw_of(w: int, d: int = D, t: int = 0) -> Draw:
    cohort = cohort_of(w, d)
    cohort.begin(t)
    return cohort.draw()


def vectors(w: int, d: int = D) -> Tensor:
    return torch.randn(w, d, generator=torch.Generator().manual_seed(3))


def error(compressor: Any, x: Tensor, draw: Draw) -> Tensor:
    """||x - C(x)||^2 of each row."""
    left: Tensor = (x - compressor(x, draw).dense()).double().square().sum(1)
    return left


def square(x: Tensor) -> Tensor:
    return x.double().square().sum(1)


def top(x: Tensor, k: int = K) -> Tensor:
    """The k largest magnitudes of each row, by a full sort."""
    return x.gather(1, x.abs().argsort(dim=1, descending=True)[:, :k])


def test_the_error_of_sign_topk_is_known_exactly() -> None:
    x, draw = vectors(50), draw_of(50)
    c = top(x).double()
    l1, l2 = c.abs().sum(1), c.norm(dim=1)
    found = error(SparseSigns(k=K), x, draw)
    torch.testing.assert_close(found, square(x) - l1**2 / K, rtol=1e-5, atol=0)
    # m = 2: ||c - a sign(c)||^2 = ||c||^2 - 2 a ||c||_1 + k a^2 with a = ||c||_2 / k
    second = error(SparseSigns(k=K, norm=2), x, draw)
    torch.testing.assert_close(second, square(x) - (2 * l1 * l2 - l2**2) / K, rtol=1e-5, atol=0)
    assert bool((found <= second).all())  # one support: m = 1 is the optimal scale
    torch.testing.assert_close(error(SparseFloats(k=K), x, draw), square(x) - square(c), rtol=1e-5, atol=0)
    everything = error(ScaledSign(), x, draw)
    torch.testing.assert_close(everything, square(x) - x.abs().sum(1).double() ** 2 / D, rtol=1e-5, atol=0)


def test_the_gammas_of_signs_hold() -> None:
    x, draw = vectors(50), draw_of(50)
    c = top(x).double()
    l1, l2 = c.abs().sum(1), c.norm(dim=1)
    first = torch.clamp(K / D * (l1 / (math.sqrt(D) * l2)) ** 2, min=1 / D)
    assert bool((error(SparseSigns(k=K), x, draw) <= (1 - first) * square(x)).all())
    for m in (2, 3):
        gamma = K ** (2 / m - 1) / D
        assert bool((error(SparseSigns(k=K, norm=m), x, draw) <= (1 - gamma) * square(x)).all())


@pytest.mark.parametrize("select", ["top", "random"])
@pytest.mark.parametrize(("scaled", "levels"), [(True, 2), (True, 1), (False, 4), (True, 256)])
def test_levels_contract_on_average(select: str, scaled: bool, levels: int) -> None:
    draws = 4000
    x = vectors(1).expand(draws, -1).contiguous()  # row r is worker r: an independent draw each
    compressor = SparseLevels(k=K, levels=levels, scaled=scaled, select=select)
    beta = min(K / levels**2, math.sqrt(K) / levels)
    gamma = K / (D * (1 + beta)) if scaled else (1 - beta) * K / D
    spread = error(compressor, x, draw_of(draws)) / square(x)
    assert float(spread.mean()) <= 1 - gamma + 3 * float(spread.std()) / math.sqrt(draws)


@pytest.mark.parametrize("scaled", [True, False])
def test_levels_are_unbiased_up_to_their_scale(scaled: bool) -> None:
    # E C(x) = Comp_k(x) / (1 + beta), or Comp_k(x) itself; beta = min(9 / 16, 3 / 4)
    draws = 20_000
    x = vectors(1)
    sent = SparseLevels(k=K, levels=4, scaled=scaled)(x.expand(draws, -1).contiguous(), draw_of(draws)).dense()
    kept = SparseFloats(k=K)(x, draw_of(1)).dense()[0] / (1 + 9 / 16 if scaled else 1)
    bound = 4.5 * sent.std(0) / math.sqrt(draws) + 1e-6
    assert bool(((sent.mean(0) - kept).abs() <= bound).all())
    # without a scale the quantiser only adds to top-k's error: ||x||^2 - ||c||^2 + E ||Q(c) - c||^2
    if not scaled:
        added = (sent - kept).double().square().sum(1).mean()
        found = (x - sent).double().square().sum(1).mean()
        assert float(found) == pytest.approx(float(square(x) - square(kept[None]) + added), rel=2e-2)


def test_beta_and_the_authors_rule() -> None:
    # K = 1000, s = 256: k / s^2 = 0.01526 and sqrt(k) / s = 0.1235; at s = 2: 250 against 15.8
    assert SparseLevels(k=1000).beta(1000) == pytest.approx(0.0153, abs=5e-5)
    assert SparseLevels(k=1000, levels=2).beta(1000) == pytest.approx(math.sqrt(1000) / 2)
    assert SparseLevels(k=1000, levels=2, beta="ratio").beta(1000) == 250
    x = rows([3.0, -4.0, 0.0, 1.0])
    both = [SparseLevels(k=2, levels=1, beta=beta)(x, draw_of(1, 4)).coded.scales for beta in ("min", "ratio")]
    # the 2-norm of the two kept values is 5: 5 / (1 + sqrt 2) and 5 / (1 + 2)
    torch.testing.assert_close(torch.cat(both), torch.tensor([5 / (1 + math.sqrt(2)), 5 / 3]))


def test_zeros_stay_zero_and_the_sign_of_zero_is_plus() -> None:
    x = rows([0, 0, 0, 0], [0, 0, -2, 0])
    for compressor in (SparseLevels(k=2), SparseSigns(k=2), SparseFloats(k=2)):
        assert torch.equal(compressor(x[:1], draw_of(1, 4)).dense(), torch.zeros(1, 4))
    # kept: -2 and, of equal magnitudes, the first 0; (2 + 0) / 2 = 1
    assert SparseSigns(k=2)(x[1:], draw_of(1, 4)).dense().tolist() == [[1, 0, -1, 0]]


def test_random_supports_differ_by_worker_and_round() -> None:
    x = torch.ones(3, D)
    sent = SparseSigns(k=K, select="random")(x, draw_of(3)).dense()
    assert sent.sum(1).tolist() == [K] * 3 and len({tuple(row.nonzero().view(-1).tolist()) for row in sent}) == 3
    again, later = (SparseSigns(k=K, select="random")(x, draw_of(3, t=t)).dense() for t in (0, 1))
    assert torch.equal(again, sent) and not torch.equal(later, sent)


def test_pieces_contract_by_the_least_of_their_gammas_and_decode() -> None:
    layout = Layout(("a", "b"), ((4, 5), (40,)))
    x = vectors(5)
    cohort = cohort_of(5, D)
    payload = PerTensor(SparseFloats(k=8))(x, cohort.within(layout).draw())
    assert bool(((x - payload.dense()).square().sum(1) <= (1 - 8 / 40) * x.square().sum(1)).all())
    assert payload.dense().ne(0).sum(1).tolist() == [16] * 5
    for compressor in (SparseLevels(k=30, levels=4), SparseSigns(k=30)):  # the first tensor is kept whole
        payload = PerTensor(compressor)(x, cohort.within(layout).draw())
        messages = [payload.encode(row) for row in range(5)]
        assert [len(message) for message in messages] == payload.bytes.tolist()
        assert all(decode(message).equals(payload.select(slice(i, i + 1))) for i, message in enumerate(messages))
