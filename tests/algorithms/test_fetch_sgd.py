"""FetchSGD: Su <- rho Su + mean S; Se <- Se + rate Su; D = top-k of Se; what D touches leaves Se and Su."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.fetch_sgd import fetch_sgd
from algorithms.layout import Layout
from algorithms.ops import AllReduce, AtServer, Gather, Gradient, Scatter
from algorithms.payloads import Sketch, Sparse
from algorithms.schedules import Step
from algorithms.sketches import CountSketch
from tests.algorithms.by_hand import Hand, begun, cohort_of, gathered, marked, over_server, rows, settle

EXACT: dict[str, Any] = {"density": None, "columns_per_kept": None, "columns": 1 << 13, "rows": 5}  # nothing collides
LOSSY: dict[str, Any] = {"density": None, "columns_per_kept": None, "columns": 7, "rows": 3, "hash_seed": 9}


def test_two_rounds_by_hand() -> None:
    algorithm = fetch_sgd(k=1, momentum=0.5, lr=0.5, **EXACT)
    hand = begun(algorithm, cohort_of(2, 3), 2)
    up, down = over_server(hand, cohort_of(2, 3), rows([4, -6, 1], [4, 2, 1]))
    # Su = Se = (4, -2, 1), D = 4 at 0; the rate is outside
    assert isinstance(up, Sketch) and up.paper is not None and up.paper.total.tolist() == [32 * 5 * 2**13] * 2
    assert isinstance(down, Sparse) and down.paper is not None and down.paper.total.tolist() == [32]
    assert down.dense().tolist() == [[4, 0, 0]] and marked(hand, 1).tolist() == [-2, 0, 0]
    # g = 0: Su = (0, -1, 1/2), Se = (0, -3, 3/2): coordinate 0 was forgotten by both
    _, down = over_server(hand, cohort_of(2, 3), torch.zeros(2, 3))
    assert down.dense().tolist() == [[0, -3, 0]] and marked(hand, 2).tolist() == [-2, 1.5, 0]
    hand.ends()


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"momentum_masking": False}, [[4, 0, 0], [0, -3, 0]]),  # Su = (2, -1, 1/2), Se = (2, -3, 3/2)
        ({"error": "subtract"}, [[4, 0, 0], [0, -3, 0]]),  # as with zero, since nothing collides
        ({"error": "none"}, [[4, 0, 0], [0, -1, 0]]),  # Se = Su = (0, -1, 1/2)
        ({"error": "none", "momentum_masking": False}, [[4, 0, 0], [2, 0, 0]]),
    ],
)
def test_what_is_remembered(options: dict[str, Any], sent: list[list[float]]) -> None:
    hand = begun(fetch_sgd(k=1, momentum=0.5, **EXACT, **options), cohort_of(2, 3), 2)
    _, first = over_server(hand, cohort_of(2, 3), rows([4, -6, 1], [4, 2, 1]))
    marked(hand, 1)
    _, second = over_server(hand, cohort_of(2, 3), torch.zeros(2, 3))
    assert [first.dense()[0].tolist(), second.dense()[0].tolist()] == sent


@pytest.mark.parametrize(("inside", "model"), [(True, [-4, 3, 0]), (False, [-4, 2, 0])])
def test_the_rate_inside_is_that_of_the_round_in_which_momentum_joined(inside: bool, model: list[float]) -> None:
    # rates 1 and 1/2, rho = 0. Round 1: D = 4 at 0, Se = -2 at 1. Round 2, inside: Se = -2 + 1/2 (-2), moved by whole;
    # outside: Se = -2 - 2, moved by half
    schedule = Step(milestones=[0.5], gamma=0.5)
    hand = begun(fetch_sgd(k=1, momentum=0.0, lr=1.0, lr_inside=inside, schedule=schedule, **EXACT), cohort_of(1, 3), 2)
    over_server(hand, cohort_of(1, 3), rows([4, -2, 0]))
    marked(hand, 1)
    over_server(hand, cohort_of(1, 3), rows([0, -2, 0]))
    assert marked(hand, 2).tolist() == model


def memory_after(algorithm: Any, updates: Tensor, rounds: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Run the exchange alone: (D, Su, Se) after each round."""
    cohort, found = cohort_of(*updates.shape), []
    for t in range(rounds):
        cohort.begin(t)
        mean, _ = settle(algorithm.exchange(cohort, updates, t), cohort)
        found.append((mean, algorithm.exchange.momentum, algorithm.exchange.error))
    return found


def test_subtraction_conserves_in_sketch_space() -> None:
    # Se' + S(D) = Se + Su, with collisions galore
    updates = torch.randn(2, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    sketch = CountSketch(30, 3, 7, 9)
    algorithm = fetch_sgd(k=2, momentum=0.5, error="subtract", momentum_masking=False, **LOSSY)
    before, expected = torch.zeros(3, 7, dtype=torch.float64), torch.zeros(3, 7, dtype=torch.float64)
    for mean, momentum, error in memory_after(algorithm, updates, 5):
        expected = 0.5 * expected + sketch.insert(updates.mean(0)[None])[0]
        torch.testing.assert_close(momentum, expected)
        torch.testing.assert_close(error + sketch.insert(mean[None])[0], before + momentum)
        before = error


def test_zeroing_empties_the_hit_buckets_and_no_others() -> None:
    updates = torch.randn(2, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (mean, momentum, error), *_ = memory_after(fetch_sgd(k=2, **LOSSY), updates, 1)
    sketch = CountSketch(30, 3, 7, 9)
    hit = sketch.touched(mean.nonzero().view(-1))
    assert hit.sum(1).tolist() in ([2, 2, 2], [2, 2, 1], [2, 1, 2], [1, 2, 2])
    table = sketch.insert(updates.mean(0)[None])[0]
    for memory in (momentum, error):
        assert not memory[hit].any()
        torch.testing.assert_close(memory[~hit], table[~hit])


def test_everything_kept_without_collisions_is_sgd() -> None:
    hand = begun(fetch_sgd(k=3, momentum=0.9, lr=1.0, weight_decay=0.5, **EXACT), cohort_of(2, 3), 2)
    over_server(hand, cohort_of(2, 3), rows([1, 2, 0], [3, -4, 2]))
    assert marked(hand, 1).tolist() == [-2, 1, -1]
    over_server(hand, cohort_of(2, 3), rows([1, 0, 0], [1, 0, 0]))  # and half of the model is added
    assert marked(hand, 2).tolist() == [-2, 0.5, -0.5]


def test_over_all_reduce_only_sketches_travel() -> None:
    gradients = torch.randn(3, 30, generator=torch.Generator().manual_seed(2))
    there = begun(fetch_sgd(k=2, lr=1.0, via="all_reduce", **LOSSY), cohort_of(3, 30), 1)
    there.meets(Gradient)
    there.answers(gradients.clone())
    payload = there.meets(AllReduce).payload
    there.answers(payload.fold([slice(0, 3)]))
    here = begun(fetch_sgd(k=2, lr=1.0, **LOSSY), cohort_of(3, 30), 1)
    over_server(here, cohort_of(3, 30), gradients)
    torch.testing.assert_close(marked(there, 1), marked(here, 1))
    there.ends()


def test_sampled_workers_download_what_they_missed() -> None:
    cohort = Cohort(4, Layout.flat(300), participation=0.25, seed=3)
    algorithm = fetch_sgd(k=2, participation=0.25, **LOSSY)
    algorithm.begin(torch.zeros(300))
    hand, seen, costs = Hand(algorithm.run(cohort, 12)), {}, {}
    for t in range(12):
        bundle, (worker,) = hand.meets(Scatter).payload, cohort.active.tolist()
        costs[t] = int(bundle.bytes[0]), bundle.paper.total.tolist(), seen.get(worker)
        seen[worker] = t
        hand.meets(Gradient)
        hand.answers(torch.randn(1, 300, generator=torch.Generator().manual_seed(t)))
        hand.answers(gathered(hand.meets(Gather).payload, cohort))
        op = hand.meets(AtServer)
        hand.answers(op.function(op.gathered))
        marked(hand, t + 1)  # nothing is broadcast
    hand.ends()
    assert len(seen) > 1
    for t, (size, paper, last) in costs.items():
        if last is None:
            assert size > 1200 and paper == [32 * 300]  # the model
        else:
            assert size < 400 and paper == [32 * 2 * (t - last)]  # k for each round missed


BAD = [
    ({"rows": 2}, r"algorithm\.rows: expected an odd number, .* got 2"),
    ({"error": "virtual"}, r"algorithm\.error: expected one of zero, subtract, none, got 'virtual'"),
    ({"momentum": -0.1}, r"algorithm\.momentum: expected a number in \[0, 1\), got -0\.1"),
    ({"momentum_masking": 1}, r"algorithm\.momentum_masking: expected true or false, got 1"),
    ({"lr_inside": "no"}, r"algorithm\.lr_inside: expected true or false, got 'no'"),
    ({"via": "ring"}, r"algorithm\.via: expected one of server, all_reduce, got 'ring'"),
    ({"k": 3}, r"algorithm\.density, algorithm\.k: expected exactly one of the two"),
    ({"participation": 0.0}, r"algorithm\.participation: expected a fraction in \(0, 1\], got 0\.0"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fetch_sgd(**options)
