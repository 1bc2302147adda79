"""Mini-batch SGD: every round each worker sends one dense gradient, over a parameter server or an all-reduce."""

from __future__ import annotations

from typing import Any

from algorithms.compressors import Identity
from algorithms.descent import Descent
from algorithms.exchanges import AllReduceMean, ServerMean
from algorithms.local import OneGradient
from algorithms.outer import OuterDescent
from algorithms.overlap import Overlap
from algorithms.synchronous import Synchronous


def sgd(*, name: str = "sgd", kind: str = "fp32", overlap: Overlap | None = None, **descent: Any) -> Synchronous:
    """Build SGD over a parameter server; `kind` is the width of the floats that travel, `descent` goes to `Descent`."""
    hidden, outer = Overlap.of(overlap), OuterDescent(Descent(**descent))
    exchange = hidden.exchange(lambda: ServerMean(hidden.encoder(Identity(kind))))
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=outer, delay=hidden.delay)


def sgd_allreduce(
    *, name: str = "sgd_allreduce", kind: str = "fp32", overlap: Overlap | None = None, **descent: Any
) -> Synchronous:
    """Build SGD over an all-reduce."""
    hidden, outer = Overlap.of(overlap), OuterDescent(Descent(**descent))
    exchange = hidden.exchange(lambda: AllReduceMean(kind, hidden.pieces))
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=outer, delay=hidden.delay)
