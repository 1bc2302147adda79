"""The figures by name; each has a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from figures import (
    breakdown,
    chart_view,
    gantt,
    link_utilisation,
    pareto,
    regime_map,
    scaling,
    speedup,
    staleness,
    time_to_target,
    topology,
)
from figures.charts import CHARTS
from figures.runs import Run
from figures.venues import Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Numbers(Protocol):
    """What a figure shows, before it is drawn."""

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        ...

    def csv(self) -> str:
        """Write exactly the plotted numbers."""
        ...


@dataclass(frozen=True)
class View:
    """How a figure is made: numbers from runs and options, and a drawing from the numbers for a page.

    `keys` are its options, each with the line that the usage tells of it. `each` says that every run gets a panel of
    its own, at most so many, and `alone` that the figure may do without runs.
    """

    draw_up: Callable[[Sequence[Run], Mapping[str, str]], Numbers]
    draw: Callable[[Any, Page], Figure]
    keys: Mapping[str, str] = field(default_factory=dict)
    each: int = 0
    alone: bool = False


def _chart(name: str) -> View:
    keys = {
        "x": f"{'|'.join(CHARTS[name].x)}   what lies across",
        "scale": "log|linear       of the horizontal axis",
        "band": "minmax|std       around the mean over seeds",
    }
    return View(partial(chart_view.curves_of, name), chart_view.draw_curves, keys)


VIEWS = {
    **{name: _chart(name) for name in CHARTS},
    "time_to_target": View(time_to_target.draw_up, time_to_target.draw, time_to_target.KEYS),
    "regime_map": View(regime_map.draw_up, regime_map.draw, regime_map.KEYS),
    "speedup": View(speedup.draw_up, speedup.draw, speedup.KEYS),
    "scaling": View(scaling.draw_up, scaling.draw, scaling.KEYS),
    "pareto": View(pareto.draw_up, pareto.draw, pareto.KEYS),
    "breakdown": View(breakdown.draw_up, breakdown.draw, {"unit": "auto|seconds|share time per round, or shares"}),
    "gantt": View(
        gantt.draw_up,
        gantt.draw,
        {
            "rounds": "10:12         both ends included; default: the first three that spans.parquet holds",
            "workers": "0,1,2        default: the first sixteen of one run, fewer of several",
        },
        each=gantt.PANELS,
    ),
    "link_utilisation": View(
        link_utilisation.draw_up,
        link_utilisation.draw,
        {"top": "<number>         only so many of the busiest links"},
        each=link_utilisation.PANELS,
    ),
    "staleness": View(staleness.draw_up, staleness.draw),
    "topology": View(topology.draw_up, topology.draw, topology.KEYS, alone=True),
}
