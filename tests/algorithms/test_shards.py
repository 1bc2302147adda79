"""Shards: how a vector and a message are cut, what a worker sees of one, and what a short history loses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.compressors import Dropping
from algorithms.descent import Descent
from algorithms.layout import Layout
from algorithms.outer import OuterDescent
from algorithms.payloads import Dense, Signs
from algorithms.shards import Exact, Recent, Shard, cut, ranges, within
from tests.algorithms.by_hand import cohort_of, rows


@pytest.mark.parametrize(
    ("d", "shards", "sizes"), [(10, 4, [3, 3, 3, 1]), (5, 4, [2, 2, 1]), (8, 1, [8]), (2, 9, [1, 1])]
)
def test_parts_of_one_size(d: int, shards: int, sizes: list[int]) -> None:
    found = ranges(d, shards)
    assert [part.stop - part.start for part in found] == sizes
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(d))


def test_a_part_of_a_layout() -> None:
    layout = Layout(("a", "b", "c"), ((2, 2), (3,), (2,)))
    assert within(layout, slice(3, 8)) == Layout(("a", "b", "c"), ((1,), (3,), (1,)))
    assert within(layout, slice(4, 6)) == Layout(("b",), ((2,),))


@pytest.mark.parametrize("options", [{"drop": 0.0}, {}, {"bits": 1}, {"bits": 2, "centre": "mean"}])
def test_pieces_are_the_message(options: dict[str, Any]) -> None:
    row = torch.randn(1, 23, generator=torch.Generator().manual_seed(2))
    row[0, 6:12] = 0  # a shard that gets nothing
    message = Dropping(**{"drop": 0.5, **options})(row, cohort_of(1, 23).draw())
    pieces = cut(message, ranges(23, 4))
    assert [piece.size for piece in pieces] == [6, 6, 6, 5]
    assert torch.equal(torch.cat([piece.dense() for piece in pieces], dim=1), message.dense())
    counted = [piece.paper for piece in pieces]
    values = sum(int(paper.values[0] + paper.indices[0]) for paper in counted if paper is not None)
    assert message.paper is not None and values == int(message.paper.values[0] + message.paper.indices[0])


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="message: expected Dense or Sparse, got Signs"):
        cut(Signs.of(torch.ones(1, 4)), ranges(4, 2))


def shard(model: torch.Tensor, drop: float, exact: bool, length: int = 3, **options: Any) -> Shard:
    history = Exact(model) if exact else Recent(model, length)
    outer = OuterDescent(Descent(**{"lr": 0.1, **options}))
    return Shard(model, Layout.flat(len(model)), outer, Dropping(drop), history)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_copy_and_what_was_kept_are_the_version_sent_last(momentum: float) -> None:
    # x_worker + kept_worker = x_shard as of the worker's last pull, after a thousand pushes in a random order
    generator = torch.Generator().manual_seed(1)
    model = torch.randn(40, dtype=torch.float64, generator=generator)
    copies = [model.clone() for _ in range(4)]
    seen = [model.clone() for _ in range(4)]
    served = shard(model, 0.9, exact=True, momentum=momentum)
    dropping, one, four = Dropping(0.9), cohort_of(1, 40), cohort_of(4, 40)
    for _ in range(1000):
        worker = int(torch.randint(4, (1,), generator=generator))
        push = dropping(torch.randn(1, 40, dtype=torch.float64, generator=generator), one.draw())
        served.apply(push, 0, 1)
        served.difference(worker, four).add_to(copies[worker])
        seen[worker] = model.clone()
    for worker in range(4):
        torch.testing.assert_close(copies[worker] + served.kept[worker], seen[worker], rtol=0, atol=1e-9)
    assert served.version == 1000 and not torch.equal(copies[0], copies[1])


def test_a_worker_that_lags_loses_what_is_no_longer_there() -> None:
    # versions 0, -1, -3, -6 by pushes of 1, 2, 3 at rate 1; H = 3 keeps -1, -3, -6 of them
    for exact, answer in ((False, -5.0), (True, -6.0)):
        model = torch.zeros(2)
        served = shard(model, 0.5, exact, lr=1.0)
        for push in (1.0, 2.0, 3.0):
            served.apply(Dense(rows([push, 0.0])), 0, 1)
        assert served.difference(0, cohort_of(1, 2)).dense().tolist() == [[answer, 0.0]]
        served.apply(Dense(rows([0.0, 4.0])), 0, 1)  # -6, -4: one version behind, nothing is lost
        assert served.difference(0, cohort_of(1, 2)).dense().tolist() == [[0.0, -4.0]]


def test_all_of_a_shard_forgets_what_was_kept() -> None:
    model = torch.zeros(3)
    served = shard(model, 0.7, exact=False, lr=1.0)
    served.apply(Dense(rows([3.0, 2.0, 1.0])), 0, 1)
    assert served.difference(0, cohort_of(1, 3)).dense().tolist() == [[-3.0, 0.0, 0.0]]  # T = 2
    assert served.kept[0].tolist() == [0.0, -2.0, -1.0]
    assert served.everything(0).dense().tolist() == [[-3.0, -2.0, -1.0]] and 0 not in served.kept
    assert served.seen[0] == 1
