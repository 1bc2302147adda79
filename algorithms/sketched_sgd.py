"""Sketched-SGD: workers send Count Sketches of what they have accumulated, then exact values where these look large.

References
----------
Ivkin, Rothchild, Ullah, Braverman, Stoica, Arora, "Communication-efficient Distributed SGD with Sketching", NeurIPS
2019: Algorithm 3 (practice), Algorithms 1 and 2 (HEAVYMIX, step size inside).
"""

from __future__ import annotations

from algorithms.descent import Descent
from algorithms.exchanges import ErrorFeedback, Exchange
from algorithms.exchanges.exempt import Exempt
from algorithms.exchanges.momentum_correction import MomentumCorrection
from algorithms.exchanges.sketched import Budget, SketchedMean
from algorithms.outer import OuterDescent
from algorithms.regularised import RegularisedGradient
from algorithms.schedules import Schedule
from algorithms.sketches.shape import SketchShape
from algorithms.synchronous import Synchronous


def corrected(
    *,
    name: str,
    exchange: Exchange,
    exempt: Exempt,
    momentum: float,
    momentum_masking: bool,
    descent: Descent,
    lr_inside: bool = False,
) -> Synchronous:
    """Build Algorithm 3 around an exchange of sparse rows: momentum correction, accumulated error, a plain step."""
    inner = ErrorFeedback(exchange)
    outside: Exchange = MomentumCorrection(inner, momentum, momentum_masking, exempt) if momentum else inner
    outer = OuterDescent(Descent(lr=1.0) if lr_inside else Descent(lr=descent.lr, schedule=descent.schedule))
    return Synchronous(name=name, local=RegularisedGradient(descent, lr_inside), exchange=outside, outer=outer)


def sketched_sgd(
    *,
    name: str = "sketched_sgd",
    density: float | None = 0.0076,
    k: int | None = None,
    rows: int = 5,
    columns: int | None = None,
    columns_per_kept: float | None = 10.0,
    candidates: int = 4,
    election: str = "largest",
    truncation: int | None = None,
    hash_seed: int | None = None,
    kind: str = "fp32",
    uncompressed_biases: bool = True,
    uncompressed_below: int = 0,
    via: str = "server",
    momentum: float = 0.9,
    momentum_masking: bool = True,
    subtract_mean: bool = False,
    lr_inside: bool = False,
    lr: float = 0.1,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
) -> Synchronous:
    """Build Sketched-SGD; see `Budget`, `SketchShape`, `Exempt` and `SketchedMean` for what the arguments mean.

    Weight decay is part of each worker's gradient, before its momentum. Algorithm 2 of the paper is
    ``election=heavymix candidates=1 momentum=0 subtract_mean=true lr_inside=true`` without its averaged output.
    """
    exempt = Exempt(uncompressed_biases, uncompressed_below)
    budget, shape = (
        Budget(density, k, candidates, election, truncation),
        SketchShape(rows, columns, columns_per_kept, hash_seed),
    )
    return corrected(
        name=name,
        exchange=SketchedMean(budget, shape, exempt, kind, via, subtract_mean),
        exempt=exempt,
        momentum=momentum,
        momentum_masking=momentum_masking,
        descent=Descent(lr=lr, weight_decay=weight_decay, schedule=schedule),
        lr_inside=lr_inside,
    )
