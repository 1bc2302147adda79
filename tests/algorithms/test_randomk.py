"""Random-k: a shared support worked by hand, and the drawing of supports."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from algorithms.compressors import RandomK
from algorithms.compressors.randomk import support
from algorithms.ops import AllReduce, Gradient
from algorithms.payloads import Dense
from algorithms.randomk import randomk
from algorithms.streams import Stream
from tests.algorithms.by_hand import begun, cohort_of, marked, rows, settle

GRADIENTS = rows([1, 2, 3, 4, 5, 6], [-1, 0, 1, 2, -3, 8])


def test_shared_support_with_error_feedback() -> None:
    # S_t is the same on all workers: x_S <- x_S - lr mean_i a_i,S; m_i <- a_i outside S and 0 inside. d = 6, k = 2.
    cohort = cohort_of(2, 6, seed=5)
    algorithm = randomk(density=None, k=2, lr=0.5)
    hand = begun(algorithm, cohort, 3)
    model, kept, supports = torch.zeros(6), torch.zeros(2, 6), set()
    for t in range(3):
        hand.meets(Gradient)
        hand.answers(GRADIENTS.clone())
        payload = hand.meets(AllReduce).payload
        # only k values travel: 6 bytes of header and 2 floats, and not a bit for indices
        assert isinstance(payload, Dense) and payload.bytes.tolist() == [14, 14]
        assert payload.paper is not None and payload.paper.total.tolist() == [64, 64]
        chosen = support(cohort.shared(t).at("support"), torch.tensor([0]), 2, 6)[0]
        corrected = kept + GRADIENTS
        assert torch.equal(payload.dense(), corrected[:, chosen])
        hand.answers(payload.fold([slice(0, 2)]))
        model[chosen] -= 0.5 * corrected[:, chosen].mean(0)
        kept = corrected.index_fill(1, chosen, 0.0)
        assert torch.equal(marked(hand, t + 1), model)
        assert torch.equal(algorithm.exchange.residual.values, kept)
        supports.add(tuple(chosen.tolist()))
    assert len(supports) > 1
    hand.ends()


def test_shared_support_with_unequal_weights_and_scale() -> None:
    # p = (3/4, 1/4), scaled by d / k = 3: mean_S = 3 (3/4 g_0 + 1/4 g_1)
    cohort = cohort_of(2, 6, shares=torch.tensor([0.75, 0.25]))
    exchange = randomk(density=None, k=2, scaled=True, error_feedback=False).exchange
    mean, sent = settle(exchange(cohort, GRADIENTS.clone(), 4), cohort)
    chosen = mean.nonzero()[:, 0]
    expected = 3 * (0.75 * GRADIENTS[0] + 0.25 * GRADIENTS[1])
    assert len(chosen) == 2 and torch.equal(mean[chosen], expected[chosen])
    assert torch.equal((torch.tensor([[0.75], [0.25]]) * sent.dense()).sum(0), mean)


def test_every_subset_is_equally_likely() -> None:
    draws = support(Stream(1, "subsets"), torch.arange(20_000), 2, 5)
    found, counts = np.unique(draws.numpy(), axis=0, return_counts=True)
    assert [tuple(pair) for pair in found] == list(itertools.combinations(range(5), 2))
    # chi-square with 9 degrees of freedom stays below 27.9 with probability 0.999
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9


@given(st.integers(1, 9), st.data(), st.integers(0, 2**40))
def test_supports_are_increasing_without_replacement(d: int, data: st.DataObject, seed: int) -> None:
    k = data.draw(st.integers(1, d))
    workers = torch.tensor(data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=5)))
    drawn = support(Stream(seed), workers, k, d)
    assert drawn.shape == (len(workers), k)
    assert bool((drawn.diff(dim=1) > 0).all()) and 0 <= int(drawn.min()) <= int(drawn.max()) < d
    alone = torch.cat([support(Stream(seed), worker[None], k, d) for worker in workers])
    assert torch.equal(drawn, alone)  # a worker's draw does not depend on its company


def test_private_supports_differ_by_worker_and_round() -> None:
    cohort = cohort_of(6, 40, seed=2)
    compressor = RandomK(k=4)
    ones = torch.ones(6, 40)
    first = compressor(ones, cohort.draw()).dense()
    cohort.begin(1)
    second = compressor(ones, cohort.draw()).dense()
    patterns = {tuple(row.tolist()) for row in torch.cat([first, second])}
    assert len(patterns) == 12


@pytest.mark.parametrize("scaled", [True, False])
def test_scaling_makes_it_unbiased(scaled: bool) -> None:
    # E[Q(v)] = v and E|Q(v) - v|^2 = (d / k - 1) |v|^2 with the factor d / k = 4, else E[Q(v)] = v / 4
    n, row = 20_000, torch.tensor([1.0, -2, 0, 4, 0.5, 8, -1, 3])
    cohort = cohort_of(n, 8)
    drawn = RandomK(k=2, scaled=scaled)(row.expand(n, 8), cohort.draw()).dense().double()
    factor = 1.0 if scaled else 0.25
    sigma = drawn.std(0) / n**0.5
    assert bool(((drawn.mean(0) - factor * row).abs() <= 5 * sigma + 1e-12).all())
    if scaled:
        variance = float((drawn - row).square().sum(1).mean())
        assert variance == pytest.approx(3 * float(row.square().sum()), rel=0.03)
