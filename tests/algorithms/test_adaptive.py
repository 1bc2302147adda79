"""AdaGrad and Adam against torch.optim."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.adaptive import AdaGrad, Adam
from algorithms.descent import Descent
from algorithms.schedules import Step

ORACLES: list[tuple[Any, Any, dict[str, Any]]] = [
    (AdaGrad, torch.optim.Adagrad, {"eps": 1e-8}),
    (Adam, torch.optim.Adam, {}),
]


@pytest.mark.parametrize(("rule", "oracle", "options"), ORACLES)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_like_torch(rule: Any, oracle: Any, options: dict[str, Any], decay: float) -> None:
    generator = torch.Generator().manual_seed(1)
    model = torch.randn(7, dtype=torch.float64, generator=generator)
    theirs = model.clone().requires_grad_()
    descent = oracle([theirs], lr=0.1, weight_decay=decay, **options)
    outer = rule(Descent(lr=0.1, weight_decay=decay))
    for t in range(20):
        gradient = torch.randn(7, dtype=torch.float64, generator=generator) * (t % 3 > 0)
        theirs.grad = gradient.clone()
        descent.step()
        before = gradient.clone()
        outer(model, gradient, t, 20)
        assert torch.equal(gradient, before)
    torch.testing.assert_close(model, theirs.detach(), rtol=1e-12, atol=1e-12)


def test_zeros_are_inert_under_adagrad_but_not_under_adam() -> None:
    for rule, moves in ((AdaGrad, False), (Adam, True)):
        outer, model = rule(Descent(lr=0.1)), torch.zeros(1)
        outer(model, torch.ones(1), 0, 2)
        first = model.clone()
        outer(model, torch.zeros(1), 1, 2)
        assert (not torch.equal(model, first)) is moves


def test_the_rate_follows_the_schedule_and_the_state_survives() -> None:
    schedule = Step(milestones=[0.5], gamma=0.5)
    outer, model = AdaGrad(Descent(lr=1.0, schedule=schedule)), torch.zeros(1, dtype=torch.float64)
    outer(model, torch.tensor([2.0], dtype=torch.float64), 0, 2)
    again = AdaGrad(Descent(lr=1.0, schedule=schedule))
    again.load(outer.state())
    again(model, torch.tensor([2.0], dtype=torch.float64), 1, 2)
    assert model.tolist() == pytest.approx([-1 - 0.5 * 2 / 8**0.5])  # -2 / 2, then half of 2 / sqrt(4 + 4)


@pytest.mark.parametrize("rule", [AdaGrad, Adam])
def test_momentum_is_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match=r"algorithm\.momentum: expected 0 with algorithm\.optimizer=ada"):
        rule(Descent(momentum=0.9))
