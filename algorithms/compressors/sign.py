"""Signs: one bit per coordinate, with no scale (signSGD) or with the mean magnitude of each row (EF-signSGD)."""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.cohort import Draw
from algorithms.payloads import Bits, Signs
from algorithms.payloads.signs import at_least_zero

_BLOCK = 1 << 18  # magnitudes written together: they stay in a core's own cache until they are summed


class Sign:
    """Keep the sign of every coordinate; sign(0) = +1, as in the authors' packing.

    References
    ----------
    Bernstein, Wang, Azizzadenesheli, Anandkumar, "signSGD", ICML 2018, Algorithm 1.
    """

    def __call__(self, rows: Tensor, draw: Draw) -> Signs:
        w, d = rows.shape
        return Signs(d, at_least_zero(rows), None, paper=Bits.of(w, values=d))

    def passes(self) -> float:
        """One read; an eighth of a byte per coordinate is written."""
        return 1.0


class ScaledSign:
    """Send (||v||_1 / d) sign(v).

    Notes
    -----
    A delta-contraction with delta = ||v||_1**2 / (d ||v||_2**2). Bits: d + 32.

    References
    ----------
    Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback Fixes SignSGD", ICML 2019, Algorithm 1.
    """

    def __call__(self, rows: Tensor, draw: Draw) -> Signs:
        w, d = rows.shape
        scales = torch.empty(w, dtype=rows.dtype, device=rows.device)
        high = max(1, rows.numel() if rows.is_cuda else _BLOCK // max(1, d))
        magnitudes = rows.new_empty(min(w, high), d)
        for some in range(0, w, high):
            part = rows[some : some + high]
            torch.mean(torch.abs(part, out=magnitudes[: len(part)]), dim=1, out=scales[some : some + high])
        return Signs(d, at_least_zero(rows), scales.float(), paper=Bits.of(w, values=d, scales=32))

    def passes(self) -> float:
        """One read for the scale, one for the signs."""
        return 2.0
