"""Bits depend on the arguments alone: not on threads, on memory, or (for 'loop') on the company of other workers."""

from __future__ import annotations

import pytest
import torch

from simulator.gradients import GradientEngine
from simulator.gradients.steps.convolution import Convolution
from simulator.threads import ChunkPool, one_thread

CASES = [
    ("mlp", "layers"),
    ("lenet", "layers"),
    ("group_norm", "loop"),
    ("group_norm", "vmap"),
    ("lenet", "loop"),
    ("mlp", "taps"),
    ("lenet", "taps"),
    ("group_norm", "taps"),
]


@pytest.fixture(autouse=True)
def single_thread():
    one_thread()


def shifted(tensor, by):
    """Copy to memory that begins `by` elements further."""
    buffer = torch.empty(tensor.numel() + by, dtype=tensor.dtype)
    moved = buffer[by:].view(tensor.shape)
    moved.copy_(tensor)
    return moved


@pytest.mark.parametrize("rows", [False, True], ids=["shared", "rows"])
@pytest.mark.parametrize(("name", "method"), CASES)
def test_threads_equal_inline(build, draw, name, method, rows):
    engine = GradientEngine(build(name), method=method)
    w, chunk = 12, 3
    at, inputs, targets = draw(engine.layout.size, w, 4, rows=rows, dtype=torch.float32)
    chunks = [slice(i, i + chunk) for i in range(0, w, chunk)]

    def run(pool):
        slab = torch.full((w, engine.layout.size), float("nan"))
        losses = pool.map(lambda c: engine(at[c] if rows else at, inputs[c], targets[c], slab[c]), chunks)
        return slab, torch.cat(losses)

    inline = run(ChunkPool(1))
    with ChunkPool(4) as pool:
        for _ in range(2):
            threaded = run(pool)
            assert torch.equal(inline[0], threaded[0])
            assert torch.equal(inline[1], threaded[1])


@pytest.mark.parametrize("rows", [False, True], ids=["shared", "rows"])
@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_chunk_equals_itself_wherever_it_lies(build, draw, name, method, rows):
    engine = GradientEngine(build(name), method=method)
    d, w = engine.layout.size, 3
    at, inputs, targets = draw(d, w, 4, rows=rows, dtype=torch.float32)
    first = torch.empty(w, d)
    losses = engine(at, inputs, targets, first)
    big = torch.empty(2 * w, d + 3)  # rows further apart than d
    for by in (1, 5):
        out = shifted(first, by).fill_(float("nan"))
        again = engine(shifted(at, by), shifted(inputs, by), targets.clone(), out)
        assert torch.equal(out, first) and torch.equal(again, losses)
    engine(at, inputs, targets, big[w:, 2 : d + 2])
    assert torch.equal(big[w:, 2 : d + 2], first)


@pytest.mark.parametrize("rows", [False, True], ids=["shared", "rows"])
def test_a_row_of_the_loop_does_not_see_the_others(build, draw, rows):
    engine = GradientEngine(build("mlp"), method="loop")
    at, inputs, targets = draw(engine.layout.size, 5, 4, rows=rows, dtype=torch.float32)
    together = torch.empty(5, engine.layout.size)
    losses = engine(at, inputs, targets, together)
    for r in (4, 0, 2):
        alone = torch.empty(1, engine.layout.size)
        loss = engine(at[r, None] if rows else at, inputs[r, None], targets[r, None], alone)
        assert torch.equal(alone[0], together[r]) and torch.equal(loss[0], losses[r])


def test_both_weight_gradients_of_a_convolution_agree():
    torch.manual_seed(3)
    layer = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2).double()
    step = Convolution.of(layer, 0, 1)
    w, b = 3, 2
    x = torch.randn(w * b, 4, 9, 9).double()
    g = torch.randn(w * b, 6, 5, 5).double()
    one, wide = torch.empty(2, w, 6, 2, 3, 3).double()
    step.one_by_one(g, x, layer.weight.detach(), one)
    step.grouped(g, x, layer.weight.detach(), wide)
    torch.testing.assert_close(one, wide, rtol=0, atol=1e-12)


@pytest.mark.gpu
@pytest.mark.parametrize("method", ["loop", "vmap", "layers", "taps"])
@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_gpu_equals_cpu(build, draw, oracle, name, method):
    module = build(name)
    engine = GradientEngine(module, method=method, device="cuda", dtype=torch.float64)
    at, inputs, targets = draw(engine.layout.size, 3, 4)
    out = torch.empty(3, engine.layout.size, dtype=torch.float64, device="cuda")
    losses = engine(at.cuda(), inputs.cuda(), targets.cuda(), out)
    again = torch.empty_like(out)
    engine(at.cuda(), inputs.cuda(), targets.cuda(), again)
    expected, expected_losses = oracle(module, at, inputs, targets)
    torch.testing.assert_close(out.cpu(), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(losses.cpu(), expected_losses, rtol=0, atol=1e-10)
    assert torch.equal(out, again)
