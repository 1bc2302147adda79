"""ResNet-9, the fast CIFAR-10 network of the DAWNBench competition."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from simulator.tasks.models.initial import private_generator
from simulator.tasks.models.normalisation import normalisation
from simulator.tasks.validation import whole


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, ...) to the same shape."""
        return x + self.branch(x)


class ResNet9(nn.Module):
    """Eight convolutions and one dense layer for images of 3 x 32 x 32; d = 6,573,120.

    Parameters
    ----------
    width : int
        Channels of the first layer: the others have 2, 4 and 8 times as many. 64 is the paper's, less is a small twin.
    norm : str
        See `normalisation`.
    classes : int
        Logits.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If a number is below 1 or `norm` is unknown.

    Notes
    -----
    prep - (conv, pool, residual) - (conv, pool) - (conv, pool, residual) - pool 4 - dense without bias, its logits
    times 1/8. That the paper used this network follows from its d, not from a description.

    References
    ----------
    Page, "How to train your ResNet", 2018; Ivkin et al., "Communication-efficient distributed SGD with sketching",
    NeurIPS 2019, section 5.
    """

    def __init__(self, *, width: int = 64, norm: str = "group", classes: int = 10, name: str = "resnet9") -> None:
        super().__init__()
        c = whole("model.width", width, 1)
        with private_generator():
            self.layers = nn.Sequential(
                _convolution(3, c, norm),
                _convolution(c, 2 * c, norm),
                nn.MaxPool2d(2),
                Residual(nn.Sequential(_convolution(2 * c, 2 * c, norm), _convolution(2 * c, 2 * c, norm))),
                _convolution(2 * c, 4 * c, norm),
                nn.MaxPool2d(2),
                _convolution(4 * c, 8 * c, norm),
                nn.MaxPool2d(2),
                Residual(nn.Sequential(_convolution(8 * c, 8 * c, norm), _convolution(8 * c, 8 * c, norm))),
            )
            self.head = nn.Linear(8 * c, whole("model.classes", classes, 1), bias=False)
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to logits (N, classes)."""
        return self.head(functional.max_pool2d(self.layers(x), 4).flatten(1)) * 0.125


def _convolution(inputs: int, outputs: int, norm: str) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), normalisation(norm, outputs), nn.ReLU())
