"""Options of Sketched-SGD and true top-k: HEAVYMIX, no second round, narrow numbers, unequal workers, bad input."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.compressors import Identity
from algorithms.exchanges.elections import heavymix, keep_largest
from algorithms.exchanges.exempt import Exempt, Split
from algorithms.exchanges.momentum_correction import MomentumCorrection
from algorithms.exchanges.server import ServerMean
from algorithms.ops import AtServer, Broadcast, Gather, Gradient
from algorithms.payloads import Dense, Sketch, Sparse
from algorithms.sketched_sgd import sketched_sgd
from algorithms.streams import Stream
from algorithms.true_topk import true_topk
from tests.algorithms.by_hand import begun, cohort_of, gathered, marked, over_server, rows, settle

EXACT: dict[str, Any] = {"density": None, "columns_per_kept": None, "columns": 1 << 13, "rows": 5}  # nothing collides


def exchanged(algorithm: Any, updates: Tensor, **options: Any) -> tuple[Tensor, Any]:
    """Run the exchange once: the mean and what was sent."""
    cohort = cohort_of(*updates.shape, **options)
    mean, sent = settle(algorithm.exchange(cohort, updates.clone(), 0), cohort)
    return mean, sent


def test_true_top_k_by_hand() -> None:
    hand = begun(true_topk(density=None, k=1, momentum=0.0, lr=1.0), cohort_of(2, 3), 1)
    up, down = over_server(hand, cohort_of(2, 3), rows([9, 2, 0], [-9, 3, 1]))
    assert isinstance(up, Dense) and up.paper is not None and up.paper.total.tolist() == [96, 96]
    assert down.dense().tolist() == [[0, 2.5, 0]] and down.paper is not None and down.paper.total.tolist() == [32]
    assert marked(hand, 1).tolist() == [0, -2.5, 0]


def test_heavymix_takes_the_heavy_and_fills_up_at_random() -> None:
    # l**2 = 101 + small, k = 4: heavy from estimate**2 >= 25.25 on, which is coordinate 3 alone
    estimates = torch.full((50,), 1e-3)
    estimates[3], estimates[7] = -10.0, 1.0
    norm = estimates.norm()
    chosen = [heavymix(estimates, norm, 4, Stream(seed)).tolist() for seed in range(40)]
    assert all(3 in some and some == sorted(set(some)) and len(some) == 4 for some in chosen)
    assert heavymix(estimates, norm, 4, Stream(1)).tolist() == heavymix(estimates, norm, 4, Stream(1)).tolist()
    counts = torch.bincount(torch.tensor(chosen).view(-1), minlength=50)
    assert counts[7] < 12 and int((counts > 0).sum()) > 35  # 40 * 3 / 49 = 2.4 expected of each but 3
    # of more than k heavy ones (the norm is an estimate too) the largest
    assert heavymix(torch.tensor([3.0, -5.0, 4.0]), torch.tensor(1.0), 2, Stream(1)).tolist() == [1, 2]


def test_algorithm_2_subtracts_the_mean_from_every_error() -> None:
    # lr 1/2 inside: updates 2, 1 and 0, -3; k = d = 2, means 1 and -1 leave 1, 2 and -1, -2
    theory = {"election": "heavymix", "candidates": 1, "momentum": 0.0, "subtract_mean": True, "lr_inside": True}
    algorithm = sketched_sgd(k=2, lr=0.5, **theory, **EXACT)
    hand = begun(algorithm, cohort_of(2, 2), 1)
    hand.meets(Gradient)
    hand.answers(rows([4, 2], [0, -6]))
    for _ in range(2):
        hand.answers(gathered(hand.meets(Gather).payload, cohort_of(2, 2)))
        op = hand.meets(AtServer)
        hand.answers(op.function(op.gathered))
        hand.answers(hand.meets(Broadcast).payload)
    assert marked(hand, 1).tolist() == [-1, 1]
    assert torch.equal(algorithm.exchange.residual.values, rows([1, 2], [-1, -2]))


def test_without_a_second_round_estimates_are_moved_by() -> None:
    algorithm = sketched_sgd(k=1, candidates=0, momentum=0.0, **EXACT)
    assert algorithm.exchange.conserves == "none"
    mean, sent = exchanged(algorithm, rows([1, 5, 0], [1, 3, 0]))
    assert mean.tolist() == [0, 4, 0]  # nothing collides: the estimate is right
    assert torch.equal(sent.dense(), rows([0, 5, 0], [0, 3, 0]))
    rough = sketched_sgd(density=None, columns_per_kept=None, columns=1, rows=1, k=1, candidates=0, momentum=0.0)
    mean, sent = exchanged(rough, rows([1, 5, 0], [1, 3, 0]))
    assert mean.abs().max() in (3, 5)  # one bucket holds +-1 +-4, whoever is chosen
    assert sent.ragged.counts.tolist() == [1, 1]


def test_truncated_rows_show_their_largest_coordinates_only() -> None:
    # the sum is largest at 1, which is nowhere a worker's own largest and so is never sketched
    updates = rows([4, 3, 0, 0], [0, 3, 4, 0])
    means = [
        exchanged(sketched_sgd(k=1, candidates=1, truncation=truncation, momentum=0.0, **EXACT), updates)[0].tolist()
        for truncation in (None, 1, 2, 9)
    ]
    assert means == [[0, 3, 0, 0], [2, 0, 0, 0], [0, 3, 0, 0], [0, 3, 0, 0]]


def test_narrow_numbers_leave_their_rounding_in_the_error() -> None:
    algorithm = sketched_sgd(k=1, candidates=1, momentum=0.0, kind="fp16", **EXACT)
    mean, _ = exchanged(algorithm, rows([1 + 2**-12, 0], [3.0, 0]))
    assert mean.tolist() == [2.0, 0]
    assert torch.equal(algorithm.exchange.residual.values, rows([2**-12, 0], [0, 0]))


@pytest.mark.parametrize("build", [sketched_sgd, true_topk])
@pytest.mark.parametrize("via", ["server", "all_reduce"])
def test_unequal_workers_weigh_by_their_shares(build: Any, via: str) -> None:
    updates = torch.randn(3, 20, generator=torch.Generator().manual_seed(1))
    shares = torch.tensor([0.7, 0.2, 0.1])
    mean, sent = exchanged(build(density=None, k=5, momentum=0.0, via=via), updates, shares=shares, chunk=2)
    assert mean.count_nonzero() == 5
    torch.testing.assert_close(mean, shares @ sent.dense(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(mean[mean != 0], (shares @ updates)[mean != 0], rtol=1e-5, atol=1e-6)


def test_hashes_come_from_the_seed_alone_and_last() -> None:
    def sketch_of(t: int, seed: int, **options: Any) -> Any:
        cohort = cohort_of(2, 30, seed=seed)
        cohort.begin(t)
        payload = sketched_sgd(**options).exchange.inner(cohort, torch.ones(2, 30), t)
        while not isinstance(op := payload.send(None), Gather):
            pass
        assert isinstance(op.payload, Sketch)
        return op.payload.sketch

    assert sketch_of(0, 1) == sketch_of(5, 1) != sketch_of(0, 2)
    assert sketch_of(0, 1, hash_seed=42) == sketch_of(5, 2, hash_seed=42)
    assert sketch_of(0, 1, hash_seed=42).seed == 42


def test_keeping_none_keeps_what_is_exact() -> None:
    split = Split(torch.tensor([False, True, False]))
    kept = keep_largest(torch.tensor([9.0, 1.0]), torch.tensor([0, 1]), split, 0)
    assert isinstance(kept, Sparse) and kept.dense().tolist() == [[0, 1, 0]]


BAD = [
    ({"rows": 4}, r"algorithm\.rows: expected an odd number, .* Count Sketch, got 4"),
    ({"columns": 0, "columns_per_kept": None}, r"algorithm\.columns: expected a whole number, at least 1, got 0"),
    ({"columns": 5}, r"algorithm\.columns, algorithm\.columns_per_kept: expected exactly one, got 5 and 10\.0"),
    ({"columns_per_kept": None}, r"expected exactly one, got None and None"),
    ({"columns_per_kept": -1}, r"algorithm\.columns_per_kept: expected c / k, a positive number, got -1"),
    ({"candidates": -1}, r"algorithm\.candidates: expected a whole number, at least 0, got -1"),
    ({"candidates": 1.5}, r"algorithm\.candidates: expected a whole number"),
    ({"truncation": 0}, r"algorithm\.truncation: expected a whole number, at least 1, got 0"),
    ({"election": "vote"}, r"algorithm\.election: expected one of largest, heavymix, got 'vote'"),
    ({"election": "heavymix"}, r"algorithm\.candidates: expected 1 with algorithm\.election=heavymix.* got 4"),
    ({"hash_seed": -1}, r"algorithm\.hash_seed: expected a whole number, at least 0, got -1"),
    ({"kind": "int8"}, r"algorithm\.kind: expected one of .* got 'int8'"),
    ({"via": "mail"}, r"algorithm\.via: expected one of server, all_reduce, got 'mail'"),
    ({"momentum": 1.0}, r"algorithm\.momentum: expected a number in \[0, 1\), got 1\.0"),
    ({"momentum_masking": "yes"}, r"algorithm\.momentum_masking: expected true or false"),
    ({"subtract_mean": 1}, r"algorithm\.subtract_mean: expected true or false"),
    ({"lr_inside": None}, r"algorithm\.lr_inside: expected true or false"),
    ({"uncompressed_biases": 2}, r"algorithm\.uncompressed_biases: expected true or false"),
    ({"uncompressed_below": -3}, r"algorithm\.uncompressed_below: expected a whole number, at least 0, got -3"),
    ({"density": 0.0}, r"algorithm\.density: expected a fraction"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sketched_sgd(**options)


def test_more_candidates_than_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"candidates: expected P k <= d = 10 .*P = 4 and k = 3, P k = 12"):
        exchanged(sketched_sgd(density=None, k=3), torch.ones(1, 10))
    with pytest.raises(ValueError, match=r"algorithm\.k: expected 1 <= k <= d = 10"):
        exchanged(true_topk(density=None, k=11), torch.ones(1, 10))


def test_masking_needs_to_know_what_was_sent() -> None:
    corrected = MomentumCorrection(ServerMean(Identity()), 0.9, True, Exempt())
    cohort = cohort_of(1, 3)
    with pytest.raises(TypeError, match="momentum_masking: expected an exchange of sparse rows, got Dense"):
        settle(corrected(cohort, torch.ones(1, 3), 0), cohort)


@pytest.mark.parametrize("exact", [[0, 0, 0], [1, 1, 0], [0, 1, 0, 0, 1, 1, 0, 1], [1, 0, 1]])
def test_what_lies_between_exempt_tensors_is_taken_as_by_index(exact: list[int]) -> None:
    split, rows = Split(torch.tensor(exact, dtype=torch.bool)), torch.randn(3, len(exact))
    assert torch.equal(split.compressed_of(rows), rows[:, split.compressed])
