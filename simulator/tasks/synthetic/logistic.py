"""Binary logistic regression with L2 regularisation on synthetic samples.

f(x) = mean over the N samples of log(1 + exp(-y a'x)) + l2 / 2 |x|^2, with labels y in {-1, +1}. The samples are dealt
out evenly, so a worker's function is the same mean over its own samples, and the optimum is found once by Newton's
method in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from algorithms.cohort import Map, serial_map
from algorithms.layout import Layout
from algorithms.streams import Stream
from simulator.tasks.batches import SAMPLERS
from simulator.tasks.partitions.shards import Shards, require_samples
from simulator.tasks.task import Evaluation
from simulator.tasks.validation import real, torch_device, torch_dtype, whole

_GRADIENT_TOLERANCE = 1e-12


class Logistic:
    """Tell two classes apart whose labels a noisy linear rule made.

    Parameters
    ----------
    workers : int
        n, at most `samples`.
    batch : int
        B, samples per worker and step.
    seed : int
        Of samples, labels and batches.
    dimensions : int
        d.
    samples : int
        N, in all; worker i holds a contiguous block of N / n of them (sizes differ by at most one).
    l2 : float
        Regularisation, above 0 so that there is one optimum.
    heterogeneity : float
        Each worker's labels follow the rule w + heterogeneity * u_i, with w and u_i of length about 4; 0 is IID.
    batches : str
        'replace' or 'shuffle', see `simulator.tasks.batches`.
    device, dtype
        See `Supervised`.
    name : str
        What records call the task.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Features are standard normal, so the smoothness constant of f is near (1 + sqrt(d / N))**2 / 4 + l2.
    `flops_per_step` counts 4 operations per sample and coordinate: a product and a sum for the margin, the same for
    the gradient.
    """

    def __init__(
        self,
        *,
        workers: int,
        batch: int,
        seed: int,
        dimensions: int = 50,
        samples: int = 4096,
        l2: float = 1e-3,
        heterogeneity: float = 0.0,
        batches: str = "replace",
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "float32",
        name: str = "logistic",
    ) -> None:
        self.name = name
        self.workers, self.batch = whole("workers", workers, 1), whole("batch", batch, 1)
        d, count = whole("task.dimensions", dimensions, 1), whole("task.samples", samples, 1)
        require_samples(self.workers, count)
        self._l2 = real("task.l2", l2, 0.0, open_below=True)
        spread = real("task.heterogeneity", heterogeneity, 0.0)
        if batches not in SAMPLERS:
            raise ValueError(f"task.batches: expected one of {', '.join(SAMPLERS)}, got {batches!r}")
        self.device, self.dtype = torch_device(device), torch_dtype(dtype)
        self.layout = Layout.flat(d)
        self.flops_per_step = 4.0 * d * self.batch

        owner = torch.arange(count) * self.workers // count
        shards = Shards.of_owners(owner, self.workers)
        self.weights = shards.weights
        self._sampler = SAMPLERS[batches](shards, self.batch, Stream(seed, "batches"))
        # the label is folded into the features: a sample is right where its signed margin is positive
        signed = _signed_samples(Stream(seed, "logistic"), owner, d, spread).to(self.dtype)
        self.minimiser, optimum = newton(signed.to(torch.float64), self._l2)
        self.optimum: float | None = optimum
        self._signed = signed.to(self.device)

    def initial(self, seed: int) -> Tensor:
        """Start at zero, shape (d,), whatever the seed, as is usual for this convex problem."""
        return torch.zeros(self.layout.size, dtype=self.dtype, device=self.device)

    def gradient(self, at: Tensor, workers: Tensor, step: int | Tensor, out: Tensor) -> Tensor:
        """Write each worker's gradient of a step into `out` and return the losses (see `Task`)."""
        chosen = self._signed[self._sampler(workers, step).to(self.device)]
        # products and sums rather than matrix products: a row's rounding does not depend on the other rows
        margins = (chosen * at.unsqueeze(-2)).sum(-1)
        pull = torch.sigmoid(-margins).div_(-self.batch)
        torch.sum(chosen.mul_(pull.unsqueeze(-1)), 1, out=out)
        out.add_(at, alpha=self._l2)
        return functional.softplus(-margins).mean(1) + (0.5 * self._l2) * (at * at).sum(-1)

    def evaluate(self, model: Tensor, pool: Map = serial_map) -> Evaluation:
        """Give f(model), in float64, and the share of all N samples on the right side."""
        x = model.to(torch.float64)
        margins = self._signed.to(torch.float64) @ x
        return Evaluation(_objective(margins, x, self._l2), float((margins > 0).to(torch.float64).mean()))


def newton(signed: Tensor, l2: float, steps: int = 100) -> tuple[Tensor, float]:
    """Minimise the regularised logistic loss by Newton's method with step halving.

    Parameters
    ----------
    signed : Tensor, shape (N, d), float64
        Features times labels.
    l2 : float
        Regularisation.
    steps : int
        Give up after so many.

    Returns
    -------
    minimiser : Tensor, shape (d,), float64
    optimum : float
        Within |gradient|**2 / (2 l2) of the least value.

    Raises
    ------
    ValueError
        If the gradient is not below 1e-10 in the end: `l2` is too small for float64.
    """
    count, d = signed.shape
    x, norm = torch.zeros(d, dtype=torch.float64), float("inf")
    for _ in range(steps):
        margins = signed @ x
        wrong = torch.sigmoid(-margins)
        gradient = l2 * x - signed.T @ wrong / count
        norm = float(gradient.norm())
        if norm <= _GRADIENT_TOLERANCE:
            break
        curvature = (signed.T * (wrong * (1.0 - wrong))) @ signed / count + l2 * torch.eye(d, dtype=torch.float64)
        direction = torch.linalg.solve(curvature, gradient)
        value, size = _objective(margins, x, l2), 1.0
        while size > 1e-6 and _objective(signed @ (x - size * direction), x - size * direction, l2) > value + 1e-15:
            size /= 2
        x = x - size * direction
    if not norm <= 1e-10:
        raise ValueError(
            f"task.l2: expected one large enough for Newton's method to converge, got {l2:g} (gradient {norm:.1e})"
        )
    return x, _objective(signed @ x, x, l2)


def _objective(margins: Tensor, x: Tensor, l2: float) -> float:
    return float(functional.softplus(-margins).mean() + 0.5 * l2 * (x @ x))


def _signed_samples(stream: Stream, owner: Tensor, d: int, spread: float) -> Tensor:
    rows = torch.arange(len(owner))
    features = stream.at("features").normal(rows, d, torch.float64)
    scale = 4.0 / d**0.5
    rule = stream.at("rule").normal(torch.zeros(1, dtype=torch.int64), d, torch.float64) * scale
    score = (features * rule).sum(1)
    if spread:
        own = stream.at("own rule").normal(torch.arange(int(owner[-1]) + 1), d, torch.float64) * (scale * spread)
        score += (features * own[owner]).sum(1)
    chance = stream.at("labels").uniform(rows, 1, torch.float64)[:, 0]
    return features * torch.where(chance < torch.sigmoid(score), 1.0, -1.0)[:, None]
