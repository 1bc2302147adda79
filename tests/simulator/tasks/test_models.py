import pytest
import torch
from torch import nn

from algorithms.layout import Layout
from simulator.tasks.models import LeNet5, Mlp, Softmax, initial_vector


@pytest.mark.parametrize("model, size", [(Softmax(), 7_850), (Mlp(), 266_610), (LeNet5(), 431_080)])
def test_sizes_and_outputs(model, size):
    assert Layout.of(model).size == size
    assert model(torch.zeros(3, 1, 28, 28)).shape == (3, 10)
    assert {type(layer) for layer in model} <= {nn.Linear, nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten}


def test_lenet5_is_caffes():
    # examples/mnist/lenet.prototxt: conv 20, pool, conv 50, pool, ip 500, relu, ip 10
    weights = [tuple(p.shape) for p in LeNet5().parameters()]
    assert weights == [(20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (500, 800), (500,), (10, 500), (10,)]
    assert sum(isinstance(layer, nn.ReLU) for layer in LeNet5()) == 1


def test_mlp_of_other_widths():
    model = Mlp(widths=[4, 3, 2])
    assert Layout.of(model).size == 4 * 3 + 3 + 3 * 2 + 2
    assert [type(layer).__name__ for layer in model] == ["Flatten", "Linear", "ReLU", "Linear"]


def test_initial_weights_are_a_function_of_the_seed_alone():
    model = Mlp(widths=(6, 5, 4))
    torch.manual_seed(5)
    first = initial_vector(model, 1)
    torch.manual_seed(6)
    assert torch.equal(first, initial_vector(Mlp(widths=(6, 5, 4)).to(torch.float64), 1))
    assert not torch.equal(first, initial_vector(model, 2))
    for part in Layout.of(model).views(first)[:2]:  # PyTorch's default: uniform within 1 / sqrt(fan in)
        assert 0 < float(part.abs().max()) <= 6**-0.5


def test_the_global_generator_is_left_alone():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    initial_vector(LeNet5(), 3)
    Mlp()
    assert torch.equal(before, torch.get_rng_state())


def test_the_numbers_do_not_change_silently():
    # golden: a change of PyTorch's generator or default initialisation would move every trajectory
    head = initial_vector(Softmax(), 1)[:3]
    assert head.tolist() == pytest.approx([-0.034842413, -0.004701083, 0.000896433], abs=1e-7)


def test_the_model_itself_is_not_changed():
    model = Softmax(inputs=3, classes=2)
    before = [p.clone() for p in model.parameters()]
    initial_vector(model, 9)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("widths", [[], [5], "784", 784, [5, 0], [5, 2.5], [5, -1], [5, True]])
def test_bad_widths_are_named(widths):
    with pytest.raises(ValueError, match="model.widths: expected"):
        Mlp(widths=widths)


def test_bad_softmax_sizes_are_named():
    with pytest.raises(ValueError, match="model.classes: expected an integer of at least 1, got 0"):
        Softmax(classes=0)
