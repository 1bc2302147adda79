"""Exchanges keep their laws: the mean is what was sent, and what was not sent is kept, whatever the compressor."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from algorithms.compressors import QSGD, Identity, RandomK, ScaledSign, TopK
from algorithms.exchanges import AllGatherMean, AllReduceMean, ErrorFeedback, ServerMean
from algorithms.exchanges.server import lossless
from algorithms.gathered import Gathered
from algorithms.payloads import Dense, Sparse
from algorithms.randomk import SharedSupport
from tests.algorithms.by_hand import cohort_of, rows, settle

COMPRESSORS = {
    "identity": lambda: Identity(), "half": lambda: Identity("fp16"), "topk": lambda: TopK(k=2),
    "randomk": lambda: RandomK(k=2), "qsgd": lambda: QSGD(3, 3), "sign": lambda: ScaledSign(),
}  # fmt: skip
EXCHANGES = {
    **{f"server-{name}": lambda c=c: ServerMean(c()) for name, c in COMPRESSORS.items()},
    **{f"all_gather-{name}": lambda c=c: AllGatherMean(c()) for name, c in COMPRESSORS.items()},
    "all_reduce": lambda: AllReduceMean(), "all_reduce-half": lambda: AllReduceMean("fp16"),
    "shared_support": lambda: SharedSupport(None, 2, False),
}  # fmt: skip


def updates(n: int, d: int, t: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw updates for round t."""
    return torch.randn(n, d, generator=torch.Generator().manual_seed(t), dtype=dtype)


@pytest.mark.parametrize("shares", [None, [0.5, 0.125, 0.25, 0.125]], ids=["equal", "unequal"])
@pytest.mark.parametrize("name", EXCHANGES)
def test_what_is_sent_is_the_mean_and_the_rest_is_kept(name: str, shares: list[float] | None) -> None:
    n, d = 4, 7
    cohort = cohort_of(n, d, chunk=2, shares=None if shares is None else torch.tensor(shares))
    exchange = ErrorFeedback(EXCHANGES[name]())
    given_so_far, sent_so_far = torch.zeros(n, d), torch.zeros(n, d)
    for t in range(6):
        cohort.begin(t)
        update = updates(n, d, t)
        mean, sent = settle(exchange(cohort, update.clone(), t), cohort)
        assert mean.shape == (d,) and sent.rows == n
        total = (cohort.weights.float()[:, None] * sent.dense()).sum(0)
        torch.testing.assert_close(mean, total, rtol=1e-5, atol=1e-5 if "half" not in name else 2e-3)
        given_so_far += update
        sent_so_far += sent.dense()
        torch.testing.assert_close(sent_so_far + exchange.residual.values, given_so_far, rtol=1e-5, atol=1e-5)
    if name.endswith(("identity", "all_reduce")):
        assert exchange.residual.values.count_nonzero() == 0


@pytest.mark.parametrize("chunk", [1, 2, 8])
def test_an_uncompressed_message_does_not_change_with_the_residual(chunk: int) -> None:
    cohort, update = cohort_of(4, 7, chunk=chunk), updates(4, 7, 0)
    exchange = ErrorFeedback(ServerMean(Identity()))
    _, sent = settle(exchange(cohort, update.clone(), 0), cohort)
    assert torch.equal(sent.dense(), update) and not exchange.residual.values.any()
    _, alone = settle(ServerMean(Identity())(cohort, update, 0), cohort)
    assert alone.dense().data_ptr() == update.data_ptr()  # nothing changes it, so it is not copied


@pytest.mark.parametrize("name", [name for name in EXCHANGES if name.startswith("server")])
def test_sampled_workers_keep_their_own_residual(name: str) -> None:
    n, d = 8, 7
    cohort = cohort_of(n, d, participation=0.5, chunk=3)
    exchange = ErrorFeedback(EXCHANGES[name]())
    balance = torch.zeros(n, d)  # given minus sent, by worker number
    for t in range(6):
        cohort.begin(t)
        update = updates(cohort.size, d, t)
        mean, sent = settle(exchange(cohort, update.clone(), t), cohort)
        balance[cohort.active] += update - sent.dense()
        torch.testing.assert_close(exchange.residual.values, balance, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(mean, sent.dense().mean(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", EXCHANGES)
def test_double_precision_passes_through(name: str) -> None:
    cohort = cohort_of(3, 6, dtype=torch.float64)
    mean, sent = settle(EXCHANGES[name]()(cohort, updates(3, 6, 0, torch.float64), 0), cohort)
    torch.testing.assert_close(mean.double(), sent.dense().double().mean(0), rtol=1e-5, atol=2e-3)
    if name.endswith(("identity", "topk", "all_reduce", "support")):
        assert mean.dtype == torch.float64


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_part_without_workers_compresses_nothing(name: str) -> None:
    empty = COMPRESSORS[name]()(torch.zeros(0, 5), cohort_of(3, 5, chunk=8, part=0, parts=2).draw())
    full = COMPRESSORS[name]()(torch.ones(3, 5), cohort_of(3, 5).draw())
    assert empty.rows == 0
    assert type(full).join([empty, full]).equals(full)


@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 99))
def test_gathered_mean_is_the_weighted_mean(m: int, chunk: int, seed: int) -> None:
    values, cohort = updates(m, 5, seed), cohort_of(m, 5, chunk=chunk, shares=torch.rand(m) + 0.1)
    for payload in (Dense(values), Sparse.nonzeros(values * (values > 0))):
        met = Gathered(payload, cohort.active, cohort.weights, cohort.all_chunks)
        expected = (cohort.weights[:, None] * payload.dense().double()).sum(0).float()
        torch.testing.assert_close(met.mean(), expected, rtol=1e-5, atol=1e-6)


def test_gathered_mean_follows_the_chunks() -> None:
    # 2**24 + 1 is no float32: (2**24 + 1) + 1 loses both ones, 2**24 + (1 + 1) keeps them
    payload = Dense(rows([2.0**24], [1], [1]))
    weights, workers = torch.ones(3, dtype=torch.float64), torch.arange(3)
    for chunks, total in (((1, 2, 3), 2.0**24), ((1, 3), 2.0**24 + 2)):
        slices = tuple(slice(a, b) for a, b in zip((0, *chunks), chunks, strict=False))
        assert Gathered(payload, workers, weights, slices).mean().tolist() == [total]


def test_the_way_down_is_sparse_where_that_is_shorter() -> None:
    mean = torch.zeros(1000)
    mean[[3, 500]] = torch.tensor([1.0, -2.0])
    short, dense = lossless(mean), lossless(torch.ones(1000))
    assert isinstance(short, Sparse) and torch.equal(short.dense()[0], mean)
    assert isinstance(dense, Dense) and dense.bytes.tolist() == [4006]
    assert isinstance(lossless(torch.zeros(1)), Dense)


def test_unknown_route() -> None:
    from algorithms.qsgd import qsgd

    build: Any = qsgd
    with pytest.raises(ValueError, match=r"algorithm\.via: expected one of server, all_gather, got 'pigeon'"):
        build(via="pigeon")
