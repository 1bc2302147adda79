"""Stochastic rounding to bfloat16: a number becomes one of its two neighbours, and is itself on average.

w rows, d coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from algorithms.streams import Stream

_BLOCK = 1 << 17  # numbers rounded together on a host: their bits and their noise stay in a core's own cache
_HALF = 1 << 15  # makes noise of 16 bits, which is drawn signed, start at zero


def round_rows(wide: Tensor, workers: Tensor, stream: Stream, out: Tensor) -> None:
    """Round each number up or down at random, such that its mean is kept.

    Parameters
    ----------
    wide : Tensor, shape (w, d), float32 or float64
        The latter is first rounded to float32 (to nearest, a relative 2**-24).
    workers : Tensor, shape (w,), int64
        Address the draws, with the stream and the coordinate: nothing else decides them.
    stream : Stream
    out : Tensor, shape (w, d), bfloat16
        Overwritten.

    Notes
    -----
    A bfloat16 has 8 significant bits, the hidden one included, so the neighbours of x are at most 2**-7 |x| apart:
    |out - x| < 2**-7 |x|, and 2**-133 where |x| < 2**-126. A float32 has 16 bits more; with as many random ones added
    below the last that is kept, and the rest cut off, E out = x exactly and the variance is at most (2**-8 x)**2.
    What is a bfloat16 already, zero and the infinities among them, stays as it is.
    One draw of 32 bits serves two coordinates.

    References
    ----------
    Gupta, Agrawal, Gopalakrishnan, Narayanan, "Deep Learning with Limited Numerical Precision", ICML 2015, Section 3.
    """
    w, d = wide.shape
    for rows, columns in _blocks(w, d, wide.numel() if wide.is_cuda else _BLOCK):
        draws = stream.bits(workers[rows].to(wide.device), range(columns.start // 2, (columns.stop + 1) // 2))
        noise = draws.view(torch.int16)[:, : columns.stop - columns.start]
        bits = torch.add(wide[rows, columns].to(torch.float32).view(torch.int32), noise)
        out[rows, columns].view(torch.int16).copy_(bits.add_(_HALF).bitwise_right_shift_(16))


def _blocks(w: int, d: int, cells: int) -> Iterator[tuple[slice, slice]]:
    """Cut a matrix into blocks; each begins at an even column."""
    high, wide = max(1, cells // max(1, d)), max(2, min(cells, d + 1) // 2 * 2)
    for top in range(0, w, high):
        for left in range(0, d, wide):
            yield slice(top, min(top + high, w)), slice(left, min(left + wide, d))
