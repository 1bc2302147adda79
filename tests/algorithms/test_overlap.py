"""Buckets, pieces and the delayed step by hand: who exchanges what when, and what the model becomes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from algorithms.cohort import Cohort
from algorithms.compressors import QSGD, Identity, Piecewise, TopK
from algorithms.exchanges import AllReduceMean, Bucketed, ErrorFeedback, ServerMean
from algorithms.exchanges.bucketed import buckets
from algorithms.layout import Layout
from algorithms.ops import Fork, Gradient, Handle, Join, Work
from algorithms.overlap import Overlap
from algorithms.sgd import sgd_allreduce
from algorithms.topk import topk
from tests.algorithms.by_hand import Hand, begun, cohort_of, marked, rows, settle

# tensors of 100, 28, 70 and 3 coordinates that begin at 0, 100, 128 and 198; the last is ready first
LAYOUT = Layout(("a", "b", "c", "d"), ((10, 10), (28,), (70,), (3,)), (1.0, 0.75, 0.5, 0.375))


@pytest.mark.parametrize(
    ("bucket_bytes", "first_bytes", "expected"),
    [
        # 4 bytes a coordinate; d begins at 198 and the next multiple of 64 is 256, so it joins c: 128..201, 292 bytes;
        # b begins at 100, so at 128, and joins a
        (4, 4, [(128, 201, 0.5), (0, 128, 1.0)]),
        (4, 293, [(0, 201, 1.0)]),
        (4, 292, [(128, 201, 0.5), (0, 128, 1.0)]),
        (1e9, 4, [(128, 201, 0.5), (0, 128, 1.0)]),
    ],
)
def test_buckets_are_filled_from_the_last_tensor(
    bucket_bytes: float, first_bytes: float, expected: list[tuple[int, int, float]]
) -> None:
    found = buckets(LAYOUT, bucket_bytes, first_bytes, 4)
    assert [(b.columns.start, b.columns.stop, b.ready) for b in found] == expected


def test_what_is_cut_off_a_tensor_waits_for_the_one_before() -> None:
    # b begins at 70, so its bucket at 128: its coordinates 70..128 join a's bucket, which is ready later anyway
    layout = Layout(("a", "b"), ((70,), (130,)), (1.0, 0.5))
    found = buckets(layout, 1, 1, 4)
    assert [(b.columns.start, b.columns.stop, b.ready) for b in found] == [(128, 200, 0.5), (0, 128, 1.0)]


def test_every_coordinate_is_in_one_bucket() -> None:
    for seed in range(50):
        sizes = torch.randint(1, 300, (7,), generator=torch.Generator().manual_seed(seed)).tolist()
        layout = Layout(tuple("abcdefg"), tuple((size,) for size in sizes))
        found = buckets(layout, 100 * seed + 1, 50, 8)
        edges = [bucket.columns.stop for bucket in found] + [found[-1].columns.start]
        assert edges[0] == layout.size and edges[-1] == 0 and edges == sorted(edges, reverse=True)
        assert all(bucket.columns.start == edge for bucket, edge in zip(found, edges[1:], strict=True))
        assert all(bucket.ready == 1.0 for bucket in found)


def test_each_bucket_is_forked_when_its_last_tensor_is_ready() -> None:
    exchange = Bucketed(AllReduceMean, 16, 8)
    hand = Hand(exchange(Cohort(1, LAYOUT), torch.zeros(1, 201), 7))
    for name, ready, size in (("7.0", 0.5, 73), ("7.1", 1.0, 128)):
        fork = hand.meets(Fork)
        assert (fork.name, fork.ready) == (name, ready)
        inner = Hand(fork.branch)
        assert inner.meets(Work).size_bytes == 0
        inner.program.close()
        hand.answers(Handle(name, (torch.full((size,), float(size)), None)))
    for name in ("7.0", "7.1"):
        handle = hand.meets(Join).handle
        assert handle.name == name
        hand.answers(handle.value)
    mean, _ = hand.ends()
    assert mean.tolist() == [128.0] * 128 + [73.0] * 73


@pytest.mark.parametrize("make", [AllReduceMean, lambda: ServerMean(Identity()), lambda: AllReduceMean("fp16")])
@pytest.mark.parametrize("workers", [1, 2, 3, 5, 19])
def test_dense_values_do_not_depend_on_buckets(make: Any, workers: int) -> None:
    layout = Layout(("a", "b", "c", "d", "e"), ((33, 7), (7,), (50, 3), (190,), (3,)))
    cohort = Cohort(workers, layout, chunk=8)
    update = torch.randn(workers, layout.size, generator=torch.Generator().manual_seed(3))
    whole, sent = settle(make()(cohort, update, 0), cohort)
    split, parts = settle(Bucketed(make, 300, 300)(cohort, update, 0), cohort)
    assert torch.equal(whole, split) and torch.equal(sent.dense(), parts.dense()) and parts.rows == workers


def spread(*values: float) -> torch.Tensor:
    """Write a row with these at every 32nd coordinate and zeros elsewhere."""
    row = torch.zeros(1, 32 * len(values))
    row[0, ::32] = torch.tensor(values)
    return row


def test_top_k_keeps_a_share_of_every_bucket_and_a_residual_for_each() -> None:
    # one worker, a 64th of each bucket of 128: of b = (1, -5, 2, 3) two, of a = (9, 8, 7, 6) two, though 7 > 5
    cohort = Cohort(1, Layout(("a", "b"), ((128,), (128,))))
    exchange = Bucketed(lambda: ErrorFeedback(ServerMean(TopK(1 / 64))), 16, 16)
    update = spread(9, 8, 7, 6, 1, -5, 2, 3)
    mean, sent = settle(exchange(cohort, update, 0), cohort)
    assert mean.tolist() == spread(9, 8, 0, 0, 0, -5, 0, 3)[0].tolist()
    kept = [held.values for held in exchange.rows() if held.values is not None]
    assert torch.equal(kept[0], spread(1, 0, 2, 0)) and torch.equal(kept[1], spread(0, 0, 7, 6))
    assert torch.equal(sent.dense()[0], mean)
    # the residuals join the next update
    again, _ = settle(exchange(cohort, torch.zeros(1, 256), 1), cohort)
    assert again.tolist() == spread(0, 0, 7, 6, 1, 0, 2, 0)[0].tolist()
    left = update.clone()
    sent.subtract_from(left)
    assert torch.equal(left, spread(0, 0, 7, 6, 1, 0, 2, 0))


def test_buckets_survive_a_checkpoint() -> None:
    def made() -> Bucketed:
        return Bucketed(lambda: ErrorFeedback(ServerMean(TopK(1 / 64))), 4, 4)

    cohort, update = Cohort(1, Layout(("a", "b"), ((128,), (128,)))), spread(9, 8, 7, 6, 1, -5, 2, 3)
    one, two = made(), made()
    settle(one(cohort, update, 0), cohort)
    two.load(copy.deepcopy(one.state()))
    first, second = (settle(x(cohort, update, 1), cohort)[0] for x in (one, two))
    assert torch.equal(first, second) and len(list(two.rows())) == 2


def test_buckets_draw_their_own_random_numbers() -> None:
    # two buckets of the same values: with the same draws they would be rounded alike
    layout = Layout(("a", "b"), ((64,), (64,)))
    cohort, half = Cohort(1, layout, seed=5), torch.linspace(-1, 1, 64)
    exchange = Bucketed(lambda: ServerMean(QSGD(3, None)), 4, 4)
    mean, _ = settle(exchange(cohort, torch.cat([half, half])[None], 0), cohort)
    assert not torch.equal(mean[:64], mean[64:])
    assert (
        cohort.within(layout)
        .draw()
        .private.at("x")
        .bits(torch.tensor([0]), 3)
        .equal(cohort.draw().private.at("x").bits(torch.tensor([0]), 3))
    )


def test_pieces_change_the_work_and_nothing_else() -> None:
    cohort, update = cohort_of(2, 4), rows([1, 2, 3, 4], [4, 3, 2, 1])
    plain, pieces = ServerMean(TopK(0.5)), ServerMean(Piecewise(TopK(0.5), 3))
    work = [Hand(exchange(cohort, update, 0)).meets(Work) for exchange in (plain, pieces)]
    assert [(w.kind, w.size_bytes, w.pieces) for w in work] == [("encode", 64, 1), ("encode", 64, 3)]
    one, two = (settle(exchange(cohort, update, 0), cohort) for exchange in (plain, pieces))
    assert torch.equal(one[0], two[0]) and one[1].equals(two[1])


def test_a_delayed_step_moves_by_the_mean_before() -> None:
    # lr 1 from x0 = 0, one worker: x1 = x0, x2 = x1 - g0, x3 = x2 - g1 - g2 (the last one is flushed)
    cohort, gradients = cohort_of(1, 1), [1.0, 10.0, 100.0]
    hand = begun(sgd_allreduce(lr=1.0, overlap=Overlap(delay=1)), cohort, rounds=3)
    seen = []
    for t, gradient in enumerate(gradients):
        asked = hand.meets(Gradient)
        seen.append(float(asked.at[0]))
        hand.answers(torch.tensor([[gradient]]))
        fork = hand.meets(Fork)
        assert (fork.name, fork.ready) == (str(t), 1.0)
        hand.answers(Handle(str(t), settle(fork.branch, cohort)))
        for name in [t - 1] * (t > 0) + [t] * (t == 2):
            handle = hand.meets(Join).handle
            assert handle.name == str(name)
            hand.answers(handle.value)
        assert marked(hand, t + 1).tolist() == [[0.0], [-1.0], [-111.0]][t]
    hand.ends()
    assert seen == [0.0, 0.0, -1.0]


def test_a_delayed_step_needs_everyone() -> None:
    program = sgd_allreduce(overlap=Overlap(delay=1))
    with pytest.raises(ValueError, match=r"participation: expected 1.0 with algorithm.overlap.delay=1.*got 0.5"):
        Hand(program.run(cohort_of(4, 2, participation=0.5), 1)).ends()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"bucket_bytes": 0}, "bucket_bytes: expected a positive number of bytes, got 0"),
    ({"bucket_bytes": "many"}, "bucket_bytes: expected a positive number of bytes, got 'many'"),
    ({"first_bucket_bytes": float("nan")}, "first_bucket_bytes: expected a positive number of bytes, got nan"),
    ({"first_bucket_bytes": None}, "first_bucket_bytes: expected a positive number of bytes, got None"),
    ({"pieces": 0}, "pieces: expected a whole number, at least 1, got 0"),
    ({"pieces": 1.5}, "pieces: expected a whole number, at least 1, got 1.5"),
    ({"delay": 2}, "delay: expected 0 or 1 steps, got 2"),
    ({"delay": True}, "delay: expected 0 or 1 steps, got True"),
    ({"delay": 1, "bucket_bytes": 5}, "bucket_bytes: expected null with algorithm.overlap.delay=1, got 5"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=str)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^algorithm.overlap.{message}$"):
        Overlap(**options)


def test_refused_by_algorithms() -> None:
    with pytest.raises(ValueError, match=r"algorithm.k: expected null and a density .* got 3"):
        topk(density=None, k=3, overlap=Overlap(bucket_bytes=10))
    with pytest.raises(ValueError, match=r"algorithm.overlap: expected .*Overlap or null, got \{'delay': 1\}"):
        sgd_allreduce(overlap={"delay": 1})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ready: expected 2 fractions, one for each tensor, got 1"):
        Layout(("a", "b"), ((1,), (1,)), (1.0,))
    with pytest.raises(ValueError, match=r"ready: expected fractions of a gradient in \[0, 1\], got 1.5"):
        Layout(("a",), ((1,),), (1.5,))
