"""Compression by Count Sketch: r x c sums, which add up like the rows they are made of."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from algorithms.cohort import Draw
from algorithms.payloads import Bits, Sketch
from algorithms.sketches import CountSketch


class Sketcher:
    """Sketch every row; `paper` bits are 32 r c.

    Parameters
    ----------
    sketch : CountSketch
    kind : str
        How a sum travels: fp32, fp16 or bf16.
    before : callable, optional
        What is done to rows, shape (w, d), before they are sketched.
    """

    def __init__(
        self, sketch: CountSketch, kind: str = "fp32", before: Callable[[Tensor], Tensor] = lambda rows: rows
    ) -> None:
        self.sketch, self.kind, self.before = sketch, kind, before

    def __call__(self, rows: Tensor, draw: Draw) -> Sketch:
        paper = Bits.of(rows.shape[0], values=32 * self.sketch.rows * self.sketch.columns)
        return Sketch.of(self.sketch, self.before(rows), self.kind, paper)

    def passes(self) -> float:
        """For each row of the table a read of the coordinates and as many writes to buckets."""
        return 2.0 * self.sketch.rows
