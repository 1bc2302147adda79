"""Draw a topology: circles are workers, squares servers, diamonds switches; a colour for each kind of link.

A link that would run through another node is bent around it, so that a torus shows its ends joined. Colours are Okabe
and Ito's ("Color universal design", 2008).
"""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

import networkx as nx
import numpy as np

from network_models.fabric import Floats
from network_models.topologies.graph import Graph
from network_models.units import rate_bps, seconds

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_SHAPES = {
    "worker": ("o", "#FFFFFF", "#000000"),
    "switch": ("D", "#BBBBBB", "#555555"),
    "server": ("s", "#E69F00", "#000000"),
}
_LABELLED = 80  # nodes; more are drawn without their numbers
_BENT = 400  # nodes; of more, links stay straight
_DPI = 200

#: What the legend says of a link.
Kind: TypeAlias = str


def save_picture(fabric: Graph, title: str, folder: Path, name: str) -> list[Path]:
    """Write NAME.pdf and NAME.png into a folder, which is made; equal input gives equal bytes.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    style: Any = {"pdf.fonttype": 42, "font.family": "DejaVu Sans", "font.size": 8}
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with matplotlib.rc_context(style):
        where = places(fabric)
        figure = Figure(figsize=_inches(where), layout="constrained")
        axes = figure.add_subplot()
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
        _draw_links(axes, fabric, where)
        _draw_nodes(axes, fabric, where, figure.get_size_inches())
        axes.margins(0.06)
        for suffix, about in ((".pdf", {"Creator": "bitclock", "CreationDate": None}), (".png", {})):
            content = io.BytesIO()
            metadata: Any = {"Title": title, **about}
            figure.savefig(content, format=suffix[1:], dpi=_DPI, metadata=metadata)
            files.append(folder / f"{name}{suffix}")
            aside = files[-1].with_name(f".{name}{suffix}")
            aside.write_bytes(content.getvalue())
            os.replace(aside, files[-1])
    return files


def link_kinds(graph: nx.Graph) -> dict[tuple[Any, Any], Kind]:
    """Say of each link, both directions of one together, what it carries and how far it is."""
    kinds: dict[tuple[Any, Any], Kind] = {}
    for a, b, there in graph.edges(data=True):
        if (b, a) in kinds:
            continue
        if graph.has_edge(b, a) and graph.nodes[b].get("kind", "switch") != "switch":
            a, b, there = b, a, graph.edges[b, a]  # a node's own uplink first
        back = graph.edges[b, a] if graph.has_edge(b, a) else there
        rates = list(dict.fromkeys(_rate(of) for of in (there, back)))
        kinds[a, b] = f"{' / '.join(rates)}, {_duration(seconds(there['latency_s']))}"
    return kinds


def _rate(attributes: dict[str, Any]) -> str:
    bps = rate_bps(attributes.get("bps", attributes.get("bandwidth_bps")))
    for size, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if size <= bps < float("inf"):
            return f"{bps / size:.3g} {unit}"
    return "no limit" if bps == float("inf") else f"{bps:.3g} bit/s"


def _duration(duration_s: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if duration_s >= size:
            return f"{duration_s / size:.3g} {unit}"
    return f"{duration_s / 1e-9:.3g} ns" if duration_s else "0 s"


def places(fabric: Graph) -> dict[Any, Floats]:
    """Where each node stands: where its topology says, else where springs along the links pull it."""
    known = dict(fabric.graph.nodes(data="pos"))
    if any(not isinstance(place, tuple) for place in known.values()):
        known = nx.spring_layout(fabric.graph.to_undirected(), seed=1, iterations=100)
    return {node: np.array(place, dtype=np.float64) for node, place in known.items()}


def _inches(places: dict[Any, Floats]) -> tuple[float, float]:
    spread = np.ptp(np.array(list(places.values())), axis=0) + 1e-9
    tall = float(np.clip(spread[1] / spread[0], 0.25, 1.0)) if len(places) > 1 else 1.0
    return 6.8, 6.8 * tall + 0.8


def ways(fabric: Graph, where: dict[Any, Floats]) -> dict[tuple[Any, Any], Floats]:
    """The way of each link, both directions of one together, as corners of shape (m, 2), given where nodes stand."""
    points = np.array(list(where.values()))
    others = points if len(points) <= _BENT else points[:0]
    return {(a, b): _way(where[a], where[b], others) for a, b in link_kinds(fabric.graph)}


def titles(fabric: Graph) -> dict[Any, str]:
    """What workers (their numbers) and servers are called; others go by the names they have."""
    number = {node: str(label) for label, node in enumerate(fabric.nodes[: fabric.workers])}
    servers = fabric.nodes[: -1 - fabric.servers : -1]
    return number | {
        node: f"server {turn}" if len(servers) > 1 else "server" for turn, node in enumerate(servers, start=1)
    }


def _draw_links(axes: Any, fabric: Graph, places: dict[Any, Floats]) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    kinds = link_kinds(fabric.graph)
    common = Counter(kinds.values()).most_common()
    shown = common if len(common) <= len(_COLOURS) else common[: len(_COLOURS) - 1]
    colours = {kind: _COLOURS[number] for number, (kind, _) in enumerate(shown)}
    curves: dict[str, list[Floats]] = {}
    for link, way in ways(fabric, places).items():
        curves.setdefault(colours.get(kinds[link], "#999999"), []).append(way)
    width = float(np.clip(60 / len(kinds), 0.25, 1.3)) if kinds else 1.0
    for colour, lines in curves.items():
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=1))
    handles = [Line2D([], [], color=colours[kind], label=f"{kind} ({number})") for kind, number in shown]
    if len(shown) < len(common):
        rest = sum(number for _, number in common[len(shown) :])
        handles.append(Line2D([], [], color="#999999", label=f"{len(common) - len(shown)} other kinds ({rest})"))
    if handles:
        columns = 3 if max(len(str(handle.get_label())) for handle in handles) < 30 else 2
        axes.figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=7.5)


def _way(begin: Floats, end: Floats, points: Floats) -> Floats:
    """A straight line, or one bent aside where another node stands on it, shape (m, 2)."""
    along = end - begin
    length = float(np.hypot(*along)) or 1.0
    share = (points - begin) @ along / length**2
    across = np.abs((points - begin) @ np.array([-along[1], along[0]])) / length
    if not ((share > 1e-6) & (share < 1 - 1e-6) & (across < 0.02 * length)).any():
        return np.array([begin, end])
    middle = (begin + end) / 2 + 0.18 * np.array([along[1], -along[0]])
    t = np.linspace(0, 1, 25)[:, None]
    return (1 - t) ** 2 * begin + 2 * t * (1 - t) * middle + t**2 * end


def _apart(points: Floats) -> float:
    """How far the nearest other point is, of those that have close neighbours (the lowest tenth)."""
    if len(points) == 1:
        return float("inf")
    some = points[:: max(len(points) // 500, 1)]
    nearest = [np.partition(np.hypot(*(points - point).T), 1)[1] for point in some]
    return float(np.quantile(nearest, 0.1))


def _draw_nodes(axes: Any, fabric: Graph, places: dict[Any, Floats], inches: Floats) -> None:
    """Draw nodes as large as their distance allows, and number workers and name the others where few."""
    points = np.array(list(places.values()))
    apart = _apart(points) * 72 * float(inches[0]) / max(float(np.ptp(points[:, 0])), 1e-9)
    size = float(np.clip((0.75 * min(apart, 72)) ** 2, 2, 190))
    for kind, (marker, face, edge) in _SHAPES.items():
        nodes = [node for node, of in fabric.graph.nodes(data="kind", default="switch") if of == kind]
        if nodes:
            where = np.array([places[node] for node in nodes])
            scale = 0.6 if kind == "switch" else 1.0
            axes.scatter(*where.T, s=size * scale, marker=marker, c=face, edgecolors=edge, linewidths=0.8, zorder=2)
    if len(points) > _LABELLED:
        return
    workers, names = set(fabric.nodes[: fabric.workers]), titles(fabric)
    number = {node: names.pop(node) for node in list(names) if node in workers}
    if len(fabric.nodes) - fabric.workers - fabric.servers <= 12:
        names.update((node, str(node)) for node in fabric.nodes if node not in number and node not in names)
    for node, text in number.items():
        axes.annotate(text, places[node], ha="center", va="center", fontsize=0.52 * size**0.5, zorder=3)
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.75}
    above: Any = {
        "textcoords": "offset points",
        "ha": "center",
        "va": "bottom",
        "fontsize": 7,
        "zorder": 4,
        "bbox": plate,
    }
    for node, text in names.items():
        axes.annotate(text, places[node], (0, 0.5 * size**0.5 + 2), **above)
