"""When each layer's gradient is there: by hand, against automatic differentiation, and measured."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from simulator.compute import Counted, Fixed, Measured
from simulator.compute.profile import Profile
from simulator.gradients.readiness import _by_autograd, readiness, timed_readiness
from simulator.tasks.models import LeNet5, Mlp, Softmax


def test_two_layers_by_hand() -> None:
    # 4-3-2: 12 and 6 products. Forward 18; backward 2 x 6, then 12 (no gradient of the inputs): 42 in all
    assert readiness(Mlp(widths=(4, 3, 2)), (5, 4)) == (1.0, 1.0, 30 / 42, 30 / 42)


@pytest.mark.parametrize(
    ("module", "shape"),
    [(Mlp(), (32, 784)), (LeNet5(), (4, 1, 28, 28)), (Softmax(), (8, 784)), (Mlp(widths=(4, 3, 2, 2)), (1, 4))],
    ids=["mlp", "lenet5", "softmax", "small"],
)
def test_counting_layers_agrees_with_watching_autograd(module: nn.Module, shape: tuple[int, ...]) -> None:
    counted, watched = readiness(module, shape), _by_autograd(module, shape)
    assert counted == pytest.approx(watched)
    assert counted[:2] == (1.0, 1.0) and list(counted) == sorted(counted, reverse=True)


class Residual(nn.Module):
    """No plain chain: its second layer is used twice, its last is declared first."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.first, self.second = nn.Linear(4, 2), nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        out: Tensor = self.head(self.second(hidden + self.second(hidden)))
        return out


def test_any_module_is_watched() -> None:
    head, _, first, first_bias, second, _ = readiness(Residual(), (5, 3))
    # products: 12 first, 16 + 16 second, 8 head: forward 52, backward 16 + 32 + 32 + 12 = 92
    assert (head, second, first, first_bias) == pytest.approx((68 / 144, 132 / 144, 1.0, 1.0))


def test_a_module_without_products_is_ready_at_the_end() -> None:
    assert readiness(nn.Sequential(nn.BatchNorm1d(3)), (4, 3)) == (1.0, 1.0)


def test_measured_times_lie_in_the_step_and_in_the_order_of_the_layers() -> None:
    module, generator = Mlp(widths=(64, 64, 64, 10)), torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(16, 64, generator=generator), torch.randint(0, 10, (16,), generator=generator)
    times = timed_readiness(module, inputs, targets, repeats=3)
    assert all(0 < time <= 1 for time in times) and times[0] > times[2] > times[4]
    assert all(parameter.grad is None for parameter in module.parameters())


def test_a_profile_joins_its_points() -> None:
    assert [Profile()(x) for x in (0.0, 0.3, 1.0)] == [0.0, 0.3, 1.0]
    profile = Profile([[0.25, 0.5], [0.5, 0.9]])
    assert [profile(x) for x in (0, 0.125, 0.25, 0.75, 1)] == pytest.approx([0, 0.25, 0.5, 0.95, 1])
    for compute in (Counted(workers=1, profile=[[0.5, 0.8]]), Fixed(workers=1, profile=[[0.5, 0.8]])):
        assert compute.reached(0.5) == 0.8
    assert Measured(workers=1, seconds_per_step=1.0, memory_bytes_per_s=1.0, profile=[[0.5, 0.8]]).reached(0.5) == 0.8


@pytest.mark.parametrize("points", [[[0.5, 0.2], [0.4, 0.3]], [[0.5, 1.2]], [[0.5]], "ab", [["x", 1]], 3, [[-0.1, 0]]])
def test_a_bad_profile_is_refused(points: object) -> None:
    with pytest.raises(ValueError, match=r"^compute.profile: expected growing pairs .* got "):
        Fixed(workers=1, profile=points)  # type: ignore[arg-type]
