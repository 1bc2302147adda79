"""All methods give the gradients that plain autograd gives, and say clearly when they cannot."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from simulator.gradients import GradientEngine
from simulator.gradients.flops import count_flops

SIZES = {"softmax": 7_850, "mlp": 266_610, "lenet": 431_080, "odd": 1_428, "group_norm": 2_682}


def evaluate(engine, at, inputs, targets):
    """Call the engine with a slab full of nan: every coordinate must be written."""
    out = torch.full((len(inputs), engine.layout.size), float("nan"), dtype=engine.dtype)
    losses = engine(at, inputs, targets, out)
    return out, losses


@pytest.mark.parametrize("rows", [False, True], ids=["shared", "rows"])
@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, method) for name in SIZES for method in ("loop", "vmap", "taps", "auto")
    ],  # auto: layers, except for group_norm
)
def test_every_method_equals_plain_autograd(build, draw, oracle, name, method, rows):
    module = build(name)
    engine = GradientEngine(module, method=method, dtype=torch.float64)
    at, inputs, targets = draw(engine.layout.size, 3, 4, rows=rows)
    expected, expected_losses = oracle(module, at, inputs, targets)
    out, losses = evaluate(engine, at, inputs, targets)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(losses, expected_losses, rtol=0, atol=1e-10)


def test_softmax_regression_by_hand():
    # one sample x = (1, 2), class 0, W = 0, b = 0: p = (1/2, 1/2), dz = (-1/2, 1/2), dW = dz x^T, db = dz, loss = ln 2
    engine = GradientEngine(nn.Linear(2, 2), dtype=torch.float64)
    out, losses = evaluate(engine, torch.zeros(6).double(), torch.tensor([[[1.0, 2.0]]]).double(), torch.tensor([[0]]))
    assert out.tolist() == [[-0.5, -1.0, 0.5, 1.0, -0.5, 0.5]]
    assert losses.item() == pytest.approx(0.6931471805599453, abs=1e-15)


@pytest.mark.parametrize("name", SIZES)
def test_size_and_forward(build, draw, name):
    module = build(name)
    engine = GradientEngine(module)
    assert engine.layout.size == SIZES[name]
    at = nn.utils.parameters_to_vector(module.parameters()).detach()
    _, inputs, _ = draw(1, 2, 3, dtype=torch.float32)
    logits = engine.forward(at, inputs.flatten(0, 1))
    assert not logits.requires_grad
    torch.testing.assert_close(logits, module(inputs.flatten(0, 1)).detach(), rtol=1e-5, atol=1e-6)


def test_mean_over_workers_is_the_gradient_of_the_whole_batch(build, draw, oracle):
    module = build("lenet")
    engine = GradientEngine(module, dtype=torch.float64)
    at, inputs, targets = draw(engine.layout.size, 4, 2)
    out, losses = evaluate(engine, at, inputs, targets)
    expected, loss = oracle(module, at, inputs.flatten(0, 1)[None], targets.flatten()[None])
    torch.testing.assert_close(out.mean(0), expected[0], rtol=0, atol=1e-10)
    assert losses.mean().item() == pytest.approx(loss.item(), abs=1e-10)


def test_auto_follows_the_rule(build):
    assert {name: GradientEngine(build(name)).method for name in SIZES} == {
        "softmax": "layers",
        "mlp": "layers",
        "lenet": "layers",
        "odd": "layers",
        "group_norm": "loop",
    }
    assert GradientEngine(shared_layer()).method == "taps"
    assert GradientEngine(nn.LSTM(3, 2)).method == "loop"
    meta = GradientEngine(build("group_norm"), device="meta")
    assert meta.method == "vmap"


class Doubled(nn.Sequential):
    """Looks like a chain, computes something else."""

    def forward(self, x):
        return 2 * super().forward(x)


def shared_layer():
    layer = nn.Linear(10, 10)
    return nn.Sequential(nn.Linear(784, 10), layer, nn.ReLU(), layer)


def tied_weight():
    net = nn.Sequential(nn.Linear(10, 10), nn.Linear(10, 10))
    net[1].weight = net[0].weight
    return net


def hooked():
    net = nn.Sequential(nn.Linear(10, 10))
    net[0].register_forward_hook(lambda module, args, y: 2 * y)
    return net


def stray_parameter():
    net = nn.Sequential(nn.Linear(10, 10))
    net.register_parameter("scale", nn.Parameter(torch.ones(1)))
    return net


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (
            lambda: nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(784, 4), nn.GroupNorm(2, 4))),
            "'1.1' (GroupNorm)",
        ),
        (lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding="same")), "'0' (Conv2d)"),
        (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(784, 2)), "'0' (Flatten)"),
        (lambda: nn.Sequential(Doubled(nn.Linear(784, 2))), "'0' (Doubled)"),
        (shared_layer, "'3' (Linear) shares"),
        (tied_weight, "'1' (Linear) shares"),
        (hooked, "'0' (Linear) has hooks"),
        (stray_parameter, "'scale' belongs to no layer"),
    ],
)
def test_layers_refuses(network, named):
    with pytest.raises(ValueError, match="gradient_method") as error:
        GradientEngine(network(), method="layers")
    assert named in str(error.value)
    assert GradientEngine(network()).method in ("loop", "taps")


def test_a_layer_that_is_never_reached_has_zero_gradient():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            return self.used(x)

    engine = GradientEngine(Half(), dtype=torch.float64)
    at = torch.arange(16).double() / 16
    out, _ = evaluate(engine, at, torch.rand(2, 5, 3).double(), torch.ones(2, 5, dtype=torch.int64))
    assert out[:, 8:].eq(0).all() and out[:, :8].ne(0).any(1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"module": nn.Linear(2, 2), "method": "fastest"},
            "gradient_method: expected one of auto, loop, vmap, layers, taps",
        ),
        ({"module": nn.Linear(2, 2), "dtype": torch.int32}, "dtype: expected a floating point type"),
        ({"module": nn.ReLU()}, "model: expected a module with parameters"),
        ({"module": nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))}, "model: layer '1' .BatchNorm1d. keeps running"),
        ({"module": nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))}, "model: layer '1' .Dropout. draws"),
    ],
)
def test_bad_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        GradientEngine(**arguments)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"at": torch.zeros(5)}, r"at: expected shape \(6,\) or \(3, 6\), got \(5,\)"),
        ({"at": torch.zeros(2, 6)}, "at: expected shape"),
        ({"at": torch.zeros(6).double()}, "at: expected torch.float32"),
        ({"out": torch.zeros(6)}, "out: expected shape"),
        ({"out": torch.zeros(6, 3).T}, "out: expected shape .* dense rows"),
        ({"targets": torch.zeros(3, 4)}, "targets: expected int64"),
        ({"targets": torch.zeros(2, 4, dtype=torch.int64)}, "targets: expected int64 of shape"),
        ({"inputs": torch.zeros(3, 5, 2)}, r"inputs: expected shape \(3, 4, ...\)"),
        ({"inputs": torch.zeros(3, 4, 7, 2)}, "model: expected logits"),
    ],
)
def test_bad_call(wrong, message):
    engine = GradientEngine(nn.Linear(2, 2))
    good = {"at": torch.zeros(6), "inputs": torch.zeros(3, 4, 2), "targets": torch.zeros(3, 4, dtype=torch.int64)}
    with pytest.raises(ValueError, match=message):
        engine(**{**good, "out": torch.zeros(3, 6), **wrong})
    with pytest.raises(ValueError, match="at: expected shape"):
        engine.forward(torch.zeros(2, 6), torch.zeros(1, 2))


def test_flops_by_hand(build):
    # MLP: 2 B m n forward and for the weights, and for the input except in the first layer
    b = 5
    sizes = 784 * 300, 300 * 100, 100 * 10
    mlp = GradientEngine(build("mlp"))
    assert mlp.flops((b, 1, 28, 28)) == 2 * b * (3 * sum(sizes) - sizes[0])
    assert mlp.flops((b, 1, 28, 28)) == mlp.flops([b, 1, 28, 28])
    # LeNet: each output pixel of a convolution costs in x k x k multiplications
    conv1, conv2 = 24 * 24 * 20 * 25, 8 * 8 * 50 * 20 * 25
    dense = 800 * 500 + 500 * 10
    assert GradientEngine(build("lenet")).flops((b, 1, 28, 28)) == 2 * b * (2 * conv1 + 3 * conv2 + 3 * dense)


@pytest.mark.parametrize("method", ["loop", "vmap", "taps", "auto"])
@pytest.mark.parametrize("name", ["mlp", "group_norm"])
def test_the_module_is_never_changed(build, draw, name, method):
    module = build(name)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    before = copy.deepcopy(module.state_dict())
    engine = GradientEngine(module, method=method, dtype=torch.float64)
    at, inputs, targets = draw(engine.layout.size, 2, 2)
    copies = at.clone(), inputs.clone(), targets.clone()
    evaluate(engine, at, inputs, targets)
    engine.forward(at, inputs[0])
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in module.parameters())
    assert all(torch.equal(a, b) for a, b in zip((at, inputs, targets), copies, strict=True))


@pytest.mark.parametrize("build_name", ["mlp", "lenet", "softmax"])
def test_flops_of_a_chain_are_those_of_the_frameworks_counter(build, build_name):
    module = build(build_name)
    shadow = copy.deepcopy(module).to("meta")
    with FlopCounterMode(display=False) as counter:
        shadow(torch.empty(6, 1, 28, 28, device="meta", dtype=next(shadow.parameters()).dtype)).sum().backward()
    assert count_flops(module, (6, 1, 28, 28)) == counter.get_total_flops()
