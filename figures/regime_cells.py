"""Draw a regime map: cells of colour, a border where the winner changes, the winner's marker where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from figures import ticks
from figures.legends import below, legend_inches
from figures.looks import Look, looks
from figures.panels import panels
from figures.venues import Page

if TYPE_CHECKING:
    from figures.regime_map import RegimeMap

FAINT, FULL = 0.25, 0.85  # strength of the colour at a tie, and from a margin of FAR on
FAR = 3.0
SHADES = (1.0, 1.5, FAR)


def strength(margin: Any) -> Any:
    """Give how strong a colour is, on a logarithmic scale of the margin."""
    share = np.clip(np.log(np.where(np.isfinite(margin), margin, FAR)) / np.log(FAR), 0.0, 1.0)
    return FAINT + (FULL - FAINT) * share


def draw_map(numbers: RegimeMap, page: Page) -> Figure:
    """Draw the map with two legends below: who, and by how much."""
    times = numbers.times
    styles = looks(zip(times.algorithms, times.labels, strict=True))
    winners = [at for at in range(len(times.labels)) if (numbers.winner == at).any()]
    names = [times.labels[at] for at in winners] + [_shade(margin) for margin in SHADES]
    if (numbers.winner < 0).any():
        names.append("nobody")
    with matplotlib.rc_context(page.style | {"axes.grid": False}):
        figure, (axes,), _ = panels(page, 1, legend=legend_inches(names, page, handle=1.8))
        edges = [borders(np.log10(values)) for values in (times.bandwidth_bps, times.latency_s)]
        _cells(axes, numbers, [styles[label] for label in times.labels], edges)
        _borders(axes, numbers.winner, edges, page)
        axes.set_xlim(10.0 ** edges[0][0], 10.0 ** edges[0][-1])
        axes.set_ylim(10.0 ** edges[1][0], 10.0 ** edges[1][-1])
        axes.set_xscale("log")
        axes.set_yscale("log")
        ticks.logarithmic(axes.xaxis, "bit/s")
        ticks.logarithmic(axes.yaxis, "s")
        axes.set_xlabel("Bandwidth of each worker's link")
        axes.set_ylabel("Latency, one way")
        _markers(axes, numbers, [styles[label] for label in times.labels], page)
        handles: list[Any] = [_who(styles[times.labels[at]], page) for at in winners]
        handles += [Patch(facecolor=_blend("#000000", float(strength(margin))), edgecolor="black") for margin in SHADES]
        if "nobody" in names:
            handles.append(Patch(facecolor="white", edgecolor="0.6", hatch="////"))
        below(figure, handles, names, page, handle=1.8)
    return figure


def borders(centres: np.ndarray) -> np.ndarray:
    """Give the edges between centres, halfway, and as far beyond the outermost: shape (n + 1,) for (n,)."""
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _shade(margin: float) -> str:
    return {1.0: "second equally fast", FAR: f"second ≥ {FAR:g}× slower"}.get(margin, f"second {margin:g}× slower")


def _blend(colour: str, share: float) -> tuple[float, float, float]:
    red, green, blue = (1 - share + share * part for part in to_rgb(colour))
    return red, green, blue


def _cells(axes: Axes, numbers: RegimeMap, styles: list[Look], edges: list[np.ndarray]) -> None:
    x, y = (10.0**edge for edge in edges)
    for b, at in np.ndindex(*numbers.winner.shape):
        winner = int(numbers.winner[b, at])
        shade = float(strength(numbers.margin[b, at]))
        look: dict[str, Any] = (
            {"facecolor": _blend(styles[winner].colour, shade), "edgecolor": "none"}
            if winner >= 0
            else {"facecolor": "white", "edgecolor": "0.6", "hatch": "////", "linewidth": 0}
        )
        (left, right), (low, high) = x[b : b + 2].tolist(), y[at : at + 2].tolist()
        axes.add_patch(Rectangle((left, low), right - left, high - low, zorder=1, **look))


def _borders(axes: Axes, winner: np.ndarray, edges: list[np.ndarray], page: Page) -> None:
    x, y = (10.0**edge for edge in edges)
    style: Any = {"color": "black", "linewidth": 1.0 * page.scale, "zorder": 3, "solid_capstyle": "butt"}
    for b, at in np.ndindex(*winner.shape):
        if b + 1 < winner.shape[0] and winner[b, at] != winner[b + 1, at]:
            axes.plot([x[b + 1]] * 2, y[at : at + 2], **style)
        if at + 1 < winner.shape[1] and winner[b, at] != winner[b, at + 1]:
            axes.plot(x[b : b + 2], [y[at + 1]] * 2, **style)


def _markers(axes: Axes, numbers: RegimeMap, styles: list[Look], page: Page) -> None:
    """The winner's marker in each cell, for who sees no colours; every other cell of a fine map."""
    step = max(1, int(np.ceil(max(numbers.winner.shape) / (3.2 * page.inches / page.scale))))
    for b, at in np.ndindex(*numbers.winner.shape):
        winner = int(numbers.winner[b, at])
        if winner >= 0 and not (b % step or at % step):
            place = (numbers.times.bandwidth_bps[b], numbers.times.latency_s[at])
            axes.plot(*place, zorder=4, **_marker(styles[winner], page))


def _marker(look: Look, page: Page) -> dict[str, Any]:
    return {
        "marker": look.marker,
        "markersize": 3.4 * page.scale,
        "markerfacecolor": "white",
        "markeredgecolor": "black",
        "markeredgewidth": 0.6 * page.scale,
        "linestyle": "none",
    }


def _who(look: Look, page: Page) -> Any:
    return Patch(facecolor=_blend(look.colour, FULL), edgecolor="black"), Line2D([], [], **_marker(look, page))
