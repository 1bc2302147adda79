"""The network itself: circles are workers, squares servers, diamonds switches; a colour and dash for each kind of link.

Where nodes stand and what links carry is asked of `python -m network_models describe`, so that nothing is imported.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from figures.groups import grouped, labels, settings
from figures.options import Options
from figures.problems import FigureError
from figures.runs import Run
from figures.tables import at_most
from figures.venues import DEFAULT, SMALLEST, Page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEYS = {
    "network": "<name>       of conf/network; default: the networks of the runs, a panel each",
    "workers": "<number>     with network=; default 16",
}
PANELS = 4
SHAPES = {
    "worker": ("o", "#FFFFFF", "#000000"),
    "switch": ("D", "#BBBBBB", "#555555"),
    "server": ("s", "#E69F00", "#000000"),
}
CORNER = 6  # kinds of links that colours and dashes tell apart


@dataclass(frozen=True)
class Plan:
    """One network as `describe plan=` tells it: lines of item, name, kind, x and y."""

    title: str
    lines: Sequence[Mapping[str, str]]

    @property
    def nodes(self) -> list[tuple[str, str, float, float]]:
        """Name, kind and place of each node."""
        found = [line for line in self.lines if line["item"] == "node"]
        return [(line["name"], line["kind"], float(line["x"]), float(line["y"])) for line in found]

    @property
    def links(self) -> list[tuple[str, np.ndarray]]:
        """Kind of each link and the corners of its way, shape (m, 2)."""
        ways = grouped(
            (line for line in self.lines if line["item"] == "link"), lambda line: (line["name"], line["kind"])
        )
        return [(way[0]["kind"], np.array([(float(at["x"]), float(at["y"])) for at in way])) for way in ways.values()]


@dataclass(frozen=True)
class Topology:
    """Plans, a panel each."""

    plans: Sequence[Plan]

    @property
    def caption(self) -> str:
        """Say in one sentence what is shown."""
        return "Networks: circles are workers, squares servers, diamonds switches, lines links with rate and latency."

    def csv(self) -> str:
        """Write nodes and ways, a line for each node and each corner of a way."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["panel", "item", "name", "kind", "x", "y"])
        for plan in self.plans:
            writer.writerows([plan.title, *line.values()] for line in plan.lines)
        return text.getvalue()


def draw_up(runs: Sequence[Run], options: Options) -> Topology:
    """Ask for the plan of the network that is named, or of each network among the runs.

    Raises
    ------
    FigureError
        With what `describe` said, or if there are too many networks.
    """
    if "network" in options:
        return Topology([_plan(options["network"], options["network"], options.get("workers", "16"))])
    if "workers" in options:
        raise FigureError("workers: expected only together with network=, got it with runs=")
    if not runs:
        raise FigureError("runs: expected a pattern of run folders, or network=<name>, got neither")
    groups = list(grouped(runs, lambda run: tuple(sorted(map(str, _network(run).items())))).values())
    at_most([group[0] for group in groups], PANELS)
    told = [_network(group[0]) for group in groups]
    plans = []
    with TemporaryDirectory() as folder:
        for at, (title, group) in enumerate(zip(labels(told, "network"), groups, strict=True)):
            path = Path(folder) / f"{at}.yaml"
            path.write_text(yaml.safe_dump(dict(group[0].config["network"])), encoding="utf-8")
            plans.append(_plan(title, str(path), str(group[0].workers)))
    return Topology(plans)


def _network(run: Run) -> dict[str, Any]:
    return {key: value for key, value in settings(run).items() if key.startswith(("network.", "workers"))}


def _plan(title: str, network: str, workers: str) -> Plan:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "plan.csv"
        command = [sys.executable, "-m", "network_models", "describe", f"network={network}", f"workers={workers}"]
        done = subprocess.run([*command, f"plan={file}"], capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise FigureError(f"network: {title}: {said[-1] if said else done.returncode}")
        with file.open(newline="", encoding="utf-8") as lines:
            return Plan(title, list(csv.DictReader(lines)))


def draw(topology: Topology, page: Page = DEFAULT) -> Figure:
    """Draw the plans, with one legend for all kinds of links and of nodes."""
    import matplotlib
    from matplotlib.lines import Line2D

    from figures.legends import below, legend_inches, wrapped
    from figures.looks import COLOURS, DASHES
    from figures.panels import panels

    kinds = Counter(kind for plan in topology.plans for kind, _ in plan.links).most_common()
    looks = {kind: (COLOURS[1 + at % CORNER], DASHES[at % len(DASHES)]) for at, (kind, _) in enumerate(kinds[:CORNER])}
    present = [kind for kind in SHAPES if any(kind == of for plan in topology.plans for _, of, _, _ in plan.nodes)]
    names = [*present, *looks, *(["other links"] if len(kinds) > CORNER else [])]
    handles: list[Any] = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=SHAPES[kind][0],
            markerfacecolor=SHAPES[kind][1],
            markeredgecolor=SHAPES[kind][2],
        )
        for kind in present
    ] + [Line2D([], [], color=colour, linestyle=dash) for colour, dash in looks.values()]
    handles += [Line2D([], [], color="0.6")] * (len(kinds) > CORNER)
    with matplotlib.rc_context(page.style):
        room, count = legend_inches(names, page, handle=2.4), len(topology.plans)
        figure, grid, columns = panels(page, count, legend=room, shape=0.8, least=2.4, most=4.2)
        for axes, plan in zip(grid, topology.plans, strict=True):
            _plan_on(axes, plan, looks, page, page.inches / columns)
            if count > 1:
                axes.set_title(wrapped(plan.title, page.text, page.inches / columns - 0.3))
        below(figure, handles, names, page, handle=2.4)
    return figure


def _plan_on(axes: Axes, plan: Plan, looks: Mapping[str, tuple[str, Any]], page: Page, inches: float) -> None:
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    width = page.scale * float(np.clip(60 / max(len(plan.links), 1), 0.4, 1.2))
    for kind, way in plan.links:
        colour, dash = looks.get(kind, ("0.6", "-"))
        axes.plot(*way.T, color=colour, linestyle=dash, linewidth=width, zorder=1)
    points = np.array([(x, y) for _, _, x, y in plan.nodes])
    gaps = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) + np.where(np.eye(len(points)), np.inf, 0)
    apart = float(np.quantile(gaps.min(axis=1), 0.1)) if len(points) > 1 else 1.0
    spread = float(max(np.ptp(points, axis=0).max(), 1e-9))
    size = float(np.clip(0.7 * apart / spread * 72 * 0.8 * inches, 1.5, 14 * page.scale))  # points across
    text = 0.6 * size
    for name, kind, x, y in plan.nodes:
        marker, face, edge = SHAPES.get(kind, SHAPES["switch"])
        axes.plot(x, y, marker, markersize=size * (0.75 if kind == "switch" else 1), markerfacecolor=face,
                  markeredgecolor=edge, markeredgewidth=0.7 * page.scale, zorder=2)  # fmt: skip
        if kind == "worker" and text >= SMALLEST:  # numbers only where they can be read
            axes.annotate(name, (x, y), ha="center", va="center_baseline", size=min(text, page.small), zorder=3)
    axes.margins(0.08)
