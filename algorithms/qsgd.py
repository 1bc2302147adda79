"""QSGD: gradients are rounded at random to a few levels, without bias and without memory.

References
----------
Alistarh, Grubic, Li, Tomioka, Vojnovic, "QSGD: Communication-Efficient SGD via Gradient Quantization and Encoding",
NeurIPS 2017, Algorithm 1.
"""

from __future__ import annotations

from typing import Any

from algorithms.compressors import QSGD
from algorithms.descent import Descent
from algorithms.exchanges.compressed import compressed_mean
from algorithms.local import OneGradient
from algorithms.outer import OuterDescent
from algorithms.overlap import Overlap
from algorithms.synchronous import Synchronous


def qsgd(
    *,
    name: str = "qsgd",
    levels: int = 7,
    bucket: int | None = 512,
    norm: str = "max",
    level_code: str = "auto",
    error_feedback: bool = False,
    via: str = "server",
    overlap: Overlap | None = None,
    **descent: Any,
) -> Synchronous:
    """Build QSGD; 7 levels are the paper's 4-bit variant."""
    hidden, outer = Overlap.of(overlap), OuterDescent(Descent(**descent))
    compressor = hidden.encoder(QSGD(levels, bucket, norm, level_code))
    exchange = hidden.exchange(lambda: compressed_mean(compressor, via, error_feedback))
    return Synchronous(name=name, local=OneGradient(), exchange=exchange, outer=outer, delay=hidden.delay)
