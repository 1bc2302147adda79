import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.tasks.synthetic import Logistic, Quadratic
from simulator.tasks.synthetic.logistic import newton

EXACT = dict(device="cpu", dtype="float64", seed=1)


def gradients(task, at, step=0, workers=None):
    workers = torch.arange(task.workers) if workers is None else workers
    out = torch.full((len(workers), task.layout.size), float("nan"), dtype=task.dtype)
    return task.gradient(at, workers, step, out), out


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 12), st.floats(1, 1e4), st.floats(0, 5))
def test_quadratic_optimum_is_where_the_gradients_cancel(workers, d, condition, heterogeneity):
    task = Quadratic(
        workers=workers, batch=2, dimensions=d, condition=condition, heterogeneity=heterogeneity, noise=0.0, **EXACT
    )
    losses, out = gradients(task, task.minimiser)
    assert torch.allclose(task.weights @ out, torch.zeros(d, dtype=torch.float64), atol=1e-12)
    assert float(task.weights @ losses) == pytest.approx(task.optimum, abs=1e-12)
    assert task.evaluate(task.minimiser).loss == pytest.approx(task.optimum, abs=1e-12)
    elsewhere = task.initial(3)
    losses, _ = gradients(task, elsewhere)
    assert float(task.weights @ losses) == pytest.approx(task.evaluate(elsewhere).loss, rel=1e-9, abs=1e-12)
    assert task.evaluate(elsewhere).loss >= task.optimum and task.evaluate(elsewhere).accuracy is None


def test_quadratic_by_hand():
    # d = 2, condition 4: A = diag(1/4, 1), centres at 0: f(2, 3) = (1/4 * 4 + 9) / 2 = 5, gradient (1/2, 3)
    task = Quadratic(workers=1, batch=1, dimensions=2, condition=4, heterogeneity=0, noise=0, **EXACT)
    at = torch.tensor([2.0, 3.0], dtype=torch.float64)
    losses, out = gradients(task, at)
    assert losses.tolist() == [5.0] and out.tolist() == [[0.5, 3.0]]
    assert task.optimum == 0.0 and task.evaluate(at).loss == 5.0 and task.flops_per_step == 8.0


def test_quadratic_rows_of_parameters_are_independent():
    task = Quadratic(workers=4, batch=1, dimensions=5, noise=0.3, **EXACT)
    at = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    losses, out = gradients(task, at, step=9)
    for worker in range(4):
        loss, row = gradients(task, at[worker], step=9, workers=torch.tensor([worker]))
        assert torch.equal(loss[0], losses[worker]) and torch.equal(row[0], out[worker])


def test_quadratic_noise_has_the_stated_length_and_falls_with_the_batch():
    for batch in (1, 16):
        task = Quadratic(workers=500, batch=batch, dimensions=40, heterogeneity=0, noise=2.0, **EXACT)
        first, second = (gradients(task, task.minimiser, step)[1] for step in (0, 1))
        assert float(first.square().sum(1).mean()) == pytest.approx(4.0 / batch, rel=0.05)
        assert not torch.equal(first, second) and torch.equal(first, gradients(task, task.minimiser, 0)[1])


def test_quadratic_centres_spread_as_told():
    task = Quadratic(workers=2000, batch=1, dimensions=10, condition=1, heterogeneity=3.0, noise=0, **EXACT)
    assert 2 * task.optimum == pytest.approx(9.0, rel=0.05)  # f* = mean |c_i - x*|^2 / 2 where A = I


def test_gradient_descent_converges_as_the_condition_says():
    task = Quadratic(workers=3, batch=1, dimensions=20, condition=10, noise=0, **EXACT)
    at = task.initial(1)
    gap = task.evaluate(at).loss - task.optimum
    for step in range(20):
        at = at - gradients(task, at, step)[1].mean(0)
    # step 1/L contracts the distance by 1 - 1/condition a step
    assert 0 <= task.evaluate(at).loss - task.optimum <= gap * 0.9**40


@settings(max_examples=10)
@given(st.integers(1, 8), st.integers(1, 12), st.sampled_from([1e-4, 1e-2, 1.0]), st.sampled_from([0.0, 2.0]))
def test_logistic_optimum_has_no_gradient(workers, d, l2, heterogeneity):
    task = Logistic(
        workers=workers,
        batch=64 // workers,
        dimensions=d,
        samples=64,
        l2=l2,
        heterogeneity=heterogeneity,
        batches="shuffle",
        **EXACT,
    )
    x = task.minimiser.clone().requires_grad_()
    signed = task._signed
    value = torch.nn.functional.softplus(-(signed @ x)).mean() + 0.5 * l2 * x @ x
    (slope,) = torch.autograd.grad(value, x)
    assert float(slope.norm()) <= 1e-10 and float(value.detach()) == pytest.approx(task.optimum, abs=1e-12)
    assert task.evaluate(task.minimiser).loss == pytest.approx(task.optimum, abs=1e-12)
    for seed in range(3):
        away = task.minimiser + 0.1 * torch.randn(d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        assert task.evaluate(away).loss > task.optimum


def test_logistic_full_batches_add_up_to_the_objective():
    task = Logistic(
        workers=4, batch=16, dimensions=6, samples=64, l2=0.1, heterogeneity=1.0, batches="shuffle", **EXACT
    )
    at = torch.linspace(-1, 1, 6, dtype=torch.float64)
    losses, out = gradients(task, at, step=3)
    x = at.clone().requires_grad_()
    value = torch.nn.functional.softplus(-(task._signed @ x)).mean() + 0.05 * x @ x
    (slope,) = torch.autograd.grad(value, x)
    assert float(task.weights @ losses) == pytest.approx(task.evaluate(at).loss, abs=1e-12)
    assert torch.allclose(task.weights @ out, slope, atol=1e-12)
    rows = gradients(task, at.expand(4, -1), step=3)
    assert torch.allclose(rows[0], losses, atol=1e-14) and torch.allclose(rows[1], out, atol=1e-14)


def test_logistic_accuracy_and_descent():
    task = Logistic(workers=4, batch=8, samples=400, dimensions=10, **EXACT)
    best = task.evaluate(task.minimiser)
    assert task.initial(7).tolist() == [0.0] * 10
    assert task.evaluate(task.initial(7)).loss == pytest.approx(0.693147, abs=1e-6)
    assert 0.8 < best.accuracy <= 1.0
    at = task.initial(1)
    for step in range(150):
        at = at - 1.0 * gradients(task, at, step)[1].mean(0)
    assert 0 < task.evaluate(at).loss - task.optimum < 0.05


def test_newton_says_when_it_cannot():
    separable = torch.ones(4, 1, dtype=torch.float64)
    with pytest.raises(ValueError, match="task.l2: expected one large enough"):
        newton(separable, 1e-300, steps=3)


@pytest.mark.parametrize("kind", [Quadratic, Logistic])
def test_float32_and_weights(kind):
    task = kind(workers=5, batch=3, seed=2, device="cpu")
    at = task.initial(1)
    losses, out = gradients(task, at)
    assert at.dtype == out.dtype == losses.dtype == torch.float32 and losses.shape == (5,)
    assert float(task.weights.sum()) == pytest.approx(1) and task.weights.dtype == torch.float64
    assert bool(torch.isfinite(out).all()) and task.layout.size == out.shape[1]


@pytest.mark.parametrize(
    "kind, changes, message",
    [
        (Quadratic, {"workers": 0}, "workers: expected"),
        (Quadratic, {"batch": 0}, "batch: expected"),
        (Quadratic, {"dimensions": 0}, "task.dimensions: expected"),
        (Quadratic, {"condition": 0.5}, "task.condition: expected a finite number of at least 1, got 0.5"),
        (Quadratic, {"heterogeneity": -1}, "task.heterogeneity: expected a finite number of at least 0"),
        (Quadratic, {"noise": float("nan")}, "task.noise: expected a finite number"),
        (Logistic, {"l2": 0}, "task.l2: expected a finite number above 0, got 0"),
        (Logistic, {"samples": 3}, "workers: expected at most 3.*got 4"),
        (Logistic, {"batches": "x"}, "task.batches: expected one of"),
        (Logistic, {"heterogeneity": "much"}, "task.heterogeneity: expected"),
    ],
)
def test_bad_input_is_named(kind, changes, message):
    with pytest.raises(ValueError, match=message):
        kind(**(dict(workers=4, batch=2, seed=1, device="cpu") | changes))


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [Quadratic, Logistic])
def test_a_gpu_computes_the_same(kind):
    results = []
    for device in ("cpu", "cuda"):
        task = kind(workers=5, batch=3, seed=2, device=device, dtype="float64")
        out = torch.empty(5, task.layout.size, dtype=torch.float64, device=task.device)
        results.append((task.gradient(task.initial(1), torch.arange(5), 4, out).cpu(), out.cpu()))
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(*results, strict=True))
