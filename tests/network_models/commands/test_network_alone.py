"""The network alone from the command line: golden answers, and one clear line for whatever is wrong."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from network_models.__main__ import run
from network_models.commands.collective import cost
from network_models.commands.flows import durations

FIXTURES = Path(__file__).parents[2] / "fixtures" / "simgrid_flows.json"
SCENARIOS = json.loads(FIXTURES.read_text())["scenarios"]
NODES = [{"name": name, "up_bps": 80, "down_bps": "80 bit/s", "latency_s": "500 ms"} for name in "abc"]
LINK = ["bandwidth_bps=1e9", "latency_s=1e-4"]


def scenario(**changes: object) -> dict:
    flows = [{"from": "a", "to": "b", "bytes": 10, "start_s": 0}, {"from": "c", "to": "b", "bytes": 10}]
    return {"nodes": NODES, "flows": flows, **changes}


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 1
    written = capsys.readouterr()
    assert written.out == "" and written.err.startswith("error: ") and written.err.count("\n") == 1
    return written.err.removeprefix("error: ").strip()


def test_the_command_of_the_manual() -> None:
    # 30 steps of 2 x 100 us and 25 MB / 16 at 1 Gbit/s: 30 (200 us + 12.5 ms) = 0.381 s; 30 x 25 MB on the wire.
    words = "collective all_reduce bytes=25e6 workers=16 schedule=ring bandwidth_bps=1e9 latency_s=1e-4 profile=ideal"
    done = subprocess.run(
        [sys.executable, "-m", "network_models", *words.split()], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"seconds": pytest.approx(0.381, rel=1e-12), "bytes_on_wire": 750e6}
    assert done.stderr == ""


@pytest.mark.parametrize("case", SCENARIOS, ids=lambda case: case["name"])
def test_flows_as_simgrid_times_them(case: dict) -> None:
    assert durations(case) == pytest.approx(case["duration_s"], rel=1e-4)


def test_flows_from_a_file_and_from_standard_input(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both flow from t = 1 (two latencies of 0.5 s) into b at 40 bit/s: 80 bits take 2 s.
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(scenario(transport="ideal")))
    assert answer(capsys, "flows", str(path)) == {"duration_s": [3.0, 3.0]}
    monkeypatch.setattr("sys.stdin", io.StringIO(path.read_text()))
    assert answer(capsys, "flows", "-") == {"duration_s": [3.0, 3.0]}
    # Flows of one pair may overtake: 100 and 10 bytes at 40 bit/s each, 2 s; then 80 bit/s for the other 90 bytes.
    two = [{"from": "a", "to": "b", "bytes": size} for size in (100, 10)]
    assert durations(scenario(flows=two)) == [12.0, 3.0]
    assert durations(scenario(flows=[])) == []
    tcp = durations(scenario(transport="tcp", flows=two[1:]))  # its connection has to be set up: 2 s more
    assert tcp == pytest.approx([4.0 * 0.5 + 1.0 + 80 * 1502 / 1448 / 80])


def test_flows_over_any_graph() -> None:
    # a -- s -- b and c, whose link is half duplex: a > c and c > b share it, 40 bit/s each, after 1 s of latency.
    nodes = [{"name": name} for name in "abc"]
    links = [{"from": name, "to": "s", "bps": 80} for name in "ab"]
    links.append({"from": "c", "to": "s", "bps": "80 bit/s", "latency_s": 1, "half_duplex": True})
    flows = [{"from": "a", "to": "c", "bytes": 10}, {"from": "c", "to": "b", "bytes": 10}]
    assert durations({"nodes": nodes, "links": links, "flows": flows}) == [3.0, 3.0]
    with pytest.raises(ValueError, match="expected a way between all workers and servers, got none from a to c"):
        durations({"nodes": nodes, "links": links[:2], "flows": flows})
    with pytest.raises(ValueError, match=r"links\[3\]: expected one link between s and a, got another"):
        durations({"nodes": nodes, "links": [*links, {"from": "s", "to": "a", "bps": 1}], "flows": flows})


@pytest.mark.parametrize(
    ("collective", "schedule", "seconds", "factor"),
    [  # 4 hosts, 8 Mbit/s and 1 MB: a message takes 1 s, a path 0.2 s
        ("all_reduce", "recursive_doubling", 2 * 1.2, 8),
        ("all_reduce", "server", 2 * 4.2, 8),
        ("all_reduce", "rabenseifner", 2 * 2 * 0.2 + 1.5, 6),
        ("all_reduce", "auto", 6 * (0.2 + 0.0625) + 3 * 0.0625, 6),  # a ring in four segments of 1/16 s
        ("all_gather", "bruck", 2 * 0.2 + 3, 12),
        ("reduce_scatter", "ring", 3 * 0.45, 3),
        ("broadcast", "pipelined_chain", (3 + 4 - 1) * 0.45, 3),
        ("broadcast", "star", 3.2, 3),
        ("reduce", "binomial", 2 * 1.2, 3),
        ("gather", "direct", 3.2, 3),
        ("scatter", "binomial", 2 * 0.2 + 3, 4),
        ("all_to_all", "direct", 3.2, 12),
        ("neighbours", "direct", 2.2, 8),
    ],
)
def test_every_collective(collective: str, schedule: str, seconds: float, factor: float) -> None:
    settings = {"bytes": "1 MB", "workers": "4", "bandwidth_bps": "8 Mbit/s", "latency_s": "100 ms"}
    found = cost(collective, {**settings, "schedule": schedule})
    assert found == {"seconds": pytest.approx(seconds), "bytes_on_wire": pytest.approx(factor * 1e6)}
    assert cost(collective, {**settings, "workers": 1, "schedule": schedule}) == {"seconds": 0.0, "bytes_on_wire": 0.0}


def test_transports_profiles_and_networks_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("collective", "all_reduce", "bytes=1e6", "workers=4")
    ideal, tcp, gloo = (
        answer(capsys, *words, *LINK, more) for more in ("mode=message", "transport=tcp", "profile=gloo")
    )
    assert tcp["bytes_on_wire"] == pytest.approx(ideal["bytes_on_wire"] * 1502 / 1448)
    assert tcp["seconds"] > ideal["seconds"] and gloo["seconds"] > ideal["seconds"]
    lan = answer(capsys, *words, "network=lan_1g")
    assert lan["seconds"] == pytest.approx(6 * (1e-4 + 2e6 / 1e9))
    slow = answer(capsys, *words, "network=lan_1g", "network.up_bps=500 Mbit/s", "schedule=recursive_doubling")
    assert slow["seconds"] == pytest.approx(2 * (1e-4 + 8e6 / 5e8))
    racks = answer(capsys, *words, "network=racks", "schedule=hierarchical")
    assert racks["bytes_on_wire"] == pytest.approx(6e6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flows": [{"from": "a", "to": "z", "bytes": 1}]}, "flows[0].to: expected one of the nodes a, b, c, got 'z'"),
        ({"flows": [{"from": "a", "to": "a", "bytes": 1}]}, "flows[0].to: expected another node than the source"),
        ({"flows": [{"from": "a", "to": "b", "bytes": float("nan")}]}, "flows[0].bytes: expected a finite size"),
        ({"flows": [{"from": "a", "to": "b", "bytes": -1}]}, "flows[0].bytes: expected a finite size of at least 0"),
        ({"flows": [{"from": "a", "to": "b"}]}, "flows[0].bytes: expected a value, got nothing"),
        ({"flows": [{"from": "a", "to": "b", "bytes": 1, "start_s": -1}]}, "flows[0].start_s: expected a duration"),
        ({"flows": 3}, "flows: expected a list of them in the scenario, got 3"),
        ({"nodes": []}, "nodes: expected at least one, got none"),
        ({"nodes": [{**NODES[0], "up_bps": 0}]}, "nodes[0].up_bps: expected a positive rate"),
        ({"nodes": [{**NODES[0], "latency_s": float("nan")}]}, "nodes[0].latency_s: expected a duration"),
        ({"nodes": [{"name": "a", "up_bps": 1}]}, "nodes[0].down_bps: expected a value, got nothing (it has name"),
        ({"nodes": [NODES[0], NODES[0]]}, "nodes[1].name: expected another name than the nodes before, got 'a'"),
        ({"nodes": ["a"]}, "nodes[0]: expected an object, got 'a'"),
        ({"transport": "udp"}, "network.transport: expected one of ideal"),
    ],
)
def test_bad_scenarios(
    changes: dict, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"flows": [], **scenario(), **changes})))
    assert complaint(capsys, "flows", "-").startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "command: expected one of flows, collective, describe, got nothing"),
        (("ping",), "command: expected one of flows, collective, describe, got 'ping'"),
        (("flows",), "flows: expected one file, or - for standard input, got 0 arguments"),
        (("flows", "/no/such/file"), "flows: expected a file, got '/no/such/file' (No such file or directory)"),
        (("collective",), "collective: expected one of all_reduce, "),
        (("collective", "shuffle"), "collective: expected one of all_reduce, "),
        (("collective", "all_reduce", "bytes"), "collective: expected key=value, got 'bytes'"),
        (("collective", "all_reduce", "workers=2", *LINK), "bytes: expected bytes=..., got nothing"),
        (
            ("collective", "all_reduce", "bytes=1", "workers=2", LINK[0]),
            "latency_s: expected latency_s=..., got nothing",
        ),
        (("collective", "all_reduce", "bytes=-1", "workers=2", *LINK), "bytes: expected a finite size of at least 0"),
        (("collective", "all_reduce", "bytes=nan", "workers=2", *LINK), "bytes: expected a finite size of at least 0"),
        (("collective", "all_reduce", "bytes=1", "workers=0", *LINK), "workers: expected a whole number of at least 1"),
        (("collective", "all_reduce", "bytes=1", "workers=2.5", *LINK), "workers: expected a whole number"),
        (("collective", "all_reduce", "bytes=1", "workers=2", "rate=3", *LINK), "rate: expected one of bytes, workers"),
        (
            ("collective", "all_gather", "bytes=1", "workers=2", "schedule=tree", *LINK),
            "network.all_gather: expected one of ring, bruck, recursive_doubling, got 'tree'",
        ),
        (
            ("collective", "all_reduce", "bytes=1", "workers=2", "bandwidth_bps=0", LINK[1]),
            "bandwidth_bps: expected a positive rate",
        ),
        (
            ("collective", "neighbours", "bytes=1", "workers=2", "profile=mpi", *LINK),
            "network.profile: expected one of ideal, gloo, nccl, got",
        ),
        (("collective", "all_reduce", "bytes=1", "workers=2", "network=moon"), "network: expected one of "),
        (
            ("collective", "all_reduce", "bytes=1", "workers=2", "network=lte", LINK[0]),
            "bandwidth_bps: expected to come from network=lte",
        ),
        (
            ("collective", "all_reduce", "bytes=1", "workers=2", "network.mode=message", *LINK),
            "network.mode: expected network=NAME",
        ),
        (
            ("collective", "all_reduce", "bytes=1", "workers=4", "schedule=hierarchical", *LINK),
            "network.group_size: expected a number",
        ),
    ],
)
def test_bad_words(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys, *arguments).startswith(message)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "python -m network_models flows scenario.json" in capsys.readouterr().out
