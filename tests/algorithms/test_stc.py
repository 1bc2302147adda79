"""Sparse ternary compression: its test vector, two rounds with feedback on either side, nothing lost in a thousand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.codecs import expected_rice_bits
from algorithms.compressors import SparseTernary
from algorithms.payloads import Sparse
from algorithms.stc import stc
from tests.algorithms.by_hand import begun, cohort_of, marked, over_server, rows, settle


def ternary(*row: float, density: float) -> Sparse:
    """Compress one row as one tensor."""
    return SparseTernary(density)(rows(list(row)), cohort_of(1, len(row)).draw())


def test_published_vector() -> None:
    # k = 2: 0.9 and -1.2; mu = (1.2 + 0.9) / 2 = 1.05
    row = [0.9, -0.8, 0.5, -0.1, 0.05, -1.2, 0.3, -0.02, 0.0, 0.2]
    sent = ternary(*row, density=0.2)
    assert sent.indices.tolist() == [0, 5]
    torch.testing.assert_close(sent.floats(), torch.tensor([1.05, -1.05]))
    residual = rows(row)
    sent.subtract_from(residual)
    torch.testing.assert_close(residual[0, [0, 5]], torch.tensor([-0.15, -0.15]))
    assert sent.paper is not None and sent.paper.total.tolist() == [pytest.approx(2 * (expected_rice_bits(0.2) + 1))]


def test_zeros_are_not_sent_and_equal_magnitudes_go_by_index() -> None:
    assert ternary(0, 3, 0, -1, density=1.0).dense().tolist() == [[0, 2, 0, -2]]
    assert ternary(-1, 1, 1, 1, density=0.5).dense().tolist() == [[-1, 1, 0, 0]]
    assert ternary(0, 0, density=0.5).ragged.counts.tolist() == [0]


# lr 1, one step, k = ceil(4 / 4) = 1: gradients, sent, kept by workers, the answer, kept by the server, the model
ROUNDS = [
    # their mean (2, 0, 3, 0)
    (rows([4, -1, 0, 2], [0, 0, 6, 1]), rows([4, 0, 0, 0], [0, 0, 6, 0]), rows([0, -1, 0, 2], [0, 0, 0, 1]),
     [0, 0, 3, 0], [2, 0, 0, 0], [0, 0, -3, 0]),
    # corrected (0, -1, 0, 2) and (0, 1, 0, 1), of equal ones the first; at the server (2, 0, 0, 0) + (0, 1/2, 0, 1)
    (rows([0, 0, 0, 0], [0, 1, 0, 0]), rows([0, 0, 0, 2], [0, 1, 0, 0]), rows([0, -1, 0, 0], [0, 0, 0, 1]),
     [2, 0, 0, 0], [0, 0.5, 0, 1], [-2, 0, -3, 0]),
]  # fmt: skip


def test_two_rounds_with_feedback_on_both_sides() -> None:
    algorithm, cohort = stc(density=0.25, lr=1.0, participation=1.0), cohort_of(2, 4)
    hand = begun(algorithm, cohort, 2)
    for t, (gradients, sent, kept, answer, kept_by_server, model) in enumerate(ROUNDS, start=1):
        payload, down = over_server(hand, cohort, gradients)
        assert torch.equal(payload.dense(), sent)
        assert down.dense().tolist() == [answer]
        assert marked(hand, t).tolist() == model
        assert torch.equal(algorithm.exchange.residual.values, kept)
        assert algorithm.exchange.inner.inner.residual.tolist() == kept_by_server
    hand.ends()


def test_the_server_may_send_less_than_workers_do() -> None:
    algorithm, cohort = stc(density=0.5, density_down=0.25, lr=1.0), cohort_of(1, 4)
    mean, sent = settle(algorithm.exchange(cohort, rows([4, 2, 1, 0]), 0), cohort)
    assert sent.dense().tolist() == [[3, 3, 0, 0]] and mean.tolist() == [3, 0, 0, 0]


@pytest.mark.parametrize("participation", [1.0, 0.5])
def test_nothing_is_lost_in_a_thousand_rounds(participation: float) -> None:
    # all updates, averaged = all answers + what the server keeps + what the workers keep, averaged
    n, d = 4, 30
    cohort = cohort_of(n, d, dtype=torch.float64, participation=participation)
    exchange = stc(density=0.05).exchange
    generator = torch.Generator().manual_seed(1)
    given, answered = torch.zeros(d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    server = exchange.inner.inner
    for t in range(1000):
        cohort.begin(t)
        update = torch.randn(cohort.size, d, generator=generator, dtype=torch.float64)
        before = torch.zeros(d) if server.residual is None else server.residual
        mean, sent = settle(exchange(cohort, update, t), cohort)
        torch.testing.assert_close(sent.dense().double().mean(0), mean + server.residual - before, rtol=0, atol=1e-5)
        given += update.mean(0)
        answered += mean
    kept = exchange.residual.values.sum(0) / cohort.size
    torch.testing.assert_close(answered + server.residual + kept, given, rtol=0, atol=1e-4)


BAD: list[tuple[dict[str, Any], str]] = [
    *[({"density": bad}, f"algorithm.density: expected a share .* got {bad!r}") for bad in (0, 2, "few")],
    *[({"density_down": bad}, f"algorithm.density_down: expected a share .* got {bad!r}") for bad in (0, 2, False)],
    ({"steps": 0}, "algorithm.steps: expected .* got 0"),
    ({"participation": 0}, "algorithm.participation: expected a fraction .* got 0"),
    ({"mask_momentum": 1}, "algorithm.mask_momentum: expected true or false, got 1"),
    ({"index_code": "zip"}, "algorithm.index_code: expected one of auto, .* got 'zip'"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[str(b[0]) for b in BAD])
def test_bad_values_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stc(**options)
