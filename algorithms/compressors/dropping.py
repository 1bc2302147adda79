"""Gradient dropping: keep what exceeds a threshold that is estimated on a sample (Aji & Heafield 2017).

Legend: w rows, d coordinates, R the share that is dropped, s the sample's size, T the threshold, k kept (it varies).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.codecs.bitstream import Integers
from algorithms.cohort import Draw
from algorithms.compressors.centres import Centres, column_starts, group_of
from algorithms.compressors.identity import Identity
from algorithms.kernels import candidates
from algorithms.payloads import Bits, CentredValues, Dense, Sparse, Values

SCOPES = ("global", "local")


class Dropping:
    """Keep the entries of each row whose magnitude exceeds the R-quantile of a strided sample of magnitudes.

    Parameters
    ----------
    drop : float
        R in [0, 1); more sends less. 0 sends everything, densely.
    scope : {"global", "local"}
        One threshold for the whole row, or one for each tensor.
    sample : int
        Coordinates looked at to estimate a threshold: all of a shorter tensor, else every floor(len / sample)-th.
    bits : {1, 2} or None
        Bits of each kept value (see `Centres`); None sends floats.
    centre : {"min", "mean", "column_min", "column_mean"}
        What values of few bits stand for.
    index_code : str
        As for `Sparse`.

    Raises
    ------
    ValueError
        If a value is out of range, bits come without dropping, or a column rule without local thresholds.

    Notes
    -----
    With magnitudes sorted, T = sample[max(0, floor(s R) - 1)], and only |a| > T is kept. So the number kept varies
    about (1 - R) d, and is 0 where all magnitudes are equal: a tensor of a single coordinate is never sent under local
    thresholds, as in the authors' code. Since floor(len / s) is rounded, the last part of a tensor little longer than
    the sample, up to half of it, is not looked at: where the last layer's gradients are the largest more is kept than
    meant. `paper` bits are 64 for each kept entry, or 32 + `bits`, and 32 for each centre.

    References
    ----------
    Aji, Heafield, "Sparse Communication for Distributed Gradient Descent", EMNLP 2017; the sample, the index and the
    buckets follow the first author's code of June 2017.
    """

    def __init__(
        self,
        drop: float = 0.99,
        scope: str = "global",
        sample: int = 100_000,
        bits: int | None = None,
        centre: str = "min",
        index_code: str = "auto",
    ) -> None:
        if isinstance(drop, bool) or not isinstance(drop, (int, float)) or not 0 <= drop < 1:
            raise ValueError(f"algorithm.drop: expected a share R in [0, 1), got {drop!r}")
        if scope not in SCOPES:
            raise ValueError(f"algorithm.scope: expected one of {', '.join(SCOPES)}, got {scope!r}")
        centres = Centres(1 if bits is None else bits, centre)
        if bits is not None and not drop:
            raise ValueError(f"algorithm.bits: expected null with algorithm.drop=0, which sends all, got {bits}")
        if bits is not None and centres.by_column and scope == "global":
            raise ValueError(f"algorithm.scope: expected local with algorithm.centre={centre}, got global")
        self.drop, self.scope, self.sample = drop, scope, whole("algorithm.sample", sample)
        self.centres = None if bits is None else centres
        self.index_code = index_code

    def __call__(self, rows: Tensor, draw: Draw) -> Sparse | Dense:
        if not self.drop:
            return Identity()(rows, draw)
        w, d = rows.shape
        parts = [slice(0, d)] if self.scope == "global" else [s for s in draw.layout.slices if s.stop > s.start]
        samples = [sampled(rows[:, part], self.sample) for part in parts]
        limits = [threshold(sample, self.drop) for sample in samples]
        flat = exceeding(rows, parts, limits)
        indptr = torch.searchsorted(flat, torch.arange(w + 1, device=flat.device) * d).cpu()
        owner = torch.arange(w, device=flat.device).repeat_interleave(indptr.diff().to(flat.device))
        indices, kept = flat - owner * d, rows.reshape(-1)[flat]
        values: Tensor | Values = kept
        if self.centres is not None:
            starts = [part.start for part in parts]
            if self.centres.by_column:
                starts = column_starts(draw.layout)
            tables = [self.centres.table(*pair) for pair in zip(samples, limits, strict=True)]
            values = self.centres.encode(
                kept,
                owner * len(starts) + group_of(indices, starts),
                len(starts),
                w,
                torch.stack(limits, dim=1).flatten(),
                torch.stack([width for width, _ in tables], dim=1).flatten(),
                torch.stack([table for _, table in tables], dim=1).flatten(0, 1),
            )
        message = Sparse(d, indptr, indices, values, self.index_code, paper=paper_of(indptr.diff().numpy(), values))
        _ = message.wire  # counted now: chunks are compressed on several threads, the whole is counted on one
        return message

    def passes(self) -> float:
        """A magnitude pass, a comparing pass, two of finding and gathering; the sample is small beside them."""
        return 4.0 if self.drop else 0.0


def sampled(rows: Tensor, size: int) -> Tensor:
    """Take the magnitude of every floor(len / s)-th entry of each row, s = min(size, len): shape (w, len) -> (w, s)."""
    length = rows.shape[1]
    count = min(size, length)
    return rows[:, :: length // count][:, :count].abs()


def threshold(sample: Tensor, drop: float) -> Tensor:
    """Give the entry number max(0, floor(s R) - 1) of each row's sorted sample: shape (w, s) -> (w,)."""
    number = max(0, int(sample.shape[1] * drop) - 1)
    if sample.is_cuda:  # kthvalue would do, but counts as nondeterministic for the place that it also gives
        return sample.sort(dim=1).values[:, number]
    return torch.from_numpy(np.partition(sample.numpy(), number, axis=1)[:, number].copy())


def exceeding(rows: Tensor, parts: Sequence[slice], limits: Sequence[Tensor]) -> Tensor:
    """Find the entries that exceed their part's limit in magnitude, or are NaN, which should be seen to travel.

    Parameters
    ----------
    rows : Tensor, shape (w, d)
    parts : sequence of slice
        Cover the d columns.
    limits : sequence of Tensor, shape (w,)
        One for each part, at least 0.

    Returns
    -------
    Tensor of int64, shape (m,)
        Places in the matrix laid out row after row, increasing.
    """
    w, d = rows.shape
    if rows.is_cuda:
        small = [rows[:, part].abs() <= limit[:, None] for part, limit in zip(parts, limits, strict=True)]
        return torch.cat(small, dim=1).logical_not_().view(-1).nonzero().view(-1)
    matrix = rows.contiguous().numpy()
    bits = matrix.view(f"i{matrix.itemsize}")
    starts = np.array([*(part.start for part in parts), d])
    bounds = torch.stack(list(limits), dim=1).numpy()
    return torch.from_numpy(candidates.exceeding(bits, starts, bounds.view(bits.dtype)))


def paper_of(counts: Integers, values: Tensor | Values) -> Bits:
    """Count as the paper does: 32 bits for each index, 32 or a code's bits for each value, 32 for each centre."""
    w, each, scales = len(counts), 32, np.zeros_like(counts)
    if isinstance(values, CentredValues):
        each, scales = values.bits, values.groups.numpy() * 32 * values.centres.shape[1]
    return Bits.of(w, values=each * counts, indices=32 * counts, scales=scales)
