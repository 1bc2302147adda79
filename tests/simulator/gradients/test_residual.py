"""Gradients of residual networks: no rule in 'layers', so one worker after the other, or all under vmap."""

import pytest
import torch

from simulator.gradients import GradientEngine
from simulator.tasks.models import CifarResNet, ResNet9

NETWORKS = {
    "projection": lambda norm: CifarResNet(blocks=(1, 1), widths=(4, 8), norm=norm),
    "pad": lambda norm: CifarResNet(blocks=(1, 1), widths=(4, 8), shortcut="pad", norm=norm),
    "resnet9": lambda norm: ResNet9(width=2, norm=norm),
}


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("norm", ["group", "batch"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_method_is_one_worker_after_the_other(name, norm, rows, oracle):
    module = NETWORKS[name](norm).double()
    source = torch.Generator().manual_seed(7)
    inputs = torch.rand(3, 4, 3, 32, 32, generator=source, dtype=torch.float64)
    targets = torch.randint(0, 10, (3, 4), generator=source)
    start = torch.cat([p.detach().flatten() for p in module.parameters()])
    at = start.repeat(3, 1) + 0.1 * torch.randn(3, len(start), generator=source, dtype=torch.float64) if rows else start
    expected, losses = oracle(module, at, inputs, targets)
    for method in ("loop", "vmap"):
        engine = GradientEngine(module, method=method, dtype=torch.float64)
        out = torch.empty(3, engine.layout.size, dtype=torch.float64)
        assert torch.allclose(engine(at, inputs, targets, out), losses, rtol=1e-10)
        assert torch.allclose(out, expected, rtol=1e-8, atol=1e-11)
    assert GradientEngine(module).method == "loop"
