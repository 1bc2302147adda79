"""Top-k SGD with error feedback: each worker sends its k largest corrected coordinates and remembers the rest.

References
----------
Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, Algorithm 1.
"""

from __future__ import annotations

from typing import Any

from algorithms.compressors import TopK
from algorithms.descent import Descent
from algorithms.exchanges.compressed import compressed_mean
from algorithms.local import OneGradient
from algorithms.outer import OuterDescent
from algorithms.overlap import Overlap
from algorithms.synchronous import Synchronous


def topk(
    *,
    name: str = "topk",
    density: float | None = 0.01,
    k: int | None = None,
    index_code: str = "auto",
    error_feedback: bool = True,
    via: str = "server",
    overlap: Overlap | None = None,
    **descent: Any,
) -> Synchronous:
    """Build top-k SGD; give `k` with ``density=null`` to fix the count instead of the fraction.

    The residual is in gradient units: the learning rate is applied after the exchange, so that a drop of the rate
    scales what is still to be sent. With buckets each keeps its own `density`, at least one coordinate.
    """
    hidden, outer = Overlap.of(overlap), OuterDescent(Descent(**descent))
    hidden.require_share(k)
    compressor = hidden.encoder(TopK(density, k, index_code))
    exchange = hidden.exchange(lambda: compressed_mean(compressor, via, error_feedback))
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=outer, delay=hidden.delay)
