"""FetchSGD: workers without memory send sketches; momentum and error live in sketches at the server.

Legend: w rows here, d coordinates, k kept, a sketch of r x c; Su and Se are the server's momentum and error.

References
----------
Rothchild et al., "FetchSGD: Communication-Efficient Federated Learning with Sketching", ICML 2020, Algorithm 1; and
its authors' code (CommEfficient), which zeroes buckets where the paper subtracts.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from algorithms.checks import boolean
from algorithms.cohort import Cohort
from algorithms.compressors import Identity, compress
from algorithms.compressors.base import check_sparsity, kept
from algorithms.compressors.selection import largest
from algorithms.compressors.sketcher import Sketcher
from algorithms.descent import Descent
from algorithms.download import MissedUpdates
from algorithms.exchanges.routes import route
from algorithms.outer import OuterDescent
from algorithms.payloads import Bits, Payload, Sparse
from algorithms.regularised import RegularisedGradient
from algorithms.schedules import Schedule
from algorithms.sketches import CountSketch
from algorithms.sketches.shape import SketchShape
from algorithms.state import Stateful
from algorithms.synchronous import Synchronous


class FetchedTopK(Stateful):
    """Sum sketches in a memory; what they show to be largest leaves it.

    Parameters
    ----------
    density, k
        As in `TopK`: exactly one of the two.
    shape : SketchShape
    momentum : float
        rho, in [0, 1).
    error : str
        How what is sent leaves the error: ``zero`` empties every bucket that it is hashed to, ``subtract`` takes its
        sketch away (the paper's rule, of which the authors' code says that it diverges), ``none`` keeps no error.
    momentum_masking : bool
        Whether the same buckets of the momentum are emptied.
    kind : str
        How sums travel: fp32, fp16 or bf16.
    via : str
        ``server`` or ``all_reduce``.
    rate : callable
        Gives what the momentum is multiplied by when it joins the error.
    remember : callable, optional
        Told what each round in which only some workers take part would send down, and the bytes of a model.

    Notes
    -----
    Su <- rho Su + mean S; Se <- Se + rate Su; D = top-k of the estimates of Se. `paper` bits: 32 r c up, 32 k down.
    A bucket counts as hit by its hash, not because the sketch of D is nonzero there.
    """

    state_names = ("momentum", "error")
    conserves = "none"

    def __init__(
        self,
        density: float | None,
        k: int | None,
        shape: SketchShape,
        *,
        momentum: float,
        error: str = "zero",
        momentum_masking: bool = True,
        kind: str = "fp32",
        via: str = "server",
        rate: Callable[[], float] = lambda: 1.0,
        remember: Callable[[Payload, int], None] | None = None,
    ) -> None:
        check_sparsity(density, k)
        if error not in ("zero", "subtract", "none"):
            raise ValueError(f"algorithm.error: expected one of zero, subtract, none, got {error!r}")
        if isinstance(momentum, bool) or not (isinstance(momentum, (int, float)) and 0 <= momentum < 1):
            raise ValueError(f"algorithm.momentum: expected a number in [0, 1), got {momentum!r}")
        self.density, self.k, self.shape, self.rho, self.rule = density, k, shape, momentum, error
        self.masking = boolean("algorithm.momentum_masking", momentum_masking)
        self.kind, self.route = Identity(kind).kind, route(via)
        self.rate, self.remember = rate, remember
        self.samples = self.route.samples
        self.momentum: Tensor | None = None
        self.error: Tensor | None = None

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        d = update.shape[1]
        k = kept(self.density, self.k, d)
        sketch = self.shape.sketch(cohort, d, k)
        sketches = await compress(cohort, Sketcher(sketch, self.kind), update)
        decoding = (2 * sketch.rows + 4) * d * update.element_size()
        # a worker that sat out cannot use a difference: it downloads what it missed when it comes back
        down, memory = await self.route.decide(
            sketches, cohort, lambda table: self._unsketch(table, sketch, k), decoding, announce=cohort.everyone
        )
        self.momentum, self.error = memory
        if not cohort.everyone and self.remember is not None:
            self.remember(down, d * update.element_size())
        return down.dense()[0], sketches

    def _unsketch(self, table: Tensor, sketch: CountSketch, k: int) -> tuple[Sparse, tuple[Tensor, Tensor]]:
        """Take one step of the memory: what is sent, and the new momentum and error; nothing is changed in place."""
        momentum = table if self.momentum is None else self.rho * self.momentum + table
        error = self.rate() * momentum
        if self.error is not None and self.rule != "none":
            error = self.error + error
        estimates = sketch.query(error[None])[0]
        chosen = largest(estimates[None], k)[0]
        values = estimates[chosen]
        hit = sketch.touched(chosen)
        if self.rule == "zero":
            error = torch.where(hit, 0.0, error)
        elif self.rule == "subtract":
            error = error - sketch.insert(values[None], chosen)[0]
        if self.masking:
            momentum = torch.where(hit, 0.0, momentum)
        paper = Bits.of(1, values=32 * k)
        return Sparse.rows_of(sketch.size, chosen[None], values[None], paper=paper), (momentum, error)


def fetch_sgd(
    *,
    name: str = "fetch_sgd",
    density: float | None = 0.0076,
    k: int | None = None,
    rows: int = 5,
    columns: int | None = None,
    columns_per_kept: float | None = 10.0,
    hash_seed: int | None = None,
    kind: str = "fp32",
    error: str = "zero",
    momentum: float = 0.9,
    momentum_masking: bool = True,
    lr_inside: bool = False,
    participation: float = 1.0,
    via: str = "server",
    lr: float = 0.1,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
) -> Synchronous:
    """Build FetchSGD; `lr_inside` multiplies momentum by the rate as it joins the error, as the paper does.

    A worker that comes back downloads the updates that it missed, or the model where that is less.
    """
    descent = Descent(lr=lr, weight_decay=weight_decay, schedule=schedule)
    local, missed = RegularisedGradient(descent), MissedUpdates()
    inside = boolean("algorithm.lr_inside", lr_inside)
    exchange = FetchedTopK(
        density,
        k,
        SketchShape(rows, columns, columns_per_kept, hash_seed),
        momentum=momentum,
        error=error,
        momentum_masking=momentum_masking,
        kind=kind,
        via=via,
        rate=(lambda: local.rate) if inside else (lambda: 1.0),
        remember=missed.add,
    )
    outer = OuterDescent(Descent(lr=1.0) if inside else Descent(lr=lr, schedule=schedule))
    return Synchronous(
        name=name, local=local, exchange=exchange, outer=outer, participation=participation, download=missed
    )
