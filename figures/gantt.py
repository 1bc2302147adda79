"""Who did what from when to when: a row for each worker, a panel for each run, from `spans.parquet`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.breakdown import legend
from figures.groups import labels, settings
from figures.kinds import KINDS, time_unit
from figures.problems import FigureError
from figures.runs import Run
from figures.tables import at_most, read_columns
from figures.venues import DEFAULT, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("worker", "stream", "kind", "begin_s", "end_s", "op", "round")
ROUNDS = 3  # shown unless asked otherwise
WORKERS = 16  # likewise, shared by the panels
FEWEST = 4  # but so many in each
PANELS = 6
SERVER = -1
MAIN = "compute"  # the stream in which a worker does one thing at a time


@dataclass(frozen=True)
class Panel:
    """The chosen spans of one run, in columns, marks among them; `title` names the run."""

    title: str
    columns: Mapping[str, np.ndarray]

    @property
    def rows(self) -> list[int]:
        """The workers from the top down, the server (-1) last."""
        found = sorted(set(self.columns["worker"][self.columns["kind"] != "mark"].tolist()))
        return [worker for worker in found if worker != SERVER] + [SERVER] * (SERVER in found)


@dataclass(frozen=True)
class Gantt:
    """Panels, one below the other."""

    panels: Sequence[Panel]

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return "What each worker does over simulated time; a dashed line ends a round."

    def csv(self) -> str:
        """Write the drawn spans, a line each."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["panel", *COLUMNS])
        for panel in self.panels:
            for span in zip(*(panel.columns[name].tolist() for name in COLUMNS), strict=True):
                writer.writerow([panel.title, *(repr(value) if isinstance(value, float) else value for value in span)])
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Mapping[str, str]) -> Gantt:
    """Choose the spans of some rounds and workers of each run.

    Raises
    ------
    FigureError
        If a run has no spans, telling the command that makes them, or none of those asked for.
    """
    at_most(runs, PANELS)
    rounds = _range(options["rounds"]) if "rounds" in options else None
    workers = _numbers(options["workers"]) if "workers" in options else None
    titles = labels([settings(run) for run in runs], "algorithm")
    most = max((WORKERS if options.get("venue") != "talk" else WORKERS // 2) // len(runs), FEWEST)
    return Gantt([_panel(run, title, rounds, workers, most) for run, title in zip(runs, titles, strict=True)])


def _range(text: str) -> tuple[int, int]:
    low, colon, high = text.partition(":")
    if not low.isdigit() or (colon and not high.isdigit()) or int(high or low) < int(low):
        raise FigureError(f"rounds: expected a round or first:last, such as 10:20, got {text}")
    return int(low), int(high or low)


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isdigit() for part in parts):
        raise FigureError(f"workers: expected numbers of workers, such as 0,1,2, got {text}")
    return [int(part) for part in parts]


def _panel(run: Run, title: str, rounds: tuple[int, int] | None, workers: list[int] | None, most: int) -> Panel:
    command = f"python -m simulator.timeline run={run.folder}"
    table = read_columns(run, "spans", COLUMNS, f"make it with {command}")
    columns = {name: np.array(table[name].to_pylist()) for name in COLUMNS}
    if not len(table):
        raise FigureError(f"{run.folder}: expected spans, got none; make them with {command}")
    first, last = rounds or (int(columns["round"].min()), int(columns["round"].min()) + ROUNDS - 1)
    chosen = (columns["round"] >= first) & (columns["round"] <= last)
    everyone = np.unique(columns["worker"][columns["worker"] != SERVER])
    shown = everyone[:most] if workers is None else np.array(workers)
    chosen &= np.isin(columns["worker"], [*shown.tolist(), SERVER])
    if not (chosen & (columns["worker"] != SERVER)).any():
        raise FigureError(
            f"{run.folder}: expected spans of rounds {first}:{last} and workers {_listed(shown)}, got rounds "
            f"{columns['round'].min()}:{columns['round'].max()} and workers {_listed(everyone)}; for others {command}"
        )
    return Panel(title, {name: values[chosen] for name, values in columns.items()})


def _listed(workers: np.ndarray) -> str:
    few = ",".join(str(worker) for worker in workers[:8].tolist())
    return few if len(workers) <= 8 else f"{few},... ({len(workers)})"


def draw(gantt: Gantt, page: Page = DEFAULT) -> Figure:
    """Draw the panels; each has its own time axis."""
    import matplotlib
    from matplotlib.figure import Figure

    from figures.legends import below, legend_inches

    panels = gantt.panels
    heights = [0.85 * page.scale + 1.6 * page.small / 72 * len(panel.rows) for panel in panels]
    with matplotlib.rc_context(page.style | {"axes.grid": False}):
        drawn = {kind for panel in panels for kind in panel.columns["kind"].tolist()}
        handles, titles = legend([kind for kind in KINDS if kind in drawn])
        room = legend_inches(titles, page, handle=1.4)
        figure = Figure(figsize=page.tall(sum(heights) + room), layout="constrained")
        grid = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
        for axes, panel in zip(grid.flat, panels, strict=True):
            _rows(axes, panel, page)
        below(figure, handles, titles, page, handle=1.4)
    return figure


def _rows(axes: Axes, panel: Panel, page: Page) -> None:
    from figures import ticks
    from figures.legends import text_inches, wrapped

    columns, rows = panel.columns, panel.rows
    marks = columns["kind"] == "mark"
    begin, end = float(columns["begin_s"].min()), float(columns["end_s"][marks if marks.any() else ~marks].max())
    scale, unit = time_unit(end - begin)
    for kind, look in KINDS.items():
        # No borders: they would cover what is short. The server's work is, so it gets one of its own colour.
        border = (look.colour, 0.6) if kind == "server" else ("white", 0.0)
        style: Any = {"facecolors": look.colour, "hatch": look.hatch, "edgecolor": border[0], "linewidth": border[1]}
        for row, worker in enumerate(rows):
            mine = (columns["kind"] == kind) & (columns["worker"] == worker)
            for own, place in ((True, _place(columns, worker, row)), (False, (row + 0.12, 0.28))):
                spans = mine & ((columns["stream"] == MAIN) == own)
                if spans.any():
                    lengths = columns["end_s"][spans] - columns["begin_s"][spans]
                    axes.broken_barh(
                        list(zip(columns["begin_s"][spans] * scale, lengths * scale, strict=True)), place, **style
                    )
    # Rounds are named as far as there is room: from the right, each name clear of the one before it.
    clear = np.inf
    numbers, closings = columns["round"][marks].tolist(), columns["end_s"][marks].tolist()
    for number, closes in reversed(list(zip(numbers, closings, strict=True))):
        axes.axvline(closes * scale, color="black", linewidth=0.7 * page.scale, linestyle=(0, (4, 2)))
        name, place = f"round {number}", (closes - begin) / (end - begin) * 0.85 * page.inches
        if place > clear or place < text_inches(name, page.small) + 0.06:
            continue
        clear = place - text_inches(name, page.small) - 0.1 * page.scale
        axes.annotate(
            name, (closes * scale, 1.0), (-3, 2), xycoords=axes.get_xaxis_transform(),
            textcoords="offset points", ha="right", va="bottom", size=page.small,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), ["server" if worker == SERVER else f"worker {worker}" for worker in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(begin * scale, end * scale)
    ticks.linear(axes.xaxis)
    axes.set_xlabel(f"Simulated time ({unit})")
    axes.set_title(wrapped(panel.title, page.text, 0.8 * page.inches), loc="left", pad=1.6 * page.text)


def _place(columns: Mapping[str, np.ndarray], worker: int, row: int) -> tuple[float, float]:
    """Give the lower edge and the height of a worker's own bars: they make room where it has other streams too."""
    others = (columns["worker"] == worker) & (columns["stream"] != MAIN)
    return (row - 0.4, 0.5) if others.any() else (row - 0.4, 0.8)
