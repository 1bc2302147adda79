"""The figures that show where time and bytes went, by name; each has a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from figures import breakdown, gantt, link_utilisation, staleness
from figures.runs import Run

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
    """How a figure is made: numbers from runs and options, and a drawing from the numbers.

    `keys` are its options, each with the line that the usage tells of it.
    """

    draw_up: Callable[[Sequence[Run], Mapping[str, str]], Numbers]
    draw: Callable[[Any], Figure]
    keys: Mapping[str, str] = field(default_factory=dict)


VIEWS = {
    "breakdown": View(breakdown.draw_up, breakdown.draw, {"unit": "auto|seconds|share time per round, or shares"}),
    "gantt": View(
        gantt.draw_up,
        gantt.draw,
        {
            "rounds": "10:12         both ends included; default: the first three that spans.parquet holds",
            "workers": "0,1,2        default: the first sixteen",
        },
    ),
    "link_utilisation": View(
        link_utilisation.draw_up, link_utilisation.draw, {"top": "<number>         only so many of the busiest links"}
    ),
    "staleness": View(staleness.draw_up, staleness.draw),
}
