"""What 'taps' has no rule for is done one worker after the other, and said once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from simulator.gradients import GradientEngine
from simulator.gradients.loss import counted_cross_entropy
from simulator.gradients.steps import products
from simulator.tasks.models import Mlp
from tests.running import run


class Mixing(nn.Module):
    """Takes the mean over all samples away: no parameter in it, and yet no sample by itself."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(x - x.mean(0))


class Turned(nn.Module):
    """Multiplies with a transposed parameter."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4, 8))

    def forward(self, x):
        return x @ self.weight.t()


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(8, 4)

    def forward(self, x):
        y = x.view(-1, 2, 4)
        return self.head(self.attention(y, y, y, need_weights=False)[0].flatten(1))


class Positions(nn.Module):
    """Projects a constant table: its first axis is not that of the samples."""

    def __init__(self):
        super().__init__()
        self.project, self.head = nn.Linear(3, 8), nn.Linear(8, 4)

    def forward(self, x):
        return self.head(x + self.project(torch.ones(4, 3, dtype=x.dtype)).mean(0))


CASES = {
    "mixing": (Mixing, "it mixes the samples of different workers"),
    "turned": (Turned, "no rule for 'weight', which t uses"),
    "attending": (Attending, "no rule for 'attention.in_proj_weight'"),
    "positions": (Positions, "it mixes the samples of different workers"),
    "prelu": (lambda: nn.Sequential(nn.Linear(8, 4), nn.PReLU()), "no rule for '1.weight', which prelu uses"),
    "same": (
        lambda: nn.Sequential(
            nn.Unflatten(1, (1, 2, 4)), nn.Conv2d(1, 1, 3, padding="same"), nn.Flatten(), nn.Linear(8, 4)
        ),
        "no rule for '1.weight': padding='same'",
    ),
    "dropout": (
        lambda: nn.Sequential(nn.Unflatten(1, (2, 4)), Last(nn.LSTM(4, 4, 2, batch_first=True, dropout=0.5))),
        "no rule for '1.layer.weight_ih_l0': dropout=0.5",
    ),
}


class Last(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0][:, -1]


@pytest.mark.parametrize("name", CASES)
def test_a_model_without_rules_falls_back_by_itself(name, oracle):
    build, reason = CASES[name]
    module = build().double()
    source = torch.Generator().manual_seed(1)
    inputs = torch.rand(3, 4, 8, generator=source).double()
    targets = torch.randint(0, 4, (3, 4), generator=source)
    at = torch.cat([p.detach().flatten() for p in module.parameters()])
    engine = GradientEngine(module, method="taps", dtype=torch.float64)
    out = torch.empty(3, engine.layout.size, dtype=torch.float64)
    for _ in range(2):
        losses = engine(at, inputs, targets, out)
    assert engine.method == "loop"
    (note,) = engine.fallbacks
    assert note.startswith("gradient_method: loop instead of taps for this model: ") and reason in note
    if name != "dropout":
        expected, expected_losses = oracle(module, at, inputs, targets)
        torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(losses, expected_losses, rtol=1e-12, atol=0)


def test_a_run_says_so_once(tmp_path):
    asked = ["task=fashion_mnist_mini", "workers=2", "rounds=1", "eval_every=1", "gradient_method=taps"]
    made, summary = run(tmp_path / "run", *asked, f"model._target_={__name__}.Mixed")
    (note,) = made.task.fallbacks()
    assert "it mixes the samples of different workers" in note
    expected = {"asked": "taps", "method": "loop", "by": "asked", "notes": [note]}
    assert made.folder.read_json("manifest")["gradients"] == expected
    assert made.folder.read_config()["gradient_method"] == "loop"
    assert summary["fallbacks"] == [note]


class Mixed(Mlp):
    """A model that a user might bring."""

    def forward(self, x):
        return super().forward(x - x.mean(0))


def test_a_loss_by_hand():
    # logits 0, ln 3: p = 1/4, 3/4. Worker 0 counts its first prediction only, worker 1 none
    logits = torch.tensor([[[0.0, 5.0], [3.0, 1.0]], [[1.0, 1.0], [2.0, 2.0]]]).double()
    logits[0, :, 0] = torch.tensor([0.0, 3.0]).double().log().clamp(min=0)
    losses, gradient = counted_cross_entropy(logits, torch.tensor([[[1, -100]], [[-100, -100]]]))
    assert losses[0].item() == pytest.approx(0.28768207245178085, abs=1e-15) and losses[1].isnan()  # -ln 3/4
    assert gradient[0, :, 0].tolist() == pytest.approx([0.25, -0.25], abs=1e-15)
    assert not gradient[0, :, 1].any() and not gradient[1].any()


def test_a_bad_number_of_logits_is_named():
    with pytest.raises(ValueError, match=r"model: expected logits for targets \(2, 3\), got \(6, 4, 2\)"):
        counted_cross_entropy(torch.zeros(6, 4, 2), torch.zeros(2, 3, dtype=torch.int64))


@pytest.mark.parametrize("rows", [5, 70])
def test_products_of_views(rows):
    source = torch.Generator().manual_seed(2)
    g, x = (torch.randn(2, rows, 3, size, generator=source)[:, :, 1] for size in (6, 4))  # rows that lie apart
    slab = torch.full((2, 50), float("nan"))
    products.outer(g, x, slab[:, 7 : 7 + 24].view(2, 6, 4))
    exact = (g.double().transpose(1, 2) @ x.double()).float()
    torch.testing.assert_close(slab[:, 7:31].reshape(2, 6, 4), exact)
    weight, bias = torch.randn(4, 6, generator=source).t(), torch.randn(6, generator=source)
    torch.testing.assert_close(products.linear(x, weight, bias), (x.double() @ weight.t().double()).float() + bias)
