"""The small convolutional network: its size and cost, what it computes, and that its gradient goes layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from simulator.gradients import GradientEngine
from simulator.gradients.flops import chain_products
from simulator.tasks.models import Cnn, initial_vector


def test_size_and_cost_by_hand() -> None:
    model = Cnn()
    # 16 (27 + 1) + 32 (144 + 1) + 64 (288 + 1) + 10 (1024 + 1)
    assert sum(parameter.numel() for parameter in model.parameters()) == 448 + 4_640 + 18_496 + 10_250 == 33_834
    # 1024 places of 27 x 16, 256 of 144 x 32, 64 of 288 x 64, and the head
    products = [count for _, count in chain_products(model, (1, 3, 32, 32))]
    assert products == [442_368, 1_179_648, 1_179_648, 10_240]


def test_pooling_before_the_relu_is_the_usual_network() -> None:
    model, images = Cnn(widths=(4, 6)), torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    weights = list(model.parameters())
    x = images
    for weight, bias in (weights[0:2], weights[2:4]):
        x = functional.max_pool2d(functional.relu(functional.conv2d(x, weight, bias, padding=1)), 2)
    expected = functional.linear(x.flatten(1), *weights[4:])
    assert expected.shape == (3, 10)
    torch.testing.assert_close(model(images), expected)


def test_its_gradient_goes_layer_by_layer_and_is_autograds() -> None:
    model, source = Cnn(widths=(3, 5, 4), classes=7), torch.Generator().manual_seed(2)
    engine, loop = (GradientEngine(model, method=method, dtype=torch.float64) for method in ("auto", "loop"))
    assert engine.method == "layers"
    at = initial_vector(model, 3).double()
    inputs = torch.randn(2, 3, 3, 32, 32, generator=source, dtype=torch.float64)
    targets = torch.randint(0, 7, (2, 3), generator=source)
    ours, theirs = (torch.empty(2, len(at), dtype=torch.float64) for _ in range(2))
    torch.testing.assert_close(engine(at, inputs, targets, ours), loop(at, inputs, targets, theirs))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("widths", [[], [1] * 6, "16", 16, [16, 0], [2.5], [True]])
def test_bad_widths_are_named(widths: object) -> None:
    with pytest.raises(ValueError, match="model.widths: expected"):
        Cnn(widths=widths)  # type: ignore[arg-type]


def test_bad_classes_are_named() -> None:
    with pytest.raises(ValueError, match="model.classes: expected an integer of at least 1, got 0"):
        Cnn(classes=0)
