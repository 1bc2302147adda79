"""Gradient Dropping in lockstep: dropped gradients are averaged, then everybody takes one common step.

The baseline of Sparse Binary Compression, whose authors ran it synchronously; the paper itself is asynchronous, see
`gradient_dropping`.

References
----------
Aji, Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017.
Sattler, Wiedemann, Mueller, Samek, "Sparse Binary Compression", 2018 (as the baseline).
"""

from __future__ import annotations

from typing import Any

from algorithms.compressors import Dropping, Identity
from algorithms.descent import Descent
from algorithms.exchanges import DenseStart, ErrorFeedback, Exchange
from algorithms.exchanges.compressed import compressed_mean
from algorithms.local import OneGradient
from algorithms.outer import OuterDescent
from algorithms.overlap import Overlap
from algorithms.synchronous import Synchronous


def gradient_dropping_sync(
    *,
    name: str = "gradient_dropping_sync",
    drop: float = 0.999,
    scope: str = "local",
    sample: int = 100_000,
    bits: int | None = None,
    centre: str = "min",
    index_code: str = "auto",
    dense_steps: int = 0,
    via: str = "server",
    overlap: Overlap | None = None,
    **descent: Any,
) -> Synchronous:
    """Build synchronous Gradient Dropping.

    The first arguments are those of `Dropping`; `dense_steps` rounds are sent undropped first. The residual is in
    gradient units. With buckets a local threshold is that of a bucket.
    """
    hidden, outer = Overlap.of(overlap), OuterDescent(Descent(**descent))
    dropping = hidden.encoder(Dropping(drop, scope, sample, bits, centre, index_code))
    plain = hidden.encoder(Identity())

    def make() -> Exchange:
        dense, sparse = (compressed_mean(compressor, via, error_feedback=False) for compressor in (plain, dropping))
        return ErrorFeedback(DenseStart(dense, sparse, dense_steps))

    exchange = hidden.exchange(make)
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=outer, delay=hidden.delay)
