"""Sketched-SGD: worked by hand, its invariants, and the paper's count of floats."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.descent import Descent
from algorithms.exchanges import AllReduceMean
from algorithms.exchanges.exempt import Exempt
from algorithms.layout import Layout
from algorithms.ops import AllReduce, AtServer, Broadcast, Gather, Gradient, Mark, Work
from algorithms.outer import OuterDescent
from algorithms.payloads import Dense, Sketch, Sparse
from algorithms.sketched_sgd import sketched_sgd
from algorithms.sketches.accounting import compression_factor, float_budget
from algorithms.synchronous import Synchronous
from algorithms.topk import topk
from algorithms.true_topk import true_topk
from tests.algorithms.by_hand import begun, cohort_of, gathered, marked, rows, settle

EXACT: dict[str, Any] = {"density": None, "columns_per_kept": None, "columns": 1 << 13, "rows": 5}  # nothing collides


def round_of(hand: Any, cohort: Cohort, gradients: Tensor) -> tuple[Any, Any, Any, Any]:
    """Play one round over a server: the two payloads up and the two down."""
    hand.meets(Gradient)
    hand.answers(gradients.clone())
    seen = []
    for _ in range(2):
        seen.append(hand.meets(Gather).payload)
        hand.answers(gathered(seen[-1], cohort))
        op = hand.meets(AtServer)
        hand.answers(op.function(op.gathered))
        seen.append(hand.meets(Broadcast).payload)
        hand.answers(seen[-1])
    return seen[0], seen[1], seen[2], seen[3]


def test_two_rounds_by_hand() -> None:
    # k = 1, P = 2, momentum 1/2, lr 1; u <- u / 2 + g; v <- v + u; u, v <- 0 where something was kept
    algorithm = sketched_sgd(k=1, candidates=2, momentum=0.5, lr=1.0, **EXACT)
    cohort = cohort_of(2, 4)
    hand = begun(algorithm, cohort, 2)
    up, marks, values, down = round_of(hand, cohort, rows([4, -6, 1, 0], [4, 2, 1, 0]))
    # mean v = 4, -2, 1, 0: candidates 0 and 1, of which 0 is kept
    assert isinstance(up, Sketch) and up.paper is not None and up.paper.total.tolist() == [32 * 5 * 2**13] * 2
    assert marks.indices.tolist() == [0, 1] and marks.paper.total.tolist() == [0]
    assert isinstance(values, Dense) and torch.equal(values.dense(), rows([4, -6], [4, 2]))
    assert values.paper is not None and values.paper.total.tolist() == [64, 64]
    assert isinstance(down, Sparse) and down.dense().tolist() == [[4, 0, 0, 0]]
    assert down.paper is not None and down.paper.total.tolist() == [32]
    assert marked(hand, 1).tolist() == [-4, 0, 0, 0]
    correction = algorithm.exchange
    assert torch.equal(correction.velocity.values, rows([0, -6, 1, 0], [0, 2, 1, 0]))
    assert torch.equal(correction.inner.residual.values, rows([0, -6, 1, 0], [0, 2, 1, 0]))
    # g = 0: u = (-3, 1/2), (1, 1/2) at 1 and 2; v = (-9, 3/2), (3, 3/2): means -3 and 3/2
    *_, down = round_of(hand, cohort, torch.zeros(2, 4))
    assert down.dense().tolist() == [[0, -3, 0, 0]]
    assert marked(hand, 2).tolist() == [-4, 3, 0, 0]
    assert torch.equal(correction.velocity.values, rows([0, 0, 0.5, 0], [0, 0, 0.5, 0]))
    assert torch.equal(correction.inner.residual.values, rows([0, 0, 1.5, 0], [0, 0, 1.5, 0]))
    hand.ends()


def test_a_kept_mean_of_zero_is_cleared_too() -> None:
    # +5 and -5 cancel; with k = d even that coordinate has been sent, and its momentum is forgotten
    algorithm = sketched_sgd(k=2, candidates=1, momentum=0.9, **EXACT)
    hand = begun(algorithm, cohort_of(2, 2), 1)
    round_of(hand, cohort_of(2, 2), rows([5, 1], [-5, 1]))
    marked(hand, 1)
    assert not algorithm.exchange.velocity.values.any() and not algorithm.exchange.inner.residual.values.any()


def trajectory(algorithm: Synchronous, cohort: Cohort, rounds: int, seed: int = 0) -> Tensor:
    """Run on a quadratic with noise, each worker with a minimum of its own; give the last model."""
    d, generator = cohort.layout.size, torch.Generator().manual_seed(seed)
    optima, scales = torch.randn(cohort.n, d, generator=generator), torch.rand(d, generator=generator) + 0.5
    algorithm.begin(torch.zeros(d))
    program = algorithm.run(cohort, rounds)
    answer: Any = None
    while True:
        try:
            op: Any = program.send(answer)
        except StopIteration:
            return algorithm.model
        match op:
            case Gradient(at=at):
                answer = scales * (at - optima) + 0.1 * torch.randn(cohort.n, d, generator=generator)
            case Gather(payload=payload):
                answer = gathered(payload, cohort)
            case AtServer(function=function, gathered=met):
                answer = function(met)
            case Broadcast(payload=payload):
                answer = payload
            case AllReduce(payload=payload):
                answer = payload.fold(list(cohort.all_chunks))  # type: ignore[attr-defined]
            case Mark() | Work():
                answer = None
            case _:
                raise AssertionError(op)


TENSORS = Layout(("w", "b", "v"), ((6, 4), (4,), (4, 3)))


def test_all_candidates_make_true_top_k_to_the_bit() -> None:
    # P k = d: the worst of sketches, 1 x 1, asks for everything
    for options in ({"density": 0.25, "uncompressed_biases": False}, {"density": 0.225}):  # 9 of 40
        sketch = {"columns_per_kept": None, "columns": 1, "rows": 1, "candidates": 4}
        ours = trajectory(sketched_sgd(lr=0.02, **sketch, **options), Cohort(3, TENSORS), 30)
        assert ours.any()
        assert torch.equal(ours, trajectory(true_topk(lr=0.02, **options), Cohort(3, TENSORS), 30))


def test_a_sketch_without_collisions_makes_true_top_k() -> None:
    ours = trajectory(sketched_sgd(k=4, candidates=1, lr=0.02, **EXACT), Cohort(3, TENSORS), 30)
    theirs = trajectory(true_topk(density=None, k=4, lr=0.02), Cohort(3, TENSORS), 30)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("via", ["server", "all_reduce"])
def test_everything_kept_is_sgd_without_momentum(via: str) -> None:
    plain = Synchronous(
        name="plain", local=sketched_sgd().local, exchange=AllReduceMean(), outer=OuterDescent(Descent(lr=0.1))
    )
    kept = sketched_sgd(density=1.0, candidates=1, uncompressed_biases=False, momentum=0.9, via=via)
    expected = trajectory(plain, Cohort(3, TENSORS), 20)
    torch.testing.assert_close(trajectory(kept, Cohort(3, TENSORS), 20), expected, rtol=0, atol=1e-6)
    # without masking it is SGD with momentum
    heavy = Synchronous(
        name="heavy", local=plain.local, exchange=AllReduceMean(), outer=OuterDescent(Descent(lr=0.1, momentum=0.9))
    )
    unmasked = sketched_sgd(density=1.0, candidates=1, uncompressed_biases=False, momentum_masking=False, via=via)
    expected = trajectory(heavy, Cohort(3, TENSORS), 20)
    torch.testing.assert_close(trajectory(unmasked, Cohort(3, TENSORS), 20), expected, rtol=0, atol=1e-5)


def test_one_worker_with_all_candidates_is_top_k_with_error_feedback() -> None:
    ours = sketched_sgd(density=None, k=5, candidates=8, momentum=0.0, uncompressed_biases=False)
    expected = trajectory(topk(density=None, k=5), Cohort(1, TENSORS), 40)
    assert torch.equal(trajectory(ours, Cohort(1, TENSORS), 40), expected)


def test_the_order_of_workers_does_not_matter() -> None:
    gradients = torch.randn(3, 40, generator=torch.Generator().manual_seed(1))
    means = []
    for order in ([0, 1, 2], [2, 0, 1]):
        hand = begun(sketched_sgd(density=None, k=4, uncompressed_biases=False), Cohort(3, TENSORS), 1)
        round_of(hand, Cohort(3, TENSORS), gradients[order])
        means.append(marked(hand, 1))
    assert means[0].count_nonzero() == 4
    torch.testing.assert_close(means[0], means[1], rtol=0, atol=1e-6)


def test_a_thousand_steps_lose_nothing() -> None:
    # mean of all gradients = all that was moved by + mean of what is kept
    cohort, generator = Cohort(4, TENSORS), torch.Generator().manual_seed(3)
    exchange = sketched_sgd(density=None, k=2, momentum=0.0).exchange
    given, moved = torch.zeros(2, 40, dtype=torch.float64)
    for t in range(1000):
        cohort.begin(t)
        gradients = torch.randn(4, 40, generator=generator)
        given += gradients.double().mean(0)
        moved += settle(exchange(cohort, gradients, t), cohort)[0].double()
    kept = exchange.residual.values.double().mean(0)
    assert kept.abs().max() > 1
    torch.testing.assert_close(moved + kept, given, rtol=0, atol=2e-3)


def test_biases_travel_exactly_and_keep_their_momentum() -> None:
    algorithm = sketched_sgd(k=1, candidates=1, momentum=0.5, lr=1.0, **EXACT)
    cohort = Cohort(1, Layout(("w", "b"), ((2, 1), (2,))))
    hand = begun(algorithm, cohort, 1)
    up, marks, values, down = round_of(hand, cohort, rows([3, 1, 0.25, 0.125]))
    assert up.size == 2 and marks.indices.tolist() == [0]
    assert values.dense().tolist() == [[3, 0.25, 0.125]] and values.paper.total.tolist() == [96]
    assert down.indices.tolist() == [0, 2, 3] and down.paper.total.tolist() == [96]
    assert marked(hand, 1).tolist() == [-3, 0, -0.25, -0.125]
    assert algorithm.exchange.velocity.values.tolist() == [[0, 1, 0.25, 0.125]]
    assert algorithm.exchange.inner.residual.values.tolist() == [[0, 1, 0, 0]]


def test_small_tensors_may_be_exempt_too() -> None:
    exact = Exempt(biases=False, below=5).split(TENSORS, torch.device("cpu")).exact
    assert exact.tolist() == [False] * 24 + [True] * 4 + [False] * 12
    assert not Exempt(biases=True).split(Layout.flat(5), torch.device("cpu")).count  # a model of vectors alone
    with pytest.raises(ValueError, match=r"algorithm\.uncompressed_below: expected a tensor .* got 99"):
        Exempt(below=99).split(TENSORS, torch.device("cpu"))


def test_over_a_server_four_payloads_over_all_reduce_two() -> None:
    hand = begun(sketched_sgd(density=None, k=3, via="all_reduce"), Cohort(2, TENSORS), 1)
    hand.meets(Gradient)
    hand.answers(torch.randn(2, 40, generator=torch.Generator().manual_seed(1)))
    for kind in (Sketch, Dense):
        payload = hand.meets(AllReduce).payload
        assert isinstance(payload, kind)
        hand.answers(payload.fold([slice(0, 2)]))
    assert marked(hand, 1).count_nonzero() == 7  # 3 and 4 biases


@pytest.mark.parametrize(("k", "columns", "factor"), [(50_000, 500_000, 4.78), (5_000, 50_000, 47.8)])
def test_the_papers_factor_is_what_is_counted(k: int, columns: int, factor: float) -> None:
    d, cohort = 6_573_120, cohort_of(1, 6_573_120)
    assert round(compression_factor(d, 5 * columns, 4 * k, k), 2 if factor < 10 else 1) == factor
    hand = begun(sketched_sgd(density=None, k=k, momentum=0.0), cohort, 1)
    seen = round_of(hand, cohort, torch.randn(1, d, generator=torch.Generator().manual_seed(1)))
    floats = sum(int(payload.paper.total[0]) for payload in seen) / 32
    assert floats == 5 * columns + 4 * k + k and round(2 * d / floats, 2 if factor < 10 else 1) == factor
    # on the wire the indices cost too: 4 k of them and k again, each at least log2(d / (4 k)) and log2(d / k) bits
    wire = 8 * sum(int(payload.bytes[0]) for payload in seen)
    least = 32 * floats + 4 * k * torch.log2(torch.tensor(d / (4 * k))) + k * torch.log2(torch.tensor(d / k))
    assert least < wire < 1.15 * 32 * floats


def test_seventeen_times_is_a_budget_of_773308_floats() -> None:
    assert float_budget(6_573_120, 17) == 773_308  # 13,146,240 / 17 = 773,308.2
    assert (float_budget(90_000_000, 20), float_budget(90_000_000, 40)) == (9_000_000, 4_500_000)
