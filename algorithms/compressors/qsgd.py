"""QSGD: unbiased stochastic rounding of each bucket to a few levels of its norm (Alistarh et al. 2017).

w rows, d coordinates in buckets of `bucket`, s levels above zero.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.codecs import LevelCounts
from algorithms.cohort import Draw
from algorithms.kernels.rounding import blocks, round_block, round_rows
from algorithms.payloads import Bits, Quantised

_BLOCK = 1 << 20  # coordinates whose norms are taken together: bounds the scratch memory of a thread


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
        narrow = torch.int8 if self.levels <= 127 else torch.int16
        levels = torch.empty(w, d, dtype=narrow, device=rows.device)
        scales = torch.empty(w, -(-d // bucket), dtype=torch.float32, device=rows.device)
        known = self.norm == "l2"
        if known:
            _norms(rows, bucket, scales)
        width = 1 + math.ceil(math.log2(self.levels + 1))
        paper = Bits.of(w, values=d * width, scales=32 * scales.shape[1])
        stream, table = draw.private.at("rounding"), LevelCounts.table(0 if rows.is_cuda else w, self.levels)
        if rows.is_cuda:
            noise = stream.uniform(draw.workers, d, rows.dtype)
            levels.copy_(round_block(rows, noise, bucket, self.levels, scales, known))
        else:
            low, high = stream.words(draw.workers)
            given = rows.contiguous().numpy()
            bits = given.view(f"i{given.itemsize}")
            round_rows(given, bits, low, high, bucket, self.levels, known, scales.numpy(), levels.numpy(), table)
        message = Quantised(d, levels, scales, bucket, self.levels, level_code=self.level_code, paper=paper)
        message.count(table)  # now: chunks are compressed on several threads, the whole is counted on one
        return message

    def passes(self) -> float:
        """A norm pass, a rounding pass, a coding pass."""
        return 4.0


def _norms(rows: Tensor, bucket: int, scales: Tensor) -> None:
    """Write the 2-norm of each bucket; a shorter one is filled up with zeros, so that all are summed alike."""
    w, d = rows.shape
    for some, first, last in blocks(w, d, bucket, max(1, rows.numel()) if rows.is_cuda else _BLOCK):
        given = rows[some, first * bucket : last * bucket]
        missing = (last - first) * bucket - given.shape[1]
        given = torch.nn.functional.pad(given, (0, missing)) if missing else given
        scales[some, first:last] = torch.linalg.vector_norm(given.reshape(len(given), -1, bucket), dim=2)
