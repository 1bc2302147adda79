"""Grouped quantiser: magnitudes fall into P geometric intervals, each value becomes its interval's mean magnitude.

w rows, k values each, P groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.checks import whole
from algorithms.payloads import GroupedValues
from algorithms.payloads.support import scatter_add

_BLOCK = 1 << 20  # values looked at together, which bounds the scratch memory


@dataclass(frozen=True)
class Groups:
    """The quantiser of SSGD with majority voting and of TCS.

    Parameters
    ----------
    groups : int
        P, at most 256; a value takes a sign and log2 P bits. More are finer.
    dynamic_range : float or None
        At most so much between the largest magnitude and the smallest that shapes the intervals, > 1; smaller ones then
        share the last group. None: the smallest that is not zero, as in the authors' code.

    Notes
    -----
    With ratio r = (max / min)^(1 / P) group i holds the magnitudes in (max / r^(i + 1), max / r^i]. The last group is
    closed on the left, where the authors' code leaves it to rounding whether the smallest value becomes 0; it also
    holds what is exactly zero, for which log2 P + 1 bits leave no symbol, and which counts in its mean. What rounding
    takes away is the residual's.

    References
    ----------
    Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, arXiv:2011.06495; P = 8 as in the
    authors' code of December 2020 (16 with a fixed ratio of 1.2 before).
    """

    groups: int
    dynamic_range: float | None = None

    def __post_init__(self) -> None:
        if whole("algorithm.groups", self.groups) > 256:
            raise ValueError(f"algorithm.groups: expected at most 256, a byte, got {self.groups}")
        wide = self.dynamic_range
        if wide is not None and (isinstance(wide, bool) or not isinstance(wide, (int, float)) or not wide > 1):
            raise ValueError(f"algorithm.dynamic_range: expected a ratio above 1 or null, got {wide!r}")

    def __call__(self, values: Tensor) -> GroupedValues:
        """Quantise the rows of `values`, shape (w, k), each with intervals of its own."""
        high = max(1, _BLOCK // max(1, values.shape[1]))
        parts = [self._rows(values[top : top + high]) for top in range(0, len(values), high)]
        return GroupedValues.join(parts) if parts else self._rows(values)

    def _rows(self, values: Tensor) -> GroupedValues:
        w = len(values)
        magnitudes = values.abs().double()
        high = magnitudes.amax(dim=1)
        low = torch.where(magnitudes > 0, magnitudes, torch.inf).amin(dim=1).minimum(high)
        if self.dynamic_range is not None:
            low = torch.maximum(low, high / self.dynamic_range)
        ratio = torch.where(high > 0, high / low, 1.0)
        steps = torch.arange(self.groups - 1, 0, -1, dtype=torch.float64, device=values.device) / self.groups
        edges = high[:, None] / ratio[:, None] ** steps  # max / r^i for i = P - 1 .. 1, rising
        edges.masked_fill_(ratio[:, None] == 1, 0.0)  # one magnitude: it is the first group's, and zeros the last one's
        group = self.groups - 1 - torch.searchsorted(edges, magnitudes)
        flat = (group + torch.arange(w, device=values.device)[:, None] * self.groups).view(-1)
        total = torch.zeros(w * self.groups, dtype=torch.float64, device=values.device)
        scatter_add(total, flat, magnitudes.view(-1))
        members = torch.bincount(flat, minlength=len(total)).clamp(min=1)
        means = (total / members).view(w, self.groups).float()
        levels = torch.where(values < 0, -1 - group, group + 1).to(torch.int16)
        return GroupedValues(levels.view(-1), means)
