"""The picture of a network: its plan as a table, from a name and from a run's own settings."""

from __future__ import annotations

import csv

import yaml

from figures.__main__ import main


def rows_of(path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_star_by_hand(tmp_path) -> None:
    assert main(["topology", "network=lan_1g", "workers=3", f"out={tmp_path}"]) == 0
    rows = rows_of(tmp_path / "topology.csv")
    nodes = [row["name"] for row in rows if row["item"] == "node" and row["kind"] != "switch"]
    assert nodes == ["0", "1", "2", "server"]
    kinds = {row["kind"] for row in rows if row["item"] == "link"}
    assert kinds == {"1 Gbit/s, 50 us"} and sum(row["item"] == "link" for row in rows) == 2 * 4  # ends of four links
    places = {row["name"]: (row["x"], row["y"]) for row in rows if row["item"] == "node"}
    ends = {(row["x"], row["y"]) for row in rows if row["item"] == "link"}
    assert ends == set(places.values())  # links end where nodes stand


def test_runs_show_each_of_their_networks_once(write_run, tmp_path) -> None:
    for name, seed, rate in (("a", 1, "1 Mbit/s"), ("b", 2, "1 Mbit/s"), ("c", 1, "5 Mbit/s")):
        run = write_run(name, seed=seed, workers=2)
        config = yaml.safe_load((run / "config.yaml").read_text())
        config["network"] = {"_target_": "network_models.star", "name": "n", "workers": 2, "up_bps": rate}
        config["network"] |= {"down_bps": rate, "latency_s": "1 ms", "server_latency_s": "1 ms", "seed": seed}
        (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["topology", f"runs={tmp_path}/?", f"out={tmp_path}/out"]) == 0
    rows = rows_of(tmp_path / "out/topology.csv")
    assert {(row["panel"], row["kind"]) for row in rows if row["item"] == "link"} == {
        (f"n, down_bps={rate}, up_bps={rate}", f"{rate}, 1 ms") for rate in ("1 Mbit/s", "5 Mbit/s")
    }


def test_an_unknown_network_is_one_line(capsys, tmp_path) -> None:
    assert main(["topology", "network=moon", f"out={tmp_path}/out"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "expected one of" in told and "'moon'" in told
    assert main(["topology"]) == 1 and "network=<name>, got neither" in capsys.readouterr().err
