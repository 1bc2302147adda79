"""How an algorithm hides communication behind computation: by buckets, by pieces of a message, by a step's delay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from algorithms.checks import whole
from algorithms.compressors import Compressor, Piecewise
from algorithms.exchanges import Bucketed, Exchange


@dataclass(frozen=True)
class Overlap:
    """What of an algorithm's communication goes on while workers compute; by default nothing does.

    Parameters
    ----------
    bucket_bytes : float or None
        Bytes of gradient per bucket, whose exchange starts while the backward pass goes on; None: one exchange after
        it. Smaller starts earlier and pays more latencies.
    first_bucket_bytes : float
        The same for the bucket that is ready first, where it is less.
    pieces : int
        Pieces in which a message is encoded, each sent while the next is encoded; 1: encoded whole, then sent.
    delay : int
        0, or 1: the exchange of a step runs during the computation of the next one, whose model lacks it.

    Raises
    ------
    ValueError
        If a value is out of range, or buckets are asked for together with a delay.

    References
    ----------
    Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020 (buckets).
    Li et al., "Pipe-SGD: A Decentralized Pipelined SGD Framework for Distributed Deep Net Training", NeurIPS 2018
    (delay; 1 is its pipeline of width 2).
    """

    bucket_bytes: float | None = None
    first_bucket_bytes: float = 1e6
    pieces: int = 1
    delay: int = 0

    def __post_init__(self) -> None:
        for key in ("bucket_bytes", "first_bucket_bytes"):
            value = getattr(self, key)
            if key == "bucket_bytes" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
                raise ValueError(f"algorithm.overlap.{key}: expected a positive number of bytes, got {value!r}")
        whole("algorithm.overlap.pieces", self.pieces)
        if isinstance(self.delay, bool) or self.delay not in (0, 1):
            raise ValueError(f"algorithm.overlap.delay: expected 0 or 1 steps, got {self.delay!r}")
        if self.delay and self.bucket_bytes is not None:
            raise ValueError(
                f"algorithm.overlap.bucket_bytes: expected null with algorithm.overlap.delay=1, got {self.bucket_bytes}"
            )

    @classmethod
    def of(cls, overlap: Overlap | None) -> Overlap:
        """Give `overlap`, or none at all for None; ValueError if it is something else."""
        if overlap is not None and not isinstance(overlap, cls):
            raise ValueError(f"algorithm.overlap: expected algorithms.overlap.Overlap or null, got {overlap!r}")
        return overlap or cls()

    def encoder(self, compressor: Compressor) -> Compressor:
        """Let messages be encoded in pieces, if that is asked for."""
        return compressor if self.pieces == 1 else Piecewise(compressor, self.pieces)

    def exchange(self, make: Callable[[], Exchange]) -> Exchange:
        """Make the exchange, or one for each bucket."""
        return make() if self.bucket_bytes is None else Bucketed(make, self.bucket_bytes, self.first_bucket_bytes)

    def require_share(self, k: int | None) -> None:
        """Refuse a fixed number of coordinates with buckets, of which each would keep as many."""
        if k is not None and self.bucket_bytes is not None:
            raise ValueError(f"algorithm.k: expected null and a density with algorithm.overlap.bucket_bytes, got {k}")
