"""Write where each node of a network stands and the way of each link as a table, for whoever draws it elsewhere."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from network_models.commands.drawing import link_kinds, places, titles, ways
from network_models.topologies.graph import Graph

#: A node is a line, a link a line for each corner of its way.
COLUMNS = ("item", "name", "kind", "x", "y")


def save_plan(fabric: Graph, path: Path) -> Path:
    """Write the plan as CSV; equal input gives equal bytes.

    A node's name is its number if it is a worker, and what it is called otherwise; a link's kind is its rates and
    latency. Coordinates are without a unit.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    where, names = places(fabric), titles(fabric)
    rows: list[tuple[object, ...]] = []
    for node, of in fabric.graph.nodes(data="kind", default="switch"):
        rows.append(("node", names.get(node, str(node)), of, *map(repr, np.asarray(where[node]).tolist())))
    kinds = link_kinds(fabric.graph)
    for (a, b), way in ways(fabric, where).items():
        name = f"{names.get(a, str(a))} - {names.get(b, str(b))}"
        rows += [("link", name, kinds[a, b], *map(repr, corner)) for corner in way.tolist()]
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with aside.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    os.replace(aside, path)
    return path
