"""`describe`: figures of merit as JSON on standard output, and a picture on request."""

import csv
import json
from pathlib import Path

import pytest

from network_models import graph, star
from network_models.__main__ import run
from network_models.commands.configured import names
from network_models.commands.describe import described, main
from network_models.commands.drawing import link_kinds
from network_models.conditions import Trace
from network_models.topologies import ring, sharded_servers, tree

PNG, PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-"


def test_a_fat_tree(capsys: pytest.CaptureFixture[str]) -> None:
    main(["network=fat_tree", "workers=16", "network.topology.k=4"])
    figures = json.loads(capsys.readouterr().out)
    assert (figures["network"], figures["topology"], figures["workers"]) == ("fat_tree", "fat_tree", 16)
    assert (figures["nodes"], figures["switches"], figures["servers"], figures["links"]) == (37, 20, 1, 49)
    assert figures["diameter_hops"] == 6 and figures["diameter_s"] == pytest.approx(30e-6)
    assert figures["bisection_bps"] == 8e10 and figures["oversubscription"] == 1
    # 15 others: one under the same edge switch (2 hops), two in the pod (4), twelve beyond (6), each hop 5 us
    assert figures["path_latency_s"]["mean"] == pytest.approx((2 + 2 * 4 + 12 * 6) / 15 * 5e-6)
    assert figures["spectral_gap"] is None and figures["files"] == [] and figures["pairs"] == 240


@pytest.mark.parametrize("name", sorted({*names()} - {"from_file"}))
def test_every_network_can_be_described_and_drawn(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([f"network={name}", "workers=5", f"out={tmp_path / 'new'}"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["workers"] == 5 and figures["servers"] >= 1 and figures["oversubscription"] > 0.4
    files = [Path(file) for file in figures["files"]]
    assert [file.name for file in files] == [f"{name}.pdf", f"{name}.png"]
    assert sorted(tmp_path.rglob("*.*")) == files
    for file, magic in zip(files, (PDF, PNG), strict=True):
        assert file.read_bytes().startswith(magic) and file.stat().st_size > 5000


def test_equal_input_gives_equal_files(tmp_path: Path) -> None:
    files = [
        [Path(file).read_bytes() for file in described(graph(tree(9, 1e6, 0.1), 9), str(tmp_path / f"{turn}"))["files"]]
        for turn in range(2)
    ]
    assert files[0] == files[1]


def test_a_star_has_the_figures_of_its_links() -> None:
    figures = described(star(4, ["1 Mbit/s", 2e6, 3e6, 4e6], 1e7, [0.01, 0.02, 0.03, 0.04], server_down_bps=5e6))
    assert (figures["topology"], figures["nodes"], figures["links"]) == ("star", 6, 5)
    assert figures["diameter_s"] == pytest.approx(0.07) and figures["diameter_hops"] == 2
    # workers 0 and 1 send 3 Mbit/s together, 2 and 3 take 20
    assert figures["bisection_bps"] == 3e6 and figures["oversubscription"] == 1
    assert figures["path_bps"] == {"min": 1e6, "mean": 2.5e6, "max": 4e6}
    assert figures["server"]["link_bps"] == 5e6
    free = described(star(2, "inf", "inf", 0))
    assert free["oversubscription"] is None and free["bisection_bps"] == free["path_bps"]["max"] == "inf"
    json.dumps(free, allow_nan=False)


def test_a_star_whose_rates_change_is_described_at_its_peaks() -> None:
    trace = Trace((0.0, 1.0), (2e6, 5e6), 2.0)
    figures = described(star(2, 1e6, 4e6, 0.01, up_trace=[trace], half_duplex=False, server_down_bps=3e6))
    assert figures["path_bps"]["max"] == 4e6 and figures["server"]["path_bps"]["max"] == 3e6
    shared = described(star(3, 1e6, 1e6, 0.01, half_duplex=[True, False, True], background_load=0.25))
    assert shared["path_bps"]["max"] == 0.75e6


def test_one_worker_has_no_pairs(tmp_path: Path) -> None:
    figures = described(star(1, 1e6, 1e6, 0), str(tmp_path))
    assert figures["pairs"] == 0 and figures["diameter_hops"] == 0 and figures["path_bps"] is None
    assert figures["bisection_bps"] is None and figures["server"]["path_bps"]["min"] == 1e6


def test_a_gossip_graph_has_its_spectral_gap(capsys: pytest.CaptureFixture[str]) -> None:
    main(["network=full_mesh", "workers=6"])
    gap = json.loads(capsys.readouterr().out)["spectral_gap"]
    assert gap == {"metropolis": pytest.approx(1), "uniform": pytest.approx(1)}


def test_graphs_without_places_are_drawn_too(tmp_path: Path) -> None:
    text = "a,b,bps,latency_s\n" + "".join(f"{node},{(node * 7 + 1) % 120},1e6,0.01\n" for node in range(0, 120, 2))
    text += "".join(
        f"{node},{node + 1},1e6,0.01\n" for node in range(119) if (node * 7 + 1) % 120 != node + 1 or node % 2
    )
    (tmp_path / "edges.csv").write_text(text, encoding="utf-8")
    file = f"network.topology.path={tmp_path / 'edges.csv'}"
    main(["network=from_file", "workers=120", file, f"out={tmp_path}"])
    assert (tmp_path / "from_file.png").read_bytes().startswith(PNG)


def test_the_legend_says_what_links_carry() -> None:
    assert set(link_kinds(sharded_servers(1, 1, 1e6, 2.5e8, 0.04, server_latency_s=0.04)).values()) == {
        "1 Mbit/s / 250 Mbit/s, 40 ms"
    }
    assert set(link_kinds(ring(2, "1.5 kbit/s", "2 us")).values()) == {"1.5 kbit/s, 2 us"}
    assert set(link_kinds(ring(2, "inf", 0)).values()) == {"no limit, 0 s"}
    assert set(link_kinds(ring(2, 30, "2 ns")).values()) == {"30 bit/s, 2 ns"}


def test_bad_requests_are_refused() -> None:
    for arguments, message in (
        ([], r"network: expected the name of a network or a .yaml file \(network=fat_tree\), got nothing"),
        (["network=moon"], "network: expected one of"),
        (["network=lte", "workers=0"], "network.workers: expected a whole number of at least 1, got 0"),
        (["lte"], "lte: expected key=value with network, workers, seed, out, plan or network.KEY, got 'lte'"),
    ):
        with pytest.raises(ValueError, match=message):
            main(arguments)


def test_the_command_line_reports_instead_of_raising(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["describe", "network=ring", "workers=3"]) == 0
    assert json.loads(capsys.readouterr().out)["links"] == 4
    assert run(["describe", "network=racks", "network.topology.racks=0"]) == 1
    assert capsys.readouterr().err == ("error: network.topology.racks: expected a whole number of at least 1, got 0\n")


def test_a_plan_tells_where_nodes_stand_and_links_run(tmp_path: Path) -> None:
    file = tmp_path / "new" / "plan.csv"
    assert described(graph(ring(4, "1 Mbit/s", "2 ms"), 4), plan=str(file))["files"] == [str(file)]
    rows = list(csv.DictReader(file.read_text().splitlines()))
    nodes = {row["name"]: (float(row["x"]), float(row["y"])) for row in rows if row["item"] == "node"}
    links = [row for row in rows if row["item"] == "link"]
    assert {"0", "1", "2", "3"} <= set(nodes) and {row["kind"] for row in links} >= {"1 Mbit/s, 2 ms"}
    for name in {row["name"] for row in links}:
        way = [(float(row["x"]), float(row["y"])) for row in links if row["name"] == name]
        begin, end = name.split(" - ")
        assert way[0] == pytest.approx(nodes[begin]) and way[-1] == pytest.approx(nodes[end])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="out: expected a place to write"):
        described(graph(ring(4, "1 Mbit/s", "2 ms"), 4), plan=str(tmp_path / "file" / "plan.csv"))
