"""Who is fastest where: bandwidth across, latency upright, each cell in the colour of the winner.

The stronger the colour, the further the second is behind. A cell in which nobody was recorded is hatched.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figures import targets
from figures.groups import one_task
from figures.options import Options, grid
from figures.problems import FigureError
from figures.reaching import Times, recorded, retimed
from figures.runs import Run
from figures.targets import Goal
from figures.venues import Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BANDWIDTHS, LATENCIES = "1e6:1e10:9", "1e-5:0.1:7"
KEYS = targets.KEYS | {
    "network": "<name>       re-time on it; default: take the runs as they were recorded",
    "bandwidth": f"first:last:count or a,b,c   of every worker's link (with network=; default {BANDWIDTHS})",
    "latency": f"first:last:count or a,b,c   of every worker's link, one way (with network=; default {LATENCIES})",
}
NOBODY = -1


@dataclass(frozen=True)
class RegimeMap:
    """For each bandwidth and latency, shape (b, l): the winner and the second (numbers of groups, -1 for nobody).

    `margin` is the second's time over the winner's: infinite without a second, NaN without a winner.
    """

    times: Times
    winner: np.ndarray
    second: np.ndarray
    margin: np.ndarray
    goal: Goal
    task: str

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return (
            f"The algorithm that reaches {self.goal.title} on {self.task} first, by bandwidth and one-way latency of "
            f"each worker's link, {self.times.how}, mean over seeds; the stronger the colour, the later the second."
        )

    def csv(self) -> str:
        """Write the map, a line for each cell."""
        text, names = io.StringIO(), [*self.times.labels, ""]
        writer = csv.writer(text, lineterminator="\n")
        columns = ("winner", "seconds", "second", "second_seconds", "margin")
        writer.writerow(["bandwidth_bps", "latency_s", *columns, "how"])
        for b, rate in enumerate(self.times.bandwidth_bps.tolist()):
            for at, latency in enumerate(self.times.latency_s.tolist()):
                first, second = int(self.winner[b, at]), int(self.second[b, at])
                seconds = ["" if n == NOBODY else repr(float(self.times.seconds[n, b, at])) for n in (first, second)]
                margin = "" if second == NOBODY else repr(float(self.margin[b, at]))
                cells = (names[first], seconds[0], names[second], seconds[1], margin)
                writer.writerow([repr(rate), repr(latency), *cells, self.times.how])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Options) -> RegimeMap:
    """Find the winner of each cell; only groups whose every seed reaches the target compete.

    Raises
    ------
    FigureError
        If nobody reaches the target, or the runs lie on one bandwidth or latency only.
    """
    goal, task = targets.goal(runs, options), one_task(runs)
    if "network" in options:
        rates, delays = grid(options, "bandwidth", BANDWIDTHS, "rate"), grid(options, "latency", LATENCIES, "duration")
        times = retimed(runs, goal, options["network"], rates, delays)
    else:
        times = recorded(runs, goal)
    if min(times.bandwidth_bps.size, times.latency_s.size) < 2:
        raise FigureError(
            f"runs: expected several bandwidths and latencies, got {times.bandwidth_bps.size} and "
            f"{times.latency_s.size}; re-time instead (network=lan_1g)"
        )
    return RegimeMap(times, *ranked(times.seconds), goal, task)


def ranked(seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give winner, second and margin of times [g, b, l]; a tie goes to the group that comes first."""
    known = np.where(np.isfinite(seconds), seconds, np.inf)
    padded = np.concatenate([known, np.full((2, *known.shape[1:]), np.inf)])
    order = np.argsort(padded, axis=0, kind="stable")
    best, next_ = (np.take_along_axis(padded, order[at][None], 0)[0] for at in (0, 1))
    margin = np.divide(next_, best, out=np.full(best.shape, np.nan), where=np.isfinite(best))
    return np.where(np.isfinite(best), order[0], NOBODY), np.where(np.isfinite(next_), order[1], NOBODY), margin


def draw(numbers: RegimeMap, page: Page) -> Figure:
    """Draw the cells; Matplotlib is loaded here."""
    from figures.regime_cells import draw_map

    return draw_map(numbers, page)
