"""Topologies from files: GraphML, GML, node-link JSON, and edge lists as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import networkx as nx


def from_file(path: str) -> nx.Graph:
    """Read a topology; the suffix tells the format.

    Parameters
    ----------
    path : str
        `.graphml`; `.gml`; `.json` in networkx' node-link form (`nodes` and `edges`, or `links`); or `.csv`, a list of
        undirected edges with a header: the first two columns name the ends, others are attributes (`bps`, `latency_s`,
        `loss`, `half_duplex`). Attributes are those of `Graph`; rates and durations may have units.

    Returns
    -------
    networkx.Graph or networkx.DiGraph

    Raises
    ------
    ValueError
        If there is no such file, it is of another format or cannot be read.

    Notes
    -----
    A node without a `kind` whose name is a whole number is a worker or, below 0, a server; they are ranked by these
    numbers. Any other is a switch, or, in a graph where no node is a worker or server by either rule, a worker.
    """
    if not isinstance(path, str):
        raise ValueError(f"network.topology.path: expected the name of a file, got {path!r}")
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise ValueError(f"network.topology.path: expected a name that ends in {', '.join(_READERS)}, got {path!r}")
    if not file.is_file():
        raise ValueError(f"network.topology.path: expected a file, got {path!r}")
    try:
        graph = reader(file)
    except (nx.NetworkXException, ValueError, KeyError, TypeError, AttributeError, SyntaxError) as error:
        raise ValueError(f"network.topology.path: expected {file.suffix} in {path!r}: {error}") from error
    plain = {
        node: number for node, kind in graph.nodes(data="kind") if kind is None and (number := _whole(node)) is not None
    }
    workers = sorted((node for node in plain if plain[node] >= 0), key=plain.__getitem__)
    servers = sorted((node for node in plain if plain[node] < 0), key=plain.__getitem__, reverse=True)
    if not any(kind == "worker" for _, kind in graph.nodes(data="kind")):
        graph.add_nodes_from((node, {"kind": "worker", "rank": rank}) for rank, node in enumerate(workers))
    if not any(kind == "server" for _, kind in graph.nodes(data="kind")):
        graph.add_nodes_from((node, {"kind": "server", "rank": -1 - rank}) for rank, node in enumerate(servers))
    if not any(kind in ("worker", "server") for _, kind in graph.nodes(data="kind")):
        for _, attributes in graph.nodes(data=True):
            attributes.setdefault("kind", "worker")
    graph.graph.setdefault("topology", file.stem)
    return graph


def _node_link(file: Path) -> nx.Graph:
    content = json.loads(file.read_text(encoding="utf-8"))
    links = "links" if "links" in content else "edges"
    if content.get("multigraph"):
        raise ValueError("expected one edge between two nodes, got a multigraph")
    graph = nx.DiGraph() if content.get("directed") else nx.Graph()
    graph.graph.update(content.get("graph", {}))
    for node in content["nodes"]:
        graph.add_node(node["id"], **{key: value for key, value in node.items() if key != "id"})
    for edge in content[links]:
        if not {edge["source"], edge["target"]} <= set(graph):
            raise ValueError(f"expected edges between known nodes, got {edge['source']} - {edge['target']}")
        figures = {key: value for key, value in edge.items() if key not in ("source", "target")}
        graph.add_edge(edge["source"], edge["target"], **figures)
    return graph


def _edge_list(file: Path) -> nx.Graph:
    graph = nx.Graph()
    with file.open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines, skipinitialspace=True)
        columns = list(table.fieldnames or ())
        if len(columns) < 2:
            raise ValueError("expected a header with two columns of nodes at least")
        for line in table:
            one, other = line[columns[0]], line[columns[1]]
            if not one or not other:
                raise ValueError(f"line {table.line_num}: expected two nodes")
            if graph.has_edge(one, other):
                raise ValueError(f"line {table.line_num}: expected each edge once, got {one} - {other} again")
            graph.add_edge(one, other, **{key: _value(line[key]) for key in columns[2:] if line[key]})
    return graph


def _gml(file: Path) -> nx.Graph:
    labelled = "label" in file.read_text(encoding="utf-8")
    return nx.read_gml(file, label="label" if labelled else "id")


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _whole(node: Hashable) -> int | None:
    try:
        return int(str(node))
    except ValueError:
        return None


_READERS: dict[str, Callable[[Path], nx.Graph]] = {
    ".graphml": nx.read_graphml,
    ".gml": _gml,
    ".json": _node_link,
    ".csv": _edge_list,
}
