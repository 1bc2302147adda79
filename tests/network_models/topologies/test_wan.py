"""Regions: the shipped figures are those of the source, other matrices are read, and messages take the direct link."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from network_models.topologies import Graph, wan
from network_models.topologies.regions import read_regions
from network_models.topologies.wan import AWS_REGIONS

LINK = {"bps": "1 Gbit/s", "latency_s": 0}
DATA = files("network_models.topologies") / "data"


def test_the_shipped_matrix_is_the_source() -> None:
    names, pairs = read_regions(DATA / AWS_REGIONS)
    assert len(names) == 10 and len(pairs) == 90
    # copied by hand from the grids: throughput_sent of 5198844067.140359 bit/s, avg_rtt of 68.272 ms
    assert pairs["us-east-1", "us-west-2"] == (5198844067, pytest.approx(0.068272 / 2))
    assert pairs["af-south-1", "ap-southeast-2"] == (3999886334, pytest.approx(0.403392 / 2))
    notice = (DATA / AWS_REGIONS.replace(".csv", ".md")).read_text(encoding="utf-8")
    assert "Apache License, Version 2.0" in notice and "github.com/skyplane-project/skyplane" in notice


def test_workers_are_dealt_in_blocks_and_the_direct_link_is_taken() -> None:
    fabric = Graph(wan(13, servers=2, server_region="ap-south-1", **LINK))
    homes = [fabric.walk(worker, -1)[1] for worker in range(13)]
    counts = [homes.count(region) for region in dict.fromkeys(homes)]
    assert len(counts) == 10 and set(counts) == {1, 2} and homes == sorted(homes, key=list(dict.fromkeys(homes)).index)
    assert fabric.walk(-2, -1) == [-2, "ap-south-1", -1]
    # sa-east-1 to ap-southeast-1 takes 358 ms there and back, by way of us-east-1 353 ms
    regions = ["sa-east-1", "us-east-1", "ap-southeast-1"]
    three = Graph(wan(3, regions=regions, **LINK))
    assert three.walk(0, 2) == [0, "sa-east-1", "ap-southeast-1", 2]
    assert three.path_latency_s(0, 2) == pytest.approx(0.358307 / 2)
    assert three.path_latency_s(0, 1) + three.path_latency_s(1, 2) < three.path_latency_s(0, 2)


def test_matrices_from_settings_and_files(tmp_path: Path) -> None:
    nested = Graph(
        wan(
            4,
            bandwidths_bps=[[0, "10 Mbit/s"], ["20 Mbit/s", 0]],
            latencies_s=[[0, "30 ms"], [0.04, 0]],
            servers=1,
            server_latency_s="5 ms",
            **LINK,
        )
    )
    assert nested.walk(0, 3) == [0, "region0", "region1", 3] and nested.walk(0, 1) == [0, "region0", 1]
    assert nested.path_bps([0, 3], [3, 0]).tolist() == [1e7, 2e7]
    assert nested.path_latency_s([0, 3, 3], [3, 0, -1]) == pytest.approx(np.array([0.03, 0.04, 0.045]))
    file = tmp_path / "two.csv"
    file.write_text("source,destination,bandwidth_bps,latency_s\na,b,10 Mbit/s,30 ms\nb,a,2e7,0.04\n", encoding="utf-8")
    read = Graph(wan(4, matrix=str(file), **LINK))
    assert read.path_bps([0, 3], [3, 0]).tolist() == [1e7, 2e7] and read.path_latency_s(0, 3) == 0.03
    assert Graph(wan(4, matrix=str(file), regions=["b", "a"], **LINK)).walk(0, 3) == [0, "b", "a", 3]


def test_bad_matrices_are_refused(tmp_path: Path) -> None:
    def from_text(text: str) -> None:
        file = tmp_path / "matrix.csv"
        file.write_text(text, encoding="utf-8")
        wan(2, matrix=str(file), **LINK)

    head = "source,destination,bandwidth_bps,rtt_s\n"
    for text, message in (
        ("a,b\n1,2\n", "expected the columns source, destination, bandwidth_bps and latency_s or rtt_s, got a, b"),
        (head + "a,b,0,1\nb,a,1,1\n", "matrix.csv, line 2: bandwidth_bps: expected a positive rate"),
        (head + "a,b,nan,1\nb,a,1,1\n", "matrix.csv, line 2: bandwidth_bps: expected a positive rate"),
        (head + "a,b,1,-1\nb,a,1,1\n", "matrix.csv, line 2: rtt_s: expected a duration"),
        (head + "a,b,1,\nb,a,1,1\n", "matrix.csv, line 2: rtt_s: expected a duration"),
        (head + "a,b,1,1\n", "expected every pair of regions, got none from b to a"),
        (head, "regions: expected different names, at least one"),
    ):
        with pytest.raises(ValueError, match=message):
            from_text(text)
    for settings, message in (
        ({"matrix": "nowhere.csv"}, "matrix: expected a file, got nowhere.csv"),
        ({"regions": ["us-east-1", "mars"]}, "regions: expected some of us-east-1, .*, got 'mars'"),
        ({"regions": ["us-east-1", "us-east-1"]}, "regions: expected different names"),
        ({"server_region": "mars"}, "server_region: expected one of us-east-1, .*, got 'mars'"),
        ({"bandwidths_bps": [[0]]}, "expected both bandwidths_bps and latencies_s, got one of them"),
        ({"bandwidths_bps": [[0, 1]], "latencies_s": [[0]]}, "bandwidths_bps: expected 1 x 1 figures"),
        ({"bandwidths_bps": [[0, 1], [-1, 0]], "latencies_s": [[0, 1], [1, 0]]}, r"bandwidths_bps\[1\]\[0\]"),
    ):
        with pytest.raises(ValueError, match=message):
            wan(2, **LINK, **settings)
