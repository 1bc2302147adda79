"""QSGD: unbiased stochastic rounding of each bucket to a few levels of its norm (Alistarh et al. 2017).

w rows, d coordinates in buckets of `bucket`, s levels above zero.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from algorithms.cohort import Draw
from algorithms.payloads import Bits, Quantised


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

    def __init__(
        self, levels: int = 7, bucket: int | None = 512, norm: str = "max", level_code: str = "auto"
    ) -> None:
        if not (isinstance(levels, int) and 1 <= levels <= 32767):
            raise ValueError(f"algorithm.levels: expected a whole number in 1..32767, got {levels!r}")
        if bucket is not None and not (isinstance(bucket, int) and bucket >= 1):
            raise ValueError(f"algorithm.bucket: expected a whole number of coordinates or null, got {bucket!r}")
        if norm not in ("max", "l2"):
            raise ValueError(f"algorithm.norm: expected max or l2, got {norm!r}")
        self.levels, self.bucket, self.norm, self.level_code = levels, bucket, norm, level_code

    def __call__(self, rows: Tensor, draw: Draw) -> Quantised:
        w, d = rows.shape
        bucket = min(self.bucket or d, d)
        count = -(-d // bucket)
        padded = torch.nn.functional.pad(rows, (0, count * bucket - d)).view(w, count, bucket)
        norms = padded.abs().amax(dim=2) if self.norm == "max" else torch.linalg.vector_norm(padded, dim=2)
        scales = norms.to(torch.float32)
        safe = torch.where(scales > 0, scales, 1.0).to(rows.dtype)
        ratio = (padded.abs() * (self.levels / safe)[:, :, None]).view(w, -1)[:, :d]
        ratio += draw.private.at("rounding").uniform(draw.workers, d, rows.dtype)
        levels = ratio.floor_().clamp_(max=self.levels).copysign_(rows).to(torch.int16)
        width = 1 + math.ceil(math.log2(self.levels + 1))
        paper = Bits.of(w, values=d * width, scales=32 * count)
        return Quantised(d, levels, scales, bucket, self.levels, level_code=self.level_code, paper=paper)

    def passes(self) -> float:
        """A norm pass, a rounding pass, a coding pass."""
        return 4.0
