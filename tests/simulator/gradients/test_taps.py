"""'taps' gives what plain autograd gives, worker by worker, for every model of the house."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from simulator.gradients import GradientEngine
from simulator.tasks import models
from simulator.tasks.models.resnet50 import Bottleneck
from simulator.threads import ChunkPool, one_thread

V, T = 7, 6  # symbols and their number in a sequence


def bottleneck(norm):
    return nn.Sequential(Bottleneck(3, 2, 2, norm), Bottleneck(8, 2, 1, norm), nn.Flatten(), nn.Linear(8 * 16 * 16, 10))


IMAGES, TOKENS, PAIRS = (3, 32, 32), (T,), (2, T)
HOUSE = {
    "softmax": (lambda: models.Softmax(inputs=20), (20,), 10),
    "mlp": (lambda: models.Mlp(widths=(20, 9, 5)), (20,), 5),
    "lenet": (models.LeNet5, (1, 28, 28), 10),
    "cnn": (lambda: models.Cnn(widths=(3, 4)), IMAGES, 10),
    "projection": (lambda: models.CifarResNet(blocks=(1, 1), widths=(4, 8)), IMAGES, 10),
    "projection_batch": (lambda: models.CifarResNet(blocks=(1, 1), widths=(4, 8), norm="batch"), IMAGES, 10),
    "pad": (lambda: models.CifarResNet(blocks=(1, 1), widths=(4, 8), shortcut="pad"), IMAGES, 10),
    "resnet9": (lambda: models.ResNet9(width=2), IMAGES, 10),
    "resnet9_batch": (lambda: models.ResNet9(width=2, norm="batch"), IMAGES, 10),
    "bottleneck": (lambda: bottleneck("group"), IMAGES, 10),
    "bottleneck_batch": (lambda: bottleneck("batch"), IMAGES, 10),
    "lstm": (lambda: models.LstmLanguageModel(vocabulary=V, embedding=3, hidden=4), TOKENS, V),
    "lstm_tied": (lambda: models.LstmLanguageModel(vocabulary=V, embedding=4, hidden=4, tied=True), TOKENS, V),
    "attention_gru": (lambda: models.AttentionTranslator(vocabulary=V, embedding=3, hidden=4, layers=2), PAIRS, V),
    "attention_lstm": (lambda: models.AttentionTranslator(vocabulary=V, embedding=3, hidden=4, cell="lstm"), PAIRS, V),
    "transformer": (lambda: models.Transformer(vocabulary=V, width=8, heads=2, inner=12), PAIRS, V),
}


def batch(shape, classes, w, b):
    """Draw inputs and targets; some targets of symbols do not count, for the first worker only one does."""
    source = torch.Generator().manual_seed(7)
    if len(shape) == 3 or shape == (20,):
        return torch.rand(w, b, *shape, generator=source).double(), torch.randint(0, classes, (w, b), generator=source)
    inputs = torch.randint(1, classes, (w, b, *shape), generator=source)
    targets = torch.randint(0, classes, (w, b, T), generator=source)
    targets[:, 0, 3:] = -100
    targets[0].view(-1)[1:] = -100
    return inputs, targets


def parameters(module, w=None):
    start = torch.cat([p.detach().flatten() for p in module.parameters()]).double()
    if w is None:
        return start
    return start + 0.05 * torch.randn(w, len(start), generator=torch.Generator().manual_seed(3)).double()


def evaluate(engine, at, inputs, targets):
    out = torch.full((len(inputs), engine.layout.size), float("nan"), dtype=engine.dtype)
    return out, engine(at, inputs, targets, out)


@pytest.mark.parametrize(("w", "b", "rows"), [(3, 4, False), (3, 4, True), (2, 3, False), (1, 3, False), (1, 2, True)])
@pytest.mark.parametrize("name", HOUSE)
def test_every_model_of_the_house(name, w, b, rows, oracle, monkeypatch):
    if name in ("attention_gru", "transformer"):
        monkeypatch.delattr("simulator.gradients.engine.loop")  # rows of parameters have taps too
    build, shape, classes = HOUSE[name]
    module = build()
    inputs, targets = batch(shape, classes, w, b)
    at = parameters(module, w if rows else None)
    engine = GradientEngine(module, method="taps", dtype=torch.float64)
    out, losses = evaluate(engine, at, inputs, targets)
    expected, expected_losses = oracle(module, at, inputs, targets)
    assert (engine.method, engine.fallbacks) == ("taps", [])
    torch.testing.assert_close(losses, expected_losses, rtol=1e-12, atol=0)
    torch.testing.assert_close(out, expected, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", ["lenet", "pad", "lstm", "attention_gru", "transformer"])
def test_float32_is_as_close_as_the_loop(name):
    # the products of float32 take another library than those of float64
    build, shape, classes = HOUSE[name]
    module = build()
    inputs, targets = batch(shape, classes, 2, 16)
    inputs = inputs.float() if inputs.is_floating_point() else inputs
    exact, _ = evaluate(
        GradientEngine(module, method="loop", dtype=torch.float64),
        parameters(module),
        inputs.double() if inputs.is_floating_point() else inputs,
        targets,
    )
    found, _ = evaluate(GradientEngine(module, method="taps"), parameters(module).float(), inputs, targets)
    assert (found - exact).abs().max() < 1e-4 * exact.abs().max()


def twice():
    layer = nn.Linear(20, 20)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Linear(20, 5), nn.Tanh())


def tied():
    net = nn.Sequential(nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 20), nn.Linear(20, 5))
    net[2].weight = net[0].weight
    return net


class Scaled(nn.Module):
    """Parameters that no layer owns, on either side of the operator; one is never used."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.rand(20)), nn.Parameter(torch.rand(1, 1))
        self.idle, self.head = nn.Parameter(torch.rand(3)), nn.Linear(20, 5, bias=False)

    def forward(self, x):
        return self.head(self.scale * x + self.shift) * self.scale.shape[0]


class Recurrent(nn.Module):
    """Time first, no biases, both directions, and the states at the end count."""

    def __init__(self, kind):
        super().__init__()
        self.cell = kind(4, 3, num_layers=2, bias=False, bidirectional=True)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        y, end = self.cell(x.view(-1, 5, 4).transpose(0, 1))
        end = end[1] if isinstance(end, tuple) else end
        return self.head(y.mean(0)) + end.sum(0).repeat(1, 2)[:, :5]


class Padded(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.norm = nn.Embedding(9, 4, padding_idx=2), nn.LayerNorm((5, 4), bias=False)
        self.head = nn.Linear(20, 5)

    def forward(self, x):
        return self.head(self.norm(self.table((x.view(-1, 5, 4).sum(2) * 2).long() % 9)).flatten(1))


@pytest.mark.parametrize(
    "build",
    [twice, tied, Scaled, lambda: Recurrent(nn.LSTM), lambda: Recurrent(nn.GRU), Padded],
    ids=["twice", "tied", "scaled", "lstm", "gru", "padded"],
)
def test_other_ways_to_use_parameters(build):
    module = build().double()
    inputs, targets = batch((20,), 5, 3, 4)
    at = parameters(module)
    engine = GradientEngine(module, method="taps", dtype=torch.float64)
    out, losses = evaluate(engine, at, inputs, targets)
    assert engine.fallbacks == []
    for r in range(3):  # the oracle of the other tests wants a gradient of every parameter
        nn.utils.vector_to_parameters(at, module.parameters())
        module.zero_grad()
        loss = nn.functional.cross_entropy(module(inputs[r]), targets[r])
        loss.backward()
        wanted = [torch.zeros_like(p) if p.grad is None else p.grad for p in module.parameters()]
        torch.testing.assert_close(out[r], torch.cat([g.flatten() for g in wanted]), rtol=1e-9, atol=1e-12)
        assert losses[r].item() == pytest.approx(loss.item(), rel=1e-12)


@pytest.mark.parametrize("rows", [False, True], ids=["shared", "rows"])
@pytest.mark.parametrize("name", ["pad", "resnet9_batch", "lstm_tied", "attention_gru", "transformer"])
def test_bits_do_not_depend_on_threads_or_memory(name, rows):
    one_thread()
    build, shape, classes = HOUSE[name]
    module = build()
    inputs, targets = batch(shape, classes, 8, 16)
    inputs = inputs.float() if inputs.is_floating_point() else inputs
    at = parameters(module, 8 if rows else None).float()
    engine = GradientEngine(module, method="taps")
    chunks = [slice(0, 4), slice(4, 8)] * 3

    def chunk(some):
        apart = torch.full((4, engine.layout.size + 5), float("nan"))[:, 3:-2]
        return engine(at[some].clone() if rows else at, inputs[some], targets[some], apart), apart

    inline = [chunk(some) for some in chunks]
    with ChunkPool(3) as pool:
        for found, expected in zip(pool.map(chunk, chunks), inline, strict=True):
            assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
