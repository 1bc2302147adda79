import pytest
import torch
from torch import nn

from simulator.tasks.batch_statistics import normalises_batches, put_statistics, statistics, with_statistics
from simulator.tasks.cifar10 import Cifar10Mini
from simulator.tasks.models import ResNet9
from simulator.tasks.partitions import Iid
from simulator.tasks.supervised import Supervised


def task(**changes) -> Supervised:
    usual = dict(dataset=Cifar10Mini(train=64, test=16), model=ResNet9(width=4, norm="batch"), partition=Iid())
    return Supervised(**(usual | dict(workers=2, batch=8, seed=1, device="cpu", dtype="float64") | changes))


def test_statistics_are_the_mean_over_batches_by_hand():
    model = nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False))
    first, second = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1), torch.tensor([4.0, 8.0]).view(2, 1, 1, 1)
    fixed = with_statistics(model, torch.tensor([2.0, 0.5]), [first, second])
    # means 2 and 6: 4; unbiased variances 2 and 8: 5; scale 2, shift 1/2
    assert fixed[0].running_mean.tolist() == [4.0] and fixed[0].running_var.tolist() == [5.0]
    assert float(fixed(torch.full((1, 1, 1, 1), 9.0)).detach()) == pytest.approx(
        2 * 5 / (5 + 1e-5) ** 0.5 + 0.5, abs=1e-6
    )
    assert list(model.buffers()) == [] and model[0].weight.tolist() == [1.0]  # the model itself is not changed


def test_local_judges_each_sample_alone_and_batch_does_not():
    losses = {}
    for rule in ("local", "batch"):
        whole, split = (task(bn_statistics=rule, evaluation_batch=size) for size in (16, 4))
        at = whole.initial(3)
        losses[rule] = (whole.evaluate(at).loss, split.evaluate(at).loss)
    assert losses["local"][0] == pytest.approx(losses["local"][1], rel=1e-12)
    assert abs(losses["batch"][0] - losses["batch"][1]) > 1e-6
    assert losses["local"][0] != losses["batch"][0]


def test_local_takes_the_batches_of_worker_0():
    here = task(bn_statistics="local", bn_batches=2)
    at = here.initial(3)
    batches = [here.batches(torch.tensor([0]), step)[0][0] for step in (0, 1)]
    fixed = with_statistics(ResNet9(width=4, norm="batch"), at, batches)
    _, test = Cifar10Mini(train=64, test=16).load()
    expected = nn.functional.cross_entropy(fixed(test.inputs.double()), test.targets)
    assert here.evaluate(at).loss == pytest.approx(float(expected.detach()), rel=1e-12)
    assert here.evaluate(at) == here.evaluate(at)


def test_averaged_takes_the_mean_of_what_all_workers_send():
    here = task(bn_statistics="averaged", bn_batches=2, workers=3)
    at = here.initial(3)
    found = here.evaluate(at)
    rows = []
    for worker in range(3):
        batches = [here.batches(torch.tensor([worker]), step)[0][0] for step in (0, 1)]
        fixed = with_statistics(ResNet9(width=4, norm="batch"), at, batches)
        rows.append(statistics(fixed))
    assert torch.equal(found.sent.dense(), torch.stack(rows)) and found.sent.rows == 3
    put_statistics(fixed, torch.stack(rows).mean(0))
    _, test = Cifar10Mini(train=64, test=16).load()
    expected = nn.functional.cross_entropy(fixed(test.inputs.double()), test.targets)
    assert found.loss == pytest.approx(float(expected.detach()), rel=1e-12)
    assert all(task(bn_statistics=rule).evaluate(at).sent is None for rule in ("batch", "local"))


def test_statistics_are_each_layers_means_then_its_variances():
    model = nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), nn.BatchNorm2d(1, track_running_stats=False))
    fixed = with_statistics(model, torch.tensor([2.0, 0.0, 1.0, 0.0]), [torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)])
    # the first layer sees 1 and 3; the second 2 * (-1) and 2 * 1, up to the 1e-5 in the root
    assert statistics(fixed).tolist() == pytest.approx([2, 2, 0, 8], abs=1e-3)
    put_statistics(fixed, torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert fixed[0].running_var.tolist() == [2.0] and fixed[1].running_mean.tolist() == [3.0]


def test_training_normalises_with_the_workers_own_batch():
    # the other rows of a call have no part in a worker's gradient
    here = task()
    at, both, alone = (
        here.initial(3),
        torch.empty(2, here.layout.size).double(),
        torch.empty(1, here.layout.size).double(),
    )
    here.gradient(at, torch.arange(2), 5, both)
    here.gradient(at, torch.tensor([1]), 5, alone)
    assert torch.equal(both[1], alone[0])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"bn_statistics": "global"}, "task.bn_statistics: expected one of batch, local, averaged, got 'global'"),
        ({"bn_statistics": "local", "bn_batches": 0}, "task.bn_batches: expected an integer of at least 1, got 0"),
        ({"bn_statistics": "local", "model": ResNet9(width=4)}, "expected batch for a model without BatchNorm"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


def test_which_models_normalise_batches():
    assert normalises_batches(ResNet9(width=4, norm="batch")) and not normalises_batches(ResNet9(width=4))
