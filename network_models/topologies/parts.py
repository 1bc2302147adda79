"""What topologies are made of: workers in a line, a circle or a row of a drawing, and servers on nodes.

Every node gets `pos`, its place in a drawing.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TypeAlias

import networkx as nx

from network_models.whole import whole

#: A rate or a duration: a number in SI units, or a string with a unit.
Value: TypeAlias = float | str
Place: TypeAlias = tuple[float, float]


def either(value: Value | None, default: Value) -> Value:
    """The value, or the default where it is None."""
    return default if value is None else value


def on_circle(count: int, radius: float = 1.0) -> list[Place]:
    """Places on a circle, clockwise from the top."""
    angles = [math.pi / 2 - 2 * math.pi * number / count for number in range(count)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def in_row(count: int, height: float, width: float = 1.0) -> list[Place]:
    """Places spread evenly over a row of a layered drawing, from 0 to `width`."""
    return [((number + 0.5) * width / count, height) for number in range(count)]


def add_workers(graph: nx.Graph, places: Sequence[Place]) -> None:
    """Add workers 0, 1, ... at these places."""
    for worker, place in enumerate(places):
        graph.add_node(worker, kind="worker", pos=place)


def add_servers(
    graph: nx.Graph,
    servers: int,
    at: Sequence[Hashable],
    bps: Value,
    latency_s: Value,
    outwards: Place = (0.0, 1.0),
) -> None:
    """Add servers -1, -2, ..., each with a link of its own to one of the nodes `at`, in turn.

    In a drawing each stands `outwards` of its node, those of one node side by side.
    """
    for number in range(whole(servers, "network.topology.servers", 0)):
        node, turn = at[number % len(at)], number // len(at)
        x, y = graph.nodes[node]["pos"]
        aside = 0.25 * ((turn + 1) // 2) * (-1) ** turn
        across = (-outwards[1] * aside, outwards[0] * aside)
        place = (x + outwards[0] + across[0], y + outwards[1] + across[1])
        graph.add_node(-1 - number, kind="server", pos=place)
        graph.add_edge(-1 - number, node, bps=bps, latency_s=latency_s)


def named(kind: str) -> nx.Graph:
    """An empty undirected topology that knows its name."""
    return nx.Graph(topology=kind)
