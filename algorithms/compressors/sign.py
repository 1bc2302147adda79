"""Signs: one bit per coordinate, with no scale (signSGD) or with the mean magnitude of each row (EF-signSGD)."""

from __future__ import annotations

from torch import Tensor

from algorithms.cohort import Draw
from algorithms.payloads import Bits, Signs


class Sign:
    """Keep the sign of every coordinate; sign(0) = +1, as in the authors' packing.

    References
    ----------
    Bernstein, Wang, Azizzadenesheli, Anandkumar, "signSGD", ICML 2018, Algorithm 1.
    """

    def __call__(self, rows: Tensor, draw: Draw) -> Signs:
        w, d = rows.shape
        return Signs(d, rows >= 0, None, paper=Bits.of(w, values=d))

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
        scales = rows.abs().mean(dim=1)
        return Signs(d, rows >= 0, scales.float(), paper=Bits.of(w, values=d, scales=32))

    def passes(self) -> float:
        """One read for the scale, one for the signs."""
        return 2.0
