from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional

from simulator.tasks.datasets import FashionMnistMini, Samples
from simulator.tasks.models import LeNet5, Mlp, Softmax
from simulator.tasks.partitions import ClassesPerWorker, Dirichlet, Iid, IidWithReplacement
from simulator.tasks.supervised import Supervised


class Toy:
    """Twelve training and five test samples of two numbers and three classes: what an outside package would bring."""

    classes = 3

    def load(self, data_dir: str | None) -> tuple[Samples, Samples]:
        numbers = torch.arange(34, dtype=torch.float32).remainder(7).view(17, 2) / 7
        targets = torch.arange(17) % 3
        return Samples(numbers[:12], targets[:12]), Samples(numbers[12:], targets[12:])


def task(**changes) -> Supervised:
    usual = dict(dataset=Toy(), model=Mlp(widths=(2, 4, 3)), partition=Iid(), workers=3, batch=4, seed=1, device="cpu")
    return Supervised(**(usual | changes))


@pytest.fixture(scope="module")
def mini() -> Supervised:
    return Supervised(
        name="fashion_mnist_mini",
        dataset=FashionMnistMini(),
        model=Mlp(widths=(784, 30, 10)),
        partition=Iid(),
        workers=8,
        batch=16,
        seed=1,
        device="cpu",
    )


def oracle(
    model: nn.Module, at: torch.Tensor, inputs: torch.Tensor, targets: torch.Tensor
) -> tuple[float, torch.Tensor]:
    nn.utils.vector_to_parameters(at, model.parameters())
    loss = functional.cross_entropy(model(inputs), targets)
    return float(loss.detach()), torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def test_full_batches_give_the_gradient_of_each_shard():
    # 3 workers x batch 4 = all 12 samples, each once: the mean over workers is the gradient on the training set
    here = task(dtype="float64")
    at, out = here.initial(5), torch.empty(3, here.layout.size, dtype=torch.float64)
    losses = here.gradient(at, torch.arange(3), 0, out)
    train, _ = Toy().load(None)
    loss, gradient = oracle(Mlp(widths=(2, 4, 3)).double(), at, train.inputs.double(), train.targets)
    assert float(losses.mean()) == pytest.approx(loss, abs=1e-12)
    assert torch.allclose(out.mean(0), gradient, atol=1e-12)


def test_rows_of_parameters_and_shared_parameters_agree():
    here = task(dtype="float64")
    at = here.initial(5)
    shared, rows = (torch.empty(3, here.layout.size, dtype=torch.float64) for _ in range(2))
    a = here.gradient(at, torch.arange(3), 2, shared)
    b = here.gradient(at.expand(3, -1).contiguous(), torch.arange(3), 2, rows)
    assert torch.allclose(a, b, atol=1e-12) and torch.allclose(shared, rows, atol=1e-12)


def test_evaluation_is_on_the_test_samples_in_fixed_batches():
    here = task(evaluation_batch=2)
    at = here.initial(5)
    _, test = Toy().load(None)
    model = Mlp(widths=(2, 4, 3))
    nn.utils.vector_to_parameters(at, model.parameters())
    logits = model(test.inputs).detach()
    found = here.evaluate(at)
    assert found.loss == pytest.approx(float(functional.cross_entropy(logits, test.targets)), abs=1e-6)
    assert found.accuracy == pytest.approx(float((logits.argmax(1) == test.targets).float().mean()))


def test_what_the_protocol_promises(mini):
    assert mini.layout.size == 784 * 30 + 30 + 300 + 10 and mini.workers == 8 and mini.batch == 16
    assert mini.weights.tolist() == [0.125] * 8 and mini.optimum is None
    assert mini.device == torch.device("cpu") and mini.dtype == torch.float32
    # products of two layers, 2 operations each: forward, weights, and for the second layer the inputs
    assert mini.flops_per_step == 16 * 2 * (2 * 784 * 30 + 3 * 30 * 10)
    assert mini.gradient_method in ("layers", "loop", "vmap")
    assert torch.equal(mini.initial(4), mini.initial(4)) and not torch.equal(mini.initial(4), mini.initial(5))


def test_it_learns(mini):
    at = mini.initial(1)
    out = torch.empty(8, mini.layout.size)
    before = mini.evaluate(at)
    for step in range(60):
        mini.gradient(at, torch.arange(8), step, out)
        at -= 0.1 * out.mean(0)
    after = mini.evaluate(at)
    assert before.accuracy < 0.3 and after.accuracy > 0.7
    assert after.loss < 0.8 < before.loss


def test_gradients_of_chunks_and_threads_are_those_of_one_pass(mini):
    at = mini.initial(1)
    alone, threaded = (torch.empty(8, mini.layout.size) for _ in range(2))
    chunks = [slice(0, 4), slice(4, 8)]
    losses = torch.cat([mini.gradient(at, torch.arange(8)[c], 7, alone[c]) for c in chunks])
    with ThreadPoolExecutor(2) as pool:
        again = torch.cat(list(pool.map(lambda c: mini.gradient(at, torch.arange(8)[c], 7, threaded[c]), chunks)))
    assert torch.equal(alone, threaded) and torch.equal(losses, again)


def test_lenet_takes_the_images():
    here = task(dataset=FashionMnistMini(), model=LeNet5(), workers=2, batch=2)
    out = torch.empty(2, 431_080)
    assert bool(torch.isfinite(here.gradient(here.initial(1), torch.arange(2), 0, out)).all())
    assert bool((out.abs().sum(1) > 0).all())


def test_sampling_follows_the_partition_unless_told():
    everywhere = task(partition=IidWithReplacement(), workers=50, batch=30)
    assert everywhere.weights.tolist() == [0.02] * 50
    out = torch.empty(1, everywhere.layout.size)
    at = everywhere.initial(1)
    shuffled = task(partition=IidWithReplacement(), workers=50, batch=12, batches="shuffle")
    # a shuffled batch of 12 is all of the training set for each worker: every worker has the same loss
    losses = [float(shuffled.gradient(at, torch.tensor([r]), 3, out)) for r in (0, 49)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    drawn = [float(everywhere.gradient(at, torch.tensor([r]), 3, out)) for r in (0, 49)]
    assert drawn[0] != pytest.approx(drawn[1], abs=1e-6)


def test_weights_are_shares_of_the_samples():
    here = task(partition=Dirichlet(alpha=0.3), workers=4)
    assert float(here.weights.sum()) == pytest.approx(1) and len(set(here.weights.tolist())) > 1


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"workers": 0}, "workers: expected an integer of at least 1, got 0"),
        ({"workers": 2.0}, "workers: expected an integer of at least 1, got 2.0"),
        ({"workers": 13}, "workers: expected at most 12.*got 13"),
        ({"batch": 0}, "batch: expected an integer of at least 1, got 0"),
        ({"batch": "8"}, "batch: expected an integer of at least 1, got '8'"),
        ({"batches": "sorted"}, "task.batches: expected one of shuffle, replace, got 'sorted'"),
        ({"evaluation_batch": 0}, "task.evaluation_batch: expected an integer of at least 1"),
        ({"device": "tpu"}, "device: expected auto, cpu, cuda"),
        ({"device": "cuda:99"}, "device: expected .* CUDA device.*, got 'cuda:99'"),
        ({"dtype": "int8"}, "dtype: expected float32 or float64, got 'int8'"),
        ({"gradient_method": "magic"}, "gradient_method: expected"),
        ({"model": Softmax(inputs=5, classes=3)}, r"model: expected one that takes inputs of shape \(2,\)"),
        ({"model": Softmax(inputs=2, classes=4)}, r"model: expected 3 logits .* got shape \(4,\)"),
        ({"partition": ClassesPerWorker(classes=4)}, r"partition.classes: expected 1\.\.3"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


@pytest.mark.gpu
def test_a_gpu_computes_the_same():
    at = task(dtype="float64").initial(1)
    results = []
    for device in ("cpu", "cuda"):
        here = task(dtype="float64", device=device)
        out = torch.empty(3, here.layout.size, dtype=torch.float64, device=here.device)
        losses = here.gradient(at.to(here.device), torch.arange(3), 5, out)
        results.append((losses.cpu(), out.cpu(), here.evaluate(at.to(here.device)).loss))
    (a, b, c), (x, y, z) = results
    assert torch.allclose(a, x, atol=1e-10) and torch.allclose(b, y, atol=1e-10) and c == pytest.approx(z, abs=1e-10)
