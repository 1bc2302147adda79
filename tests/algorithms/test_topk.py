"""Top-k with error feedback worked by hand, and the selection against brute force."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from algorithms.compressors import TopK
from algorithms.compressors.selection import largest
from algorithms.payloads import Sparse
from algorithms.topk import topk
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows

# a = m + g; m <- a - top_k(a); x <- x - lr mean_i top_k(a_i) (Stich et al. 2018, Algorithm 1), lr = 1/2, k = 1.
# Of equal magnitudes the lowest index goes first.
ROUNDS = [
    # gradients of both workers, what they send, what they keep, the model after the round
    (rows([1, -3, 2, 0], [4, 1, 0, -4]), rows([0, -3, 0, 0], [4, 0, 0, 0]), rows([1, 0, 2, 0], [0, 1, 0, -4]),
     [-1, 0.75, 0, 0]),
    # corrected: (2, 1, 3, 0) and (0, 1, 0, -1)
    (rows([1, 1, 1, 0], [0, 0, 0, 3]), rows([0, 0, 3, 0], [0, 1, 0, 0]), rows([2, 1, 0, 0], [0, 0, 0, -1]),
     [-1, 0.5, -0.75, 0]),
    # corrected: (0, 1, 0, -0.5) and (0, 0, 0, -1)
    (rows([-2, 0, 0, -0.5], [0, 0, 0, 0]), rows([0, 1, 0, 0], [0, 0, 0, -1]), rows([0, 0, 0, -0.5], [0, 0, 0, 0]),
     [-1, 0.25, -0.75, 0.25]),
]  # fmt: skip


def test_three_rounds() -> None:
    algorithm = topk(density=None, k=1, lr=0.5)
    hand = begun(algorithm, cohort_of(2, 4), 3)
    for t, (gradients, sent, kept, model) in enumerate(ROUNDS, start=1):
        payload, down = over_server(hand, cohort_of(2, 4), gradients)
        assert isinstance(payload, Sparse) and payload.ragged.counts.tolist() == [1, 1]
        assert torch.equal(payload.dense(), sent)
        assert payload.paper is not None and payload.paper.total.tolist() == [34, 34]  # 32 bits and log2 4
        assert torch.equal(down.dense()[0], sent.mean(0))
        assert marked(hand, t).tolist() == model
        assert torch.equal(algorithm.exchange.residual.values, kept)
    hand.ends()
    # nothing is lost: all gradients = all that was sent + what is still kept
    gradients, sent = (torch.stack([r[i] for r in ROUNDS]).sum(0) for i in (0, 1))
    assert torch.equal(gradients, sent + ROUNDS[-1][2])


def test_without_error_feedback_nothing_is_kept() -> None:
    hand = begun(topk(density=0.5, error_feedback=False, lr=1.0), cohort_of(2, 4), 1)
    sent, _ = over_server(hand, cohort_of(2, 4), rows([1, -3, 2, 0], [4, 1, 0, -4]))
    assert torch.equal(sent.dense(), rows([0, -3, 2, 0], [4, 0, 0, -4]))
    assert marked(hand, 1).tolist() == [-2, 1.5, -1, 2]


def by_sorting(row: list[float], k: int) -> list[int]:
    """Choose the k largest magnitudes the slow way, ties to the lowest index."""
    return sorted(sorted(range(len(row)), key=lambda i: (-abs(row[i]), i))[:k])


few = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 2.0**-140])  # ties galore, and a subnormal number
entries = st.one_of(few, st.floats(-(2.0**100), 2.0**100, width=32))


@given(st.data(), st.integers(1, 3), st.integers(1, 12), st.sampled_from([torch.float32, torch.float64]))
def test_largest_against_brute_force(data: st.DataObject, w: int, d: int, dtype: torch.dtype) -> None:
    values = data.draw(st.lists(st.lists(entries, min_size=d, max_size=d), min_size=w, max_size=w))
    k = data.draw(st.integers(1, d))
    matrix = torch.tensor(values, dtype=dtype)
    found = largest(matrix, k)
    assert found.tolist() == [by_sorting(row, k) for row in matrix.tolist()]


@pytest.mark.parametrize("k", [1, 2, 500, 999, 1000])
def test_largest_in_long_rows(k: int) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(4, 1000, dtype=torch.float64)
    matrix[1] = 0  # everything is tied
    matrix[2] = torch.randint(-2, 3, (1000,))  # five values
    assert largest(matrix, k).tolist() == [by_sorting(row, k) for row in matrix.tolist()]


def test_largest_tells_neighbouring_doubles_apart() -> None:
    row = torch.tensor([[1.0, 1.0 + 2**-52, 1.0 - 2**-53]], dtype=torch.float64)
    assert largest(row, 1).tolist() == [[1]] and largest(row, 2).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("density", "d", "k"), [(0.01, 10, 1), (0.25, 10, 2), (0.5, 3, 2), (1.0, 7, 7), (0.01, 550, 6)]
)
def test_density_becomes_a_count(density: float, d: int, k: int) -> None:
    compressed = TopK(density)(torch.arange(1.0, d + 1)[None], cohort_of(1, d).draw())
    assert compressed.ragged.counts.tolist() == [k]
    assert compressed.indices.tolist() == list(range(d - k, d))


def test_more_than_d_is_refused_when_d_is_known() -> None:
    with pytest.raises(ValueError, match=r"algorithm\.k: expected 1 <= k <= d = 3 coordinates, got 4"):
        TopK(k=4)(torch.ones(1, 3), cohort_of(1, 3).draw())
