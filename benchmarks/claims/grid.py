"""A grid of errors over sparsity and delay: how much they differ along the diagonals of equal p / n, and across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures.venues import DEFAULT

Cell = tuple[float, int]  # p, the share of the coordinates that is sent, and n, the iterations between two messages


@dataclass(frozen=True)
class Grid:
    """Errors in per cent by cell, one for each seed."""

    errors: Mapping[Cell, Sequence[float]]

    @property
    def diagonals(self) -> dict[float, list[Cell]]:
        """The cells of equal p / n, in powers of ten, densest first; along each, the least delayed first."""
        cells = sorted(self.errors, key=lambda cell: (-_total(cell), cell[1]))
        return {total: list(group) for total, group in groupby(cells, key=_total)}

    def along(self, diagonal: float) -> float:
        """Give the largest minus the smallest mean error of one diagonal."""
        means = [fmean(self.errors[cell]) for cell in self.diagonals[diagonal]]
        return max(means) - min(means)

    def across(self) -> float:
        """Give the largest minus the smallest of the diagonals' mean errors."""
        means = [fmean(fmean(self.errors[cell]) for cell in cells) for cells in self.diagonals.values()]
        return max(means) - min(means)

    def explained(self) -> float:
        """Give the share of the variance of the cells' means that their diagonal explains (eta squared), 0 to 1."""
        whole = _squares([fmean(values) for values in self.errors.values()])
        left = sum(_squares([fmean(self.errors[cell]) for cell in cells]) for cells in self.diagonals.values())
        return 1 - left / whole

    def ends(self, diagonal: float) -> list[float]:
        """Give, by seed, the error with the longest delay of a diagonal minus that with the shortest."""
        cells = self.diagonals[diagonal]
        return [late - soon for soon, late in zip(self.errors[cells[0]], self.errors[cells[-1]], strict=True)]


def _total(cell: Cell) -> float:
    return float(f"{cell[0] / cell[1]:.0e}")


def _squares(values: Sequence[float]) -> float:
    return sum((value - fmean(values)) ** 2 for value in values)


def heat_map(grid: Grid) -> Figure:
    """Draw the mean errors, the densest cell at the top left, so that equal p / n lies along one rising diagonal."""
    densities = sorted({p for p, _ in grid.errors}, reverse=True)
    delays = sorted({n for _, n in grid.errors})
    means = [[fmean(grid.errors[p, n]) for n in delays] for p in densities]
    with matplotlib.rc_context(DEFAULT.style | {"axes.grid": False}):
        figure = Figure(figsize=(3.6, 3.1), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(means, cmap="viridis_r", aspect="auto")
        middle = (min(map(min, means)) + max(map(max, means))) / 2
        for row, line in enumerate(means):
            for column, mean in enumerate(line):
                colour = "white" if mean > middle else "black"
                axes.text(column, row, f"{mean:.1f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(delays)), [str(n) for n in delays])
        axes.set_yticks(range(len(densities)), [f"{p:g}" for p in densities])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("n, iterations between two messages")
        axes.set_ylabel("p, share of the entries sent")
        figure.colorbar(image, ax=axes, label="Test error (%)")
    return figure
