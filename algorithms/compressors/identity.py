"""No compression: every coordinate as a float of 32 or 16 bits."""

from __future__ import annotations

from torch import Tensor

from algorithms.cohort import Draw
from algorithms.payloads import Bits, Dense

_BITS = {"fp64": 64, "fp32": 32, "fp16": 16, "bf16": 16}


class Identity:
    """Send rows as they are, rounded to `kind`.

    Parameters
    ----------
    kind : str
        ``fp32``, ``fp16``, ``bf16`` or ``fp64``. A float64 row sent as fp32 is a float64 run: its kind becomes fp64.
    """

    def __init__(self, kind: str = "fp32") -> None:
        if kind not in _BITS:
            raise ValueError(f"algorithm.kind: expected one of {', '.join(_BITS)}, got {kind!r}")
        self.kind = kind

    def __call__(self, rows: Tensor, draw: Draw) -> Dense:
        kind = "fp64" if self.kind == "fp32" and rows.element_size() == 8 else self.kind
        paper = Bits.of(rows.shape[0], values=_BITS[kind] * rows.shape[1])
        return Dense.rounded(rows, kind, paper=paper)

    def passes(self) -> float:
        """Full precision leaves from where it lies; a narrower kind is written once."""
        return 0.0 if self.kind in ("fp32", "fp64") else 2.0
