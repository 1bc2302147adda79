"""A strongly convex quadratic per worker, with a dial each for conditioning, heterogeneity and noise.

Worker i holds f_i(x) = 1/2 (x - c_i)' A (x - c_i), A = diag(a_1..a_d); the objective f is the mean over the n workers,
so x* = mean c_i and f* = mean f_i(x*). A stochastic gradient is A (x - c_i) + noise / sqrt(B) * xi, with E |xi|^2 = 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.cohort import Map, serial_map
from algorithms.layout import Layout
from algorithms.streams import Stream
from simulator.tasks.task import Evaluation
from simulator.tasks.validation import real, torch_device, torch_dtype, whole


class Quadratic:
    """Minimise the mean of n quadratics with one curvature and different centres.

    Parameters
    ----------
    workers : int
        n.
    batch : int
        B; divides the variance of the gradient noise.
    seed : int
        Of the centres and the noise.
    dimensions : int
        d.
    condition : float
        Ratio of the largest to the smallest curvature, at least 1. The curvatures are spaced evenly in logarithms from
        1 / condition to 1, so gradient descent converges with any step below 2.
    heterogeneity : float
        Root mean square distance of the centres c_i from the origin; 0 gives every worker the same function.
    noise : float
        Root mean square length of a single sample's gradient noise; 0 gives exact gradients.
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
    The curvature is diagonal, so that a step costs O(d); compressors that look at single coordinates see its axes.
    `flops_per_step` counts 4 operations per sample and coordinate: difference, product, and the loss's product and sum.
    """

    def __init__(
        self,
        *,
        workers: int,
        batch: int,
        seed: int,
        dimensions: int = 100,
        condition: float = 10.0,
        heterogeneity: float = 1.0,
        noise: float = 0.1,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "float32",
        name: str = "quadratic",
    ) -> None:
        self.name = name
        self.workers, self.batch = whole("workers", workers, 1), whole("batch", batch, 1)
        d = whole("task.dimensions", dimensions, 1)
        span = real("task.condition", condition, 1.0)
        spread = real("task.heterogeneity", heterogeneity, 0.0)
        self._noise = real("task.noise", noise, 0.0) / (d * self.batch) ** 0.5
        self._stream = Stream(seed, "quadratic", "noise")
        self.device, self.dtype = torch_device(device), torch_dtype(dtype)
        self.layout = Layout.flat(d)
        self.weights = torch.full((self.workers,), 1.0 / self.workers, dtype=torch.float64)
        self.flops_per_step = 4.0 * d * self.batch

        curvature = (
            span ** torch.linspace(-1.0, 0.0, d, dtype=torch.float64) if d > 1 else torch.ones(1, dtype=torch.float64)
        )
        drawn = (
            Stream(seed, "quadratic", "centres").normal(torch.arange(self.workers), d) if spread else torch.zeros(1, d)
        )
        # the optimum belongs to the centres as they are stored, rounding included
        centres = drawn.mul_(spread / d**0.5).to(self.dtype)
        self.minimiser = centres.mean(0, dtype=torch.float64)
        gaps = centres.to(torch.float64) - self.minimiser
        self.optimum: float | None = float(0.5 * gaps.square().mean(0) @ curvature)
        self._curvature, self._curvature64 = curvature.to(self.device, self.dtype), curvature.to(self.device)
        self._centres = centres.expand(self.workers, d).to(self.device)
        self._minimiser = self.minimiser.to(self.device)

    def initial(self, seed: int) -> Tensor:
        """Draw a starting point from the standard normal distribution, shape (d,)."""
        rows = torch.zeros(1, dtype=torch.int64)
        return Stream(seed, "initial").normal(rows, self.layout.size)[0].to(self.device, self.dtype)

    def gradient(self, at: Tensor, workers: Tensor, step: int | Tensor, out: Tensor) -> Tensor:
        """Write each worker's noisy gradient into `out` and return f_i without noise (see `Task`)."""
        workers = workers.to(self.device)
        gap = at - self._centres[workers]
        torch.mul(gap, self._curvature, out=out)
        losses = 0.5 * (gap * out).sum(1)
        if self._noise:
            # one row id per step and worker, so that a row's noise does not depend on the other rows' steps
            first = step.to(self.device) if isinstance(step, Tensor) else step
            rows = first * self.workers + workers
            out.add_(self._stream.normal(rows, self.layout.size, self.dtype), alpha=self._noise)
        return losses

    def evaluate(self, model: Tensor, pool: Map = serial_map) -> Evaluation:
        """Give f(model), computed in float64 as f* + 1/2 (x - x*)' A (x - x*)."""
        gap = model.to(torch.float64) - self._minimiser
        return Evaluation((self.optimum or 0.0) + float(0.5 * (gap * gap) @ self._curvature64))
