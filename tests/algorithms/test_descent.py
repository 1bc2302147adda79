"""The descent rule against torch.optim.SGD, and the schedules against values worked by hand."""

from __future__ import annotations

import itertools

import pytest
import torch

from algorithms.descent import Descent
from algorithms.outer import OuterDescent
from algorithms.schedules import Constant, Cosine, Inverse, Linear, Step

STEPS = 20
COMBINATIONS = [
    (momentum, nesterov, decay)
    for momentum, nesterov, decay in itertools.product((0.0, 0.5, 0.9), (False, True), (0.0, 0.01))
    if momentum or not nesterov
]


@pytest.mark.parametrize(("momentum", "nesterov", "decay"), COMBINATIONS)
def test_equals_torch(momentum: float, nesterov: bool, decay: float) -> None:
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(7, dtype=torch.float64, generator=generator)
    gradients = torch.randn(STEPS, 3, 7, dtype=torch.float64, generator=generator)
    options = {"momentum": momentum, "nesterov": nesterov, "weight_decay": decay}
    rule = Descent(lr=0.1, **options)  # type: ignore[arg-type]
    # three workers at once, each with a momentum of its own; and the common model under the mean gradient
    local = start.expand(3, 7).clone()
    velocity = torch.zeros(3, 7, dtype=torch.float64) if momentum else None
    outer, model = OuterDescent(rule), start.clone()
    oracles = [start.clone().requires_grad_() for _ in range(4)]
    optimisers = [torch.optim.SGD([x], lr=0.1, **options) for x in oracles]  # type: ignore[arg-type]
    for t, gradient in enumerate(gradients):
        rule.step(local, gradient.clone(), velocity, rule.rate(t, STEPS))
        mean = gradient.mean(0)
        outer(model, mean, t, STEPS)
        assert torch.equal(mean, gradient.mean(0))  # the mean is somebody else's
        for x, optimiser, g in zip(oracles, optimisers, [*gradient, mean], strict=True):
            x.grad = g.clone()
            optimiser.step()
    expected = torch.stack([x.detach() for x in oracles])
    torch.testing.assert_close(torch.cat([local, model[None]]), expected, rtol=0, atol=1e-12)


def test_a_scheduled_rate_equals_torchs() -> None:
    x, oracle = torch.ones(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64).requires_grad_()
    optimiser = torch.optim.SGD([oracle], lr=0.2, momentum=0.9)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=STEPS)
    outer = OuterDescent(Descent(lr=0.2, momentum=0.9, schedule=Cosine()))
    for t in range(STEPS):
        oracle.grad = oracle.detach().clone()
        outer(x, x.clone(), t, STEPS)
        optimiser.step()
        decay.step()
    torch.testing.assert_close(x, oracle.detach(), rtol=0, atol=1e-12)


def test_constant() -> None:
    assert [Constant()(t, 5) for t in range(5)] == [1] * 5
    # a warm-up over 4 of 10 rounds: 1/4, 2/4, 3/4, 4/4, 1 ...
    assert [Constant(warmup=0.4)(t, 10) for t in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_inverse() -> None:
    # a = 0.5 x 4 = 2 rounds: 2/2, 2/3, 2/4, 2/5
    assert [Inverse(shift=0.5)(t, 4) for t in range(4)] == [1, 2 / 3, 0.5, 0.4]
    assert [Linear(warmup=0.5)(t, 4) for t in range(4)] == [0.5, 1, 1, 0.5]
    assert [Linear()(t, 4) for t in range(4)] == [1, 0.75, 0.5, 0.25]
    assert Inverse(shift=0.5, warmup=0.5)(0, 4) == 0.5


def test_step() -> None:
    step = Step(milestones=[0.5, 0.75], gamma=0.5)
    assert [step(t, 8) for t in range(8)] == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    assert [Step(milestones=[0.5], gamma=0.5, warmup=0.25)(t, 8) for t in range(6)] == [0.5, 1, 1, 1, 0.5, 0.5]
    assert [Step(milestones=[], gamma=0.5)(t, 3) for t in range(3)] == [1, 1, 1]
    # a milestone between two rounds counts from the first round after it
    assert [Step(milestones=[0.5], gamma=0.5)(t, 5) for t in range(5)] == [1, 1, 1, 0.5, 0.5]


def test_cosine() -> None:
    # floor + (1 - floor) (1 + cos(pi t / T)) / 2 at t / T = 0, 1/3, 1/2, 2/3
    assert [Cosine()(t, 6) for t in (0, 2, 3, 4)] == pytest.approx([1, 0.75, 0.5, 0.25])
    assert [Cosine(floor=0.2)(t, 6) for t in (0, 2, 3, 4)] == pytest.approx([1, 0.8, 0.6, 0.4])
    assert Cosine(warmup=0.5)(0, 4) == pytest.approx(0.5)
    assert Cosine(floor=0.0)(100, 100) == pytest.approx(0)


def test_a_rate_is_the_base_times_the_factor() -> None:
    assert Descent(lr=0.4, schedule=Step(milestones=[0.5], gamma=0.25)).rate(1, 2) == pytest.approx(0.1)
