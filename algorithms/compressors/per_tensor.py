"""Compression tensor by tensor: each tensor of the model has a selection and scales of its own.

w rows, d coordinates.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from algorithms.cohort import Draw
from algorithms.compressors.base import Compressor
from algorithms.payloads import Concat


class PerTensor:
    """Apply a compressor to each tensor of the model and send the results in one message.

    Parameters
    ----------
    compressor : Compressor
        Sees one tensor's columns, shape (w, d_t), and streams of that tensor's own.
    """

    def __init__(self, compressor: Compressor) -> None:
        self.compressor = compressor

    def __call__(self, rows: Tensor, draw: Draw) -> Concat:
        return Concat(
            tuple(
                self.compressor(
                    rows[:, columns].contiguous(),
                    replace(draw, private=draw.private.at("tensor", i), shared=draw.shared.at("tensor", i)),
                )
                for i, columns in enumerate(draw.layout.slices)
            )
        )

    def passes(self) -> float:
        """Those of the wrapped compressor: together the tensors are the row."""
        return self.compressor.passes()
