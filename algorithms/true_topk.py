"""True top-k SGD: the k largest coordinates of the workers' mean, for which everything is sent. A baseline.

References
----------
Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Section 5.
"""

from __future__ import annotations

from algorithms.descent import Descent
from algorithms.exchanges.exempt import Exempt
from algorithms.exchanges.true_topk import TrueTopK
from algorithms.schedules import Schedule
from algorithms.sketched_sgd import corrected
from algorithms.synchronous import Synchronous


def true_topk(
    *,
    name: str = "true_topk",
    density: float | None = 0.0076,
    k: int | None = None,
    uncompressed_biases: bool = True,
    uncompressed_below: int = 0,
    via: str = "server",
    momentum: float = 0.9,
    momentum_masking: bool = True,
    lr: float = 0.1,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
) -> Synchronous:
    """Build true top-k SGD: what Sketched-SGD would be if its sketches were never wrong."""
    exempt = Exempt(uncompressed_biases, uncompressed_below)
    return corrected(
        name=name,
        exchange=TrueTopK(density, k, exempt, via),
        exempt=exempt,
        momentum=momentum,
        momentum_masking=momentum_masking,
        descent=Descent(lr=lr, weight_decay=weight_decay, schedule=schedule),
    )
