"""What a client that was away downloads: replicas that see nothing else hold the server's model in every round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.download import MissedUpdates
from algorithms.ops import AtServer, Gather, Gradient, Mark, Scatter, Work
from algorithms.payloads import Bits, Bundle, Dense, Payload, Sparse
from algorithms.stc import stc
from tests.algorithms.by_hand import cohort_of, gathered


def downloads(cohort: Cohort, rounds: int, **options: Any) -> Iterator[tuple[int, list[int], Bundle, Tensor]]:
    """Run STC on noise, and give each round, its active workers, what they download, and the server's model."""
    algorithm, generator = stc(**options), torch.Generator().manual_seed(2)
    algorithm.begin(torch.randn(cohort.layout.size, generator=generator))
    program, answer, t = algorithm.run(cohort, rounds), None, 0
    while t < rounds:
        match program.send(answer):
            case Scatter(payload=payload):
                assert isinstance(payload, Bundle)
                yield t, cohort.active.tolist(), payload, algorithm.model.clone()
                answer = payload
            case Gradient(at=at):
                answer = torch.randn(at.shape[:-1] + (cohort.layout.size,), generator=generator)
            case Gather(payload=payload):
                answer = gathered(payload, cohort)
            case AtServer(function=function, gathered=met):
                answer = function(met)
            case Mark(label=t):
                answer = None
            case Work():
                answer = None


def test_replicas_follow_the_server() -> None:
    n, d = 10, 80
    replicas: dict[int, Tensor] = {}
    met: dict[int, int] = {}
    kinds = set()
    for t, active, bundle, model in downloads(cohort_of(n, d, participation=0.3, seed=5), 60, density=0.1, lr=0.5):
        vectors = bundle.dense()
        for worker, vector, messages in zip(active, vectors, bundle.messages, strict=True):
            whole = isinstance(messages[0], Dense)
            replicas[worker] = vector.clone() if whole else replicas[worker] - vector
            torch.testing.assert_close(replicas[worker], model, rtol=0, atol=1e-5)
            if len(messages) > 1:
                assert len(messages) == t - met[worker]  # exactly the updates that it missed
            met[worker] = t
            kinds.add((type(messages[0]).__name__, len(messages)))
        assert bundle.bytes.max() <= 4 * d + 32  # never more than the model and two headers
    assert len(replicas) == n and {("Dense", 1), ("Concat", 1), ("Concat", 2)} <= kinds


def update(d: int, k: int, at: int, bits: float) -> Payload:
    """k ones from coordinate `at` on, for which the paper counts `bits`."""
    return Sparse.rows_of(d, torch.arange(at, at + k)[None], torch.ones(1, k), paper=Bits.of(1, values=bits))


def test_the_shortest_message_is_sent_and_the_papers_bound_counted() -> None:
    d, model = 1000, torch.zeros(1000)
    missed = MissedUpdates()
    for _ in range(3):  # the same coordinates: the sum is shorter than three messages
        missed.add(update(d, 100, 0, 5000.0), 4 * d)
    bundle = missed.bundle([1, 3, None, 2], model)
    assert [len(row) for row in bundle.messages] == [1, 1, 1, 1]
    assert bundle.dense()[:, 0].tolist() == [1, 3, 0, 2] and type(bundle.messages[2][0]) is Dense
    assert bundle.paper is not None and bundle.paper.total.tolist() == [5000, 15000, 32000, 10000]
    apart = MissedUpdates()
    for at in (0, 333, 666):  # other coordinates each time: a sum would save a header and no more
        apart.add(update(d, 300, at, 12000.0), 4 * d)
    assert apart.bundle([3], model).paper.total.tolist() == [32000]  # type: ignore[union-attr]


def test_updates_that_take_more_than_the_model_are_forgotten() -> None:
    d, missed = 100, MissedUpdates()
    for _ in range(50):
        missed.add(update(d, 20, 0, 100.0), 4 * d)
    assert len(missed.updates) == 5  # 12 + 80 + 2 bytes each, so five of them take more than 400
    (row,) = missed.bundle([30], torch.full((d,), 7.0)).messages
    assert row[0].dense().tolist() == [[7.0] * d]


def test_what_is_remembered_survives_a_checkpoint() -> None:
    missed, again = MissedUpdates(), MissedUpdates()
    for at in range(3):
        missed.add(update(50, 4, at, 10.0 + at), 200)
    missed.seen = torch.tensor([0, 2, -1])
    again.load(missed.state())
    one, two = (held.bundle([1, 2, 3, None], torch.ones(50)) for held in (missed, again))
    assert one.equals(two) and again.seen is not None and again.seen.tolist() == [0, 2, -1]
    assert one.paper is not None and two.paper is not None
    assert one.paper.total.tolist() == two.paper.total.tolist() == [12, 23, 33, 1600]
    held = sum(int(kept.bytes[0]) for kept in missed.updates)
    assert missed.footprint() == again.footprint() == (0, 3 + held // 4)


def test_an_update_without_a_formula_has_none_in_the_bundle() -> None:
    missed = MissedUpdates()
    missed.add(Dense(torch.ones(1, 8)), 32)
    paper = missed.bundle([1], torch.zeros(8)).paper
    assert paper is not None and paper.total.tolist() != paper.total.tolist()  # not a number


@pytest.mark.parametrize("message", [Dense(torch.ones(2, 3)), Dense(torch.ones(1, 4))])
def test_a_bundle_holds_single_rows_of_its_size(message: Payload) -> None:
    with pytest.raises(ValueError, match=r"Bundle\.messages: expected 1 row of 3 coordinates each, got"):
        Bundle(3, ((message,),))
