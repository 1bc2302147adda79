import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.streams import Stream
from simulator.tasks.partitions import ClassesPerWorker, Dirichlet, Iid, IidWithReplacement, Shards
from simulator.tasks.partitions.dirichlet import symmetric_dirichlet

STREAM = Stream(1, "partition")
LABELS = torch.arange(600) % 10
PARTITIONS = [Iid(), Dirichlet(alpha=0.1), Dirichlet(alpha=100), ClassesPerWorker(classes=3)]


def counts(shards: Shards, labels: torch.Tensor) -> torch.Tensor:
    """Samples per worker and class, [n, 10]."""
    return torch.stack([torch.bincount(labels[shards.of(r)], minlength=10) for r in range(shards.workers)])


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda p: p.name)
@settings(max_examples=12)
@given(workers=st.integers(4, 60), seed=st.integers(0, 1000))
def test_every_sample_belongs_to_exactly_one_worker_and_nobody_starves(partition, workers, seed):
    shards = partition(LABELS, workers, Stream(seed, "partition"))
    assert shards.workers == workers and int(shards.length.min()) >= 1
    assert sorted(shards.indices.tolist()) == list(range(600))
    assert sorted(sum((shards.of(r).tolist() for r in range(workers)), [])) == list(range(600))
    assert shards.weights.dtype == torch.float64 and float(shards.weights.sum()) == pytest.approx(1, abs=1e-12)
    assert torch.allclose(shards.weights * 600, shards.length.double())


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda p: p.name)
def test_a_seed_gives_the_same_shards_and_another_seed_others(partition):
    first, again, other = (partition(LABELS, 8, Stream(seed, "partition")) for seed in (3, 3, 4))
    assert torch.equal(first.indices, again.indices) and torch.equal(first.length, again.length)
    assert not torch.equal(first.indices, other.indices)


def test_iid_shards_are_equal_and_shuffled():
    shards = Iid()(LABELS, 7, STREAM)
    assert shards.length.tolist() == [86, 86, 86, 86, 86, 85, 85]
    assert shards.of(0).tolist() != sorted(shards.of(0).tolist())
    assert int(counts(shards, LABELS).min()) >= 1  # 86 draws miss one of 10 classes with probability 0.001


def test_one_sample_each_is_possible_one_more_worker_is_not():
    assert Iid()(LABELS, 600, STREAM).length.tolist() == [1] * 600
    for partition in PARTITIONS:
        with pytest.raises(ValueError, match="workers: expected at most 600.*got 601.*iid_replacement"):
            partition(LABELS, 601, STREAM)


def test_replacement_gives_everything_to_any_number_of_workers():
    shards = IidWithReplacement()(LABELS, 10_000, STREAM)
    assert len(shards.indices) == 600 and shards.length.tolist() == [600] * 10_000
    assert shards.of(9_999).tolist() == list(range(600))
    assert torch.allclose(shards.weights, torch.tensor(1e-4, dtype=torch.float64))


def test_dirichlet_shares_have_the_distributions_moments():
    # mean 1/n and variance (1/n)(1 - 1/n) / (n alpha + 1), of the symmetric Dirichlet distribution
    for alpha in (0.05, 0.5, 3.0):
        shares = torch.stack([symmetric_dirichlet(Stream(seed), 5, alpha) for seed in range(400)])
        assert torch.allclose(shares.sum(1), torch.ones(400, dtype=torch.float64))
        assert torch.allclose(shares.mean(0), torch.tensor(0.2, dtype=torch.float64), atol=0.05)
        assert float(shares.var()) == pytest.approx(0.16 / (5 * alpha + 1), rel=0.1)


@pytest.mark.parametrize("alpha", [1e-6, 1e-3, 1e6])
def test_extreme_alphas_are_finite(alpha):
    shares = symmetric_dirichlet(STREAM, 10, alpha)
    assert bool(torch.isfinite(shares).all()) and float(shares.sum()) == pytest.approx(1)
    assert (float(shares.max()) > 0.999) if alpha < 1 else (float(shares.max()) < 0.11)


def test_small_alpha_is_more_skewed():
    share = {
        a: counts(Dirichlet(alpha=a)(LABELS, 10, STREAM), LABELS).max(0).values.float().mean() / 60 for a in (0.1, 50)
    }
    assert share[0.1] > 0.5 > 0.2 > share[50]


def test_the_starving_are_fed_by_the_largest():
    # one class, alpha so small that one worker gets all five samples: each other worker takes one from it
    shards = Dirichlet(alpha=1e-6)(torch.zeros(5, dtype=torch.int64), 4, STREAM)
    assert sorted(shards.length.tolist()) == [1, 1, 1, 2]


@settings(max_examples=30)
@given(workers=st.integers(1, 40), classes=st.integers(1, 10), seed=st.integers(0, 100))
def test_classes_per_worker(workers, classes, seed):
    partition = ClassesPerWorker(classes=classes)
    if workers * classes < 10:
        with pytest.raises(ValueError, match=f"expected at least .* among {workers} workers, got {classes}"):
            partition(LABELS, workers, Stream(seed))
        return
    held = counts(partition(LABELS, workers, Stream(seed)), LABELS)
    owned = held > 0
    assert owned.sum(1).tolist() == [classes] * workers
    owners = owned.sum(0)
    assert int(owners.max() - owners.min()) <= 1
    for label in range(10):  # equal shares of a class, to one sample
        shares = held[owned[:, label], label]
        assert int(shares.max() - shares.min()) <= 1


def test_bad_input_is_named():
    for alpha in (0, -1.0, float("nan"), float("inf"), "0.5", True):
        with pytest.raises(ValueError, match="partition.alpha: expected a finite number above 0, got"):
            Dirichlet(alpha=alpha)
    for classes in (0, -2, 1.5, "two"):
        with pytest.raises(ValueError, match="partition.classes: expected an integer of at least 1, got"):
            ClassesPerWorker(classes=classes)
    with pytest.raises(ValueError, match=r"partition.classes: expected 1\.\.10.*got 11"):
        ClassesPerWorker(classes=11)(LABELS, 5, STREAM)
    with pytest.raises(ValueError, match="owners of class 0, which has as many samples"):
        ClassesPerWorker(classes=10)(torch.arange(20) % 10, 3, STREAM)


def test_shards_refuse_nonsense():
    one = torch.ones(2, dtype=torch.int64)
    with pytest.raises(ValueError, match="got none for worker 1"):
        Shards(torch.arange(3), 0 * one, torch.tensor([1, 0]))
    with pytest.raises(ValueError, match="within 3 indices"):
        Shards(torch.arange(3), 2 * one, 2 * one)
    with pytest.raises(ValueError, match="got 2 and 3"):
        Shards(torch.arange(3), one, torch.ones(3, dtype=torch.int64))
