"""Small copies of the networks on which the methods are compared, and the oracle."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


def softmax() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 300), nn.ReLU(inplace=True), nn.Linear(300, 100), nn.Tanh(), nn.Linear(100, 10)
    )


def lenet() -> nn.Module:
    features = nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2))
    head = nn.Sequential(nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    return nn.Sequential(features, head)


def odd() -> nn.Module:
    """Stride, padding, dilation, groups, no bias, GELU, a linear layer on images."""
    return nn.Sequential(
        nn.AvgPool2d(2),
        nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False),
        nn.GELU(),
        nn.Conv2d(4, 6, 3, dilation=2, groups=2, padding=(2, 1)),
        nn.Linear(5, 3),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(6 * 7 * 3, 10, bias=False),
    )


def group_norm() -> nn.Module:
    """A network that 'layers' cannot do."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8 * 8, 10)
    )


NETWORKS = {"softmax": softmax, "mlp": mlp, "lenet": lenet, "odd": odd, "group_norm": group_norm}


@pytest.fixture
def build() -> Callable[[str], nn.Module]:
    """Build a network by name, from fixed initial weights."""

    def of(name: str) -> nn.Module:
        torch.manual_seed(1)
        return NETWORKS[name]()

    return of


@pytest.fixture
def draw() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Draw (at, inputs, targets) for w workers of B samples."""

    def of(
        d: int, w: int, b: int, *, rows: bool = False, dtype: torch.dtype = torch.float64
    ) -> tuple[Tensor, Tensor, Tensor]:
        source = torch.Generator().manual_seed(7)
        at = torch.randn((w, d) if rows else (d,), generator=source, dtype=dtype) * 0.05
        inputs = torch.rand(w, b, 1, 28, 28, generator=source, dtype=dtype)
        return at, inputs, torch.randint(0, 10, (w, b), generator=source)

    return of


@pytest.fixture
def oracle() -> Callable[[nn.Module, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Differentiate with `loss.backward()`, worker by worker, on parameters loaded into the module."""

    def of(module: nn.Module, at: Tensor, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        module = module.to(at.dtype)
        gradients, losses = [], []
        for r in range(len(inputs)):
            nn.utils.vector_to_parameters(at if at.dim() == 1 else at[r], module.parameters())
            module.zero_grad()
            loss = nn.functional.cross_entropy(module(inputs[r]), targets[r])
            loss.backward()
            gradients.append(torch.cat([p.grad.flatten() for p in module.parameters()]))
            losses.append(loss.detach())
        return torch.stack(gradients), torch.stack(losses)

    return of
