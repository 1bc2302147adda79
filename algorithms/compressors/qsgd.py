"""QSGD: unbiased stochastic rounding of each bucket to a few levels of its norm (Alistarh et al. 2017).

w rows, d coordinates in buckets of `bucket`, s levels above zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.cohort import Draw
from algorithms.payloads import Bits, Quantised

_BLOCK = 1 << 20  # coordinates rounded together: bounds the scratch memory of a thread


class QSGD:
    """Quantise each bucket v to ||v|| sign(v_i) xi_i, where xi_i is l/s or (l+1)/s around |v_i| / ||v||.

    Parameters
    ----------
    levels : int
        s >= 1, the number of levels above zero. 7 is the 4-bit variant of the paper (s = 2**(bits - 1) - 1).
    bucket : int or None
        Coordinates that share one norm; the whole row when None.
    norm : str
        ``max`` (the paper's experiments) or ``l2`` (its theory).
    level_code : str
        ``auto`` (the cheaper for each message), ``fixed`` or ``elias``.

    Notes
    -----
    Unbiased; variance at most min(d / s**2, sqrt(d) / s) ||v||**2 for the 2-norm. A zero bucket stays zero.
    `paper` bits are those of the paper's experiments: d * bits + 32 per bucket, bits = 1 + ceil(log2(s + 1)).

    References
    ----------
    Alistarh, Grubic, Li, Tomioka, Vojnovic, "QSGD", NeurIPS 2017, equation (4) and section 5.
    """

    def __init__(self, levels: int = 7, bucket: int | None = 512, norm: str = "max", level_code: str = "auto") -> None:
        if whole("algorithm.levels", levels) > 32767:
            raise ValueError(f"algorithm.levels: expected a whole number in 1..32767, got {levels!r}")
        if bucket is not None:
            whole("algorithm.bucket", bucket)
        if norm not in ("max", "l2"):
            raise ValueError(f"algorithm.norm: expected max or l2, got {norm!r}")
        self.levels, self.bucket, self.norm, self.level_code = levels, bucket, norm, level_code

    def __call__(self, rows: Tensor, draw: Draw) -> Quantised:
        w, d = rows.shape
        bucket = min(self.bucket or d, d)
        count = -(-d // bucket)
        width = torch.int8 if self.levels <= 127 else torch.int16
        levels = torch.empty(w, d, dtype=width, device=rows.device)
        scales = torch.empty(w, count, dtype=torch.float32, device=rows.device)
        rounding = draw.private.at("rounding")
        for some, first, last in _blocks(rows, bucket):
            span = slice(first * bucket, min(last * bucket, d))
            given = rows[some, span]
            noise = rounding.uniform(draw.workers[some], range(span.start, span.stop), rows.dtype)
            levels[some, span] = self._round(given, noise, bucket, scales[some, first:last])
        bits = 1 + math.ceil(math.log2(self.levels + 1))
        paper = Bits.of(w, values=d * bits, scales=32 * count)
        message = Quantised(d, levels, scales, bucket, self.levels, level_code=self.level_code, paper=paper)
        _ = message.entropy  # counted now: chunks are compressed on several threads, the whole is counted on one
        return message

    def _round(self, given: Tensor, noise: Tensor, bucket: int, scales: Tensor) -> Tensor:
        """Round whole buckets, shape (b, c), to levels (as floats), and write their norms to `scales`."""
        ratio = given.abs()
        c = ratio.shape[1]
        whole = c // bucket * bucket
        parts = [ratio[:, :whole].view(len(ratio), -1, bucket)] if whole else []
        if whole < c:
            parts.append(ratio[:, None, whole:])
        at = 0
        for part in parts:  # the whole buckets, then the shorter last one
            norms = scales[:, at : at + part.shape[1]]
            norms.copy_(part.amax(dim=2) if self.norm == "max" else _norms(part, bucket))
            part.mul_((self.levels / torch.where(norms > 0, norms, 1.0).to(given.dtype))[:, :, None])
            at += part.shape[1]
        return ratio.add_(noise).floor_().clamp_(max=self.levels).copysign_(given)

    def passes(self) -> float:
        """A norm pass, a rounding pass, a coding pass."""
        return 4.0


def _norms(part: Tensor, bucket: int) -> Tensor:
    """Give the 2-norm of each bucket; a shorter one is filled up with zeros, so that all are summed alike."""
    norms: Tensor = torch.linalg.vector_norm(torch.nn.functional.pad(part, (0, bucket - part.shape[2])), dim=2)
    return norms


def _blocks(rows: Tensor, bucket: int) -> Iterator[tuple[slice, int, int]]:
    """Cut a matrix into blocks of rows and whole buckets that bound the scratch memory (on a GPU: one block)."""
    w, d = rows.shape
    count = -(-d // bucket)
    cells = max(1, rows.numel()) if rows.is_cuda else _BLOCK
    high = max(1, cells // d)
    wide = -(-count // -(-d // max(cells, bucket))) if high == 1 else count
    for top in range(0, w, high):
        for first in range(0, count, wide):
            yield slice(top, min(top + high, w)), first, min(first + wide, count)
