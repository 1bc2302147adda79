import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.streams import Stream
from simulator.tasks.batches import SAMPLERS, Replacing, Shuffling
from simulator.tasks.partitions import Iid, IidWithReplacement, Shards

STREAM = Stream(1, "batches")


def ragged(lengths: list[int]) -> Shards:
    length = torch.tensor(lengths)
    order = torch.arange(int(length.sum())).flip(0) + 100  # sample numbers unlike positions
    indices = torch.zeros(int(order.max()) + 1, dtype=torch.int64)
    indices[: len(order)] = order
    return Shards(indices, torch.cumsum(length, 0) - length, length)


def expected_epoch(shards: Shards, worker: int, epoch: int) -> torch.Tensor:
    """The definition, one worker and one epoch at a time."""
    samples = shards.of(worker)
    positions = epoch * len(samples) + torch.arange(len(samples))
    bits = STREAM.bits(torch.tensor([worker]), positions)[0]
    return samples[torch.argsort(bits, stable=True)]


@settings(max_examples=40)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5), batch=st.integers(1, 12), steps=st.integers(1, 8))
def test_shuffling_walks_through_one_permutation_per_epoch(lengths, batch, steps):
    shards = ragged(lengths)
    sampler = Shuffling(shards, batch, STREAM)
    everyone = torch.arange(len(lengths))
    taken = torch.cat([sampler(everyone, step) for step in range(steps)], 1)
    for worker, length in enumerate(lengths):
        epochs = [expected_epoch(shards, worker, e) for e in range(steps * batch // length + 1)]
        assert torch.equal(taken[worker], torch.cat(epochs)[: steps * batch])
        for begin in range(0, steps * batch - length + 1, length):  # each epoch takes every sample once
            assert sorted(taken[worker, begin : begin + length].tolist()) == sorted(shards.of(worker).tolist())


@pytest.mark.parametrize("kind", SAMPLERS.values(), ids=SAMPLERS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_batch_depends_on_worker_and_step_only(kind, data):
    shards = ragged([3, 1, 8, 5, 20, 2])
    together = kind(shards, 4, STREAM)
    alone = kind(shards, 4, STREAM)
    for _ in range(6):  # steps in any order, workers in any order and number, with what was computed before
        step = data.draw(st.integers(0, 30))
        workers = torch.tensor(data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=8)))
        batches = together(workers, step)
        assert batches.shape == (len(workers), 4) and batches.dtype == torch.int64
        for row, worker in enumerate(workers):
            assert torch.equal(batches[row], alone(worker[None], step)[0])
            assert bool(torch.isin(batches[row], shards.of(int(worker))).all())


@pytest.mark.parametrize("kind", SAMPLERS.values(), ids=SAMPLERS)
def test_threads_on_the_same_sampler_agree_with_one(kind):
    shards = Iid()(torch.zeros(640, dtype=torch.int64), 32, Stream(1))
    calls = [(torch.arange(32)[begin : begin + 8], step) for step in range(40) for begin in (0, 8, 16, 24, 4)]
    quiet, busy = kind(shards, 7, STREAM), kind(shards, 7, STREAM)
    expected = [quiet(*call) for call in calls]
    with ThreadPoolExecutor(4) as pool:
        for got, wanted in zip(pool.map(lambda call: busy(*call), calls), expected, strict=True):
            assert torch.equal(got, wanted)


def test_epochs_and_seeds_and_workers_differ():
    shards = ragged([50, 50])
    first = Shuffling(shards, 50, STREAM)
    a, b = first(torch.arange(2), 0), first(torch.arange(2), 1)
    assert not torch.equal(a[0], b[0])
    assert not torch.equal(a[0] - shards.start[0], a[1] - shards.start[1])
    assert not torch.equal(a, Shuffling(shards, 50, Stream(2, "batches"))(torch.arange(2), 0))


def test_shuffling_does_not_depend_on_the_batch_size():
    shards = ragged([7, 30])
    small, large = Shuffling(shards, 3, STREAM), Shuffling(shards, 12, STREAM)
    everyone = torch.arange(2)
    assert torch.equal(torch.cat([small(everyone, s) for s in range(20, 24)], 1), large(everyone, 5))


def test_replacing_is_uniform_over_the_shard():
    shards = ragged([6, 2])
    drawn = Replacing(shards, 6000, STREAM)(torch.arange(2), 3)
    for worker, expected in ((0, 1000), (1, 3000)):
        seen = torch.stack([(drawn[worker] == sample).sum() for sample in shards.of(worker)])
        # five standard deviations of a binomial count
        assert int(seen.sum()) == 6000 and float((seen - expected).abs().max()) < 5 * (6000 * 0.25) ** 0.5


def test_ten_thousand_workers_sample_in_time():
    shards = IidWithReplacement()(torch.zeros(60_000, dtype=torch.int64), 10_000, Stream(1))
    sampler, everyone = Replacing(shards, 8, STREAM), torch.arange(10_000)
    seconds = []
    for step in range(5):
        begin = time.perf_counter()
        drawn = sampler(everyone, step)
        seconds.append(time.perf_counter() - begin)
    assert drawn.shape == (10_000, 8)
    assert min(seconds) < 0.02
