"""True top-k: the k largest coordinates of the mean itself, which needs every worker's whole vector.

The baseline that sketches approximate. w rows here, d coordinates, k kept.

References
----------
Ivkin et al., "Communication-efficient Distributed SGD with Sketching", NeurIPS 2019, Section 5 ("true top-k").
"""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Identity, compress
from algorithms.compressors.base import check_sparsity, kept
from algorithms.exchanges.elections import keep_largest
from algorithms.exchanges.exempt import Exempt
from algorithms.exchanges.routes import route
from algorithms.payloads import Payload, Sparse
from algorithms.state import Stateful


class TrueTopK(Stateful):
    """Average whole rows, keep the k largest means and the exact ones.

    Parameters
    ----------
    density, k
        As in `TopK`: exactly one of the two.
    exempt : Exempt
        What is always kept.
    via : str
        ``server`` or ``all_reduce``.
    """

    conserves = "workers"

    def __init__(self, density: float | None, k: int | None, exempt: Exempt, via: str = "server") -> None:
        check_sparsity(density, k)
        self.density, self.k, self.exempt, self.route = density, k, exempt, route(via)
        self.samples = self.route.samples

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        d = update.shape[1]
        split, factors = self.exempt.split(cohort.layout, update.device), self.route.factors(cohort)
        columns = torch.arange(d, device=update.device)
        k = kept(None, kept(self.density, self.k, d), d - split.count)  # a density is of all coordinates

        def keep(mean: Tensor) -> tuple[Sparse, None]:
            return keep_largest(mean, columns, split, k), None

        shares = update if factors is None else update * factors
        payload = await compress(cohort, Identity(), shares)
        received, _ = await self.route.decide(payload, cohort, keep, 4 * d * update.element_size())
        support = received.indices
        return received.dense()[0], Sparse.rows_of(d, support.expand(len(update), -1), update[:, support])
