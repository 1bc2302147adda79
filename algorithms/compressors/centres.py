"""What dropped-out gradients' survivors are rounded to: one or two bits each, around centres (Aji & Heafield 2017).

Legend: w rows, P parts that share a threshold, s sampled magnitudes of a part, B = 2**(bits - 1) buckets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.layout import Layout
from algorithms.payloads import CentredValues

RULES = ("min", "mean", "column_min", "column_mean")


@dataclass(frozen=True)
class Centres:
    """How survivors become codes.

    Parameters
    ----------
    bits : {1, 2}
        A sign, and bits - 1 bits of bucket: 2**(bits - 1) buckets of one width between the threshold and the largest
        magnitude of the sample; what is larger falls in the last.
    rule : {"min", "mean", "column_min", "column_mean"}
        What a bucket stands for. min: its lower edge, so with one bit the threshold. mean: the mean of the sampled
        magnitudes in it that pass the threshold; the lower edge if there are none. column_min, column_mean: the least,
        the mean magnitude of a column's survivors, one bucket alone.

    Raises
    ------
    ValueError
        If the number of bits or the rule is unknown, or a column rule comes with more than one bit.

    Notes
    -----
    A column of the paper's matrices (y = x W) belongs to one output, and so is a *row* of torch's weight matrix and one
    output channel of a convolution. A vector is one column.
    """

    bits: int
    rule: str = "min"

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or self.bits not in (1, 2):
            raise ValueError(f"algorithm.bits: expected 1 or 2 bits for each kept value, or null, got {self.bits!r}")
        if self.rule not in RULES:
            raise ValueError(f"algorithm.centre: expected one of {', '.join(RULES)}, got {self.rule!r}")
        if self.by_column and self.bits > 1:
            raise ValueError(f"algorithm.bits: expected 1 with one centre for each column, got {self.bits}")

    @property
    def by_column(self) -> bool:
        """Whether each column has a centre of its own."""
        return self.rule.startswith("column")

    def table(self, sample: Tensor, threshold: Tensor) -> tuple[Tensor, Tensor]:
        """Find what the buckets of a part stand for.

        Parameters
        ----------
        sample : Tensor, shape (w, s)
            Sampled magnitudes.
        threshold : Tensor, shape (w,)

        Returns
        -------
        width : Tensor, shape (w,)
            Of a bucket.
        centres : Tensor, shape (w, B)
        """
        count = 1 << self.bits - 1
        width = (sample.amax(dim=1) - threshold) / count
        edges = threshold[:, None] + width[:, None] * torch.arange(count, device=sample.device)
        if self.rule != "mean":
            return width, edges
        bucket = self._bucket(sample, threshold[:, None], width[:, None])
        passes = sample > threshold[:, None]
        centres = edges.clone()
        for number in range(count):
            inside = passes & (bucket == number)
            members = inside.sum(dim=1)
            mean = torch.where(inside, sample, 0.0).sum(dim=1) / members.clamp(min=1)
            centres[:, number] = torch.where(members > 0, mean, edges[:, number])
        return width, centres

    def _bucket(self, magnitude: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
        safe = torch.where(width > 0, width, 1.0)
        return ((magnitude - threshold) / safe).floor().clamp(0, (1 << self.bits - 1) - 1).long()

    def encode(
        self,
        values: Tensor,
        groups: Tensor,
        per_row: int,
        rows: int,
        thresholds: Tensor,
        widths: Tensor,
        tables: Tensor,
    ) -> CentredValues:
        """Round survivors.

        Parameters
        ----------
        values : Tensor, shape (m,)
            Survivors, row after row, in the order of their coordinates.
        groups : Tensor of int64, shape (m,)
            row * per_row + the group of each within its row.
        per_row : int
            Groups that a row may have: parts, or columns.
        rows : int
            w.
        thresholds, widths : Tensor, shape (w * P,)
            Of each part, which with `min` and `mean` are the groups; not looked at with a column rule.
        tables : Tensor, shape (w * P, B)
            Likewise.
        """
        found, owners, lengths = torch.unique_consecutive(groups, return_inverse=True, return_counts=True)
        magnitude = values.abs()
        codes = torch.where(values < 0, 1 << self.bits - 1, 0)
        if self.by_column:
            how = "min" if self.rule == "column_min" else "mean"
            centres = torch.segment_reduce(magnitude, how, lengths=lengths)[:, None]
        else:
            part = found[owners]
            codes += self._bucket(magnitude, thresholds[part], widths[part])
            centres = tables[found]
        counts = torch.bincount(found // per_row, minlength=rows)
        return CentredValues(codes.to(torch.int16), counts.cpu(), lengths.cpu(), centres.float(), self.bits)


def tensor_starts(layout: Layout) -> list[int]:
    """Give where each tensor begins."""
    return [where.start for where in layout.slices]


def column_starts(layout: Layout) -> list[int]:
    """Give where each column begins: a run of coordinates that belong to one output; a vector is one column."""
    starts = list[int]()
    for where, shape in zip(layout.slices, layout.shapes, strict=True):
        run = math.prod(shape[1:]) if len(shape) > 1 else where.stop - where.start
        starts += range(where.start, where.stop, max(run, 1))
    return starts


def group_of(indices: Tensor, starts: list[int]) -> Tensor:
    """Give the number of the group in which each coordinate lies."""
    return torch.bucketize(indices, torch.tensor(starts, device=indices.device), right=True) - 1
