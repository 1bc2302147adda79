"""A topology survives being written to a file and read back, in every format; what cannot be read is refused."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from network_models.topologies import Graph, fat_tree, from_file, sharded_servers

SUFFIXES = (".graphml", ".gml", ".json", ".csv")


def write(graph: nx.Graph, file: Path) -> None:
    plain = graph.copy()
    for _, attributes in plain.nodes(data=True):
        attributes.pop("pos")
    if file.suffix == ".graphml":
        nx.write_graphml(plain, file)
    elif file.suffix == ".gml":
        nx.write_gml(plain, file, stringizer=str)
    elif file.suffix == ".json":
        file.write_text(json.dumps(nx.node_link_data(plain, edges="links")), encoding="utf-8")
    else:
        lines = [f"{a},{b},{of['bps']},{of['latency_s']}\n" for a, b, of in plain.edges(data=True)]
        file.write_text("from,to,bps,latency_s\n" + "".join(lines), encoding="utf-8")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_network(suffix: str, tmp_path: Path) -> None:
    graph = fat_tree(16, "1 Gbit/s", "5 us", servers=2, server_bps="10 Gbit/s", server_latency_s="1 us")
    file = tmp_path / f"mine{suffix}"
    write(graph, file)
    read, fabric = Graph(from_file(str(file))), Graph(graph)
    assert (read.workers, read.servers, len(read.nodes)) == (16, 2, len(fabric.nodes))
    ends = np.array([*range(16), -2, -1])
    for figure in ("path_latency_s", "path_bps", "path_hops"):
        assert (getattr(read, figure)(ends[:, None], ends) == getattr(fabric, figure)(ends[:, None], ends)).all()
    assert read.graph.graph["topology"] in ("mine", "fat_tree")


@pytest.mark.parametrize("suffix", [".graphml", ".gml", ".json"])
def test_directed_graphs_stay_directed(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"mine{suffix}"
    write(sharded_servers(2, 1, up_bps=1e6, down_bps=2e6, latency_s=0.001, server_up_bps=5e6), file)
    read = Graph(from_file(str(file)))
    assert read.path_bps([0, -1], [-1, 0]).tolist() == [1e6, 2e6]


def test_kinds_come_from_names_or_all_are_workers(tmp_path: Path) -> None:
    file = tmp_path / "edges.csv"
    file.write_text(
        "a, b, bps, latency_s, half_duplex, loss\n3, hub, 1 Mbit/s, 1, true, 0.1\n1,hub,1e6,0,,\n-1,hub,2e6,0,false,",
        encoding="utf-8",
    )
    fabric = Graph(from_file(str(file)))
    assert fabric.nodes == ["1", "3", "hub", "-1"]  # workers by number
    assert fabric.route(1, 0)[0] == fabric.route(0, 1)[-1] and fabric.path_loss(0, 1) == pytest.approx(0.1)
    file.write_text("a,b,bps,latency_s\nrome,oslo,1e6,0\noslo,bern,1e6,0\n", encoding="utf-8")
    assert Graph(from_file(str(file))).nodes == ["rome", "oslo", "bern"]
    assert Graph(from_file(str(file))).workers == 3


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", r"expected a name that ends in .graphml, .gml, .json, .csv, got"),
        ("a.graphml", "<graphml", "expected .graphml in"),
        ("a.gml", "graph [ node", "expected .gml in"),
        ("a.json", "[1", "expected .json in"),
        ("a.json", "[]", "expected .json in"),
        (
            "a.json",
            '{"nodes": [{"id": 0}], "edges": [{"source": 0, "target": 1}]}',
            "expected edges between known nodes",
        ),
        ("a.json", '{"multigraph": true, "nodes": [], "edges": []}', "got a multigraph"),
        ("a.json", '{"nodes": [{"name": 0}], "edges": []}', "expected .json in"),
        ("a.csv", "", "expected a header with two columns of nodes at least"),
        ("a.csv", "a,b,bps\n0,1,1\n1,0,1\n", "line 3: expected each edge once, got 1 - 0 again"),
        ("a.csv", "a,b,bps\n0,,1\n", "line 2: expected two nodes"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        from_file(str(file))
    with pytest.raises(ValueError, match="expected a"):
        from_file(str(tmp_path / f"missing{file.suffix}"))
