"""Whatever is wrong with the input of a command is one line that names the key, what was expected and what came."""

import json
import math
import shlex
from pathlib import Path
from typing import Any

import pytest

from network_models.__main__ import run
from network_models.commands.flows import durations

NODES = [{"name": name, "up_bps": 8e3, "down_bps": 8e3, "latency_s": 0.25} for name in "ab"]
FLOW = {"from": "a", "to": "b", "bytes": 1000}
LINK = {"from": "a", "to": "b", "bps": 8e3}


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 1
    written = capsys.readouterr()
    assert written.out == "" and written.err.startswith("error: ") and written.err.count("\n") == 1
    return written.err.removeprefix("error: ").strip()


def scenario(**changes: Any) -> dict[str, Any]:
    return {"nodes": NODES, "flows": [FLOW], **changes}


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"transprot": "tcp"}, "transprot"),
        ({"flows": [{**FLOW, "start": 3}]}, "flows[0].start"),
        ({"nodes": [*NODES, {**NODES[0], "name": "c", "rate": 1}]}, "nodes[2].rate"),
        ({"links": [{**LINK, "delay_s": 1}]}, "links[0].delay_s"),
        ({"links": [{**LINK, "half_duplex": "no"}]}, "links[0].half_duplex"),
        ({"links": [{**LINK, "from": ["a"]}]}, "links[0].from"),
        ({"links": [{**LINK, "from": 1}]}, "links[0].from"),
        ({"links": [LINK, {**LINK, "from": "s", "to": "s"}]}, "links[1].to"),
        ({"flows": [{**FLOW, "bytes": 1e308}]}, "flows[0].bytes"),
        ({"flows": [{**FLOW, "bytes": 10**400}]}, "flows[0].bytes"),
        ({"flows": [FLOW, {**FLOW, "start_s": 1e300}]}, "flows[1].start_s"),
        ({"nodes": [{**NODES[0], "latency_s": 10**400}, NODES[1]]}, "nodes[0].latency_s"),
        ({"transport": {"name": ["tcp"]}}, "network.transport"),
        ({"transport": {"name": "tcp", "loss_model": []}}, "network.transport.loss_model"),
        ({"transport": {"name": "tcp", "window": 1}}, "network.transport.window"),
    ],
)
def test_a_scenario_that_makes_no_sense(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError) as error:
        durations(scenario(**changes))
    assert str(error.value).startswith(f"{key}: expected ") and ", got " in str(error.value)


def test_a_rate_too_large_for_a_float_is_no_limit() -> None:
    free = [{"name": name, "up_bps": 10**400, "down_bps": "inf", "latency_s": 0.25} for name in "ab"]
    assert durations(scenario(nodes=free)) == [0.5]


def test_what_compares_and_names_is_passed_over() -> None:
    # 0.5 s of latency and 8,000 bits at 8 kbit/s
    assert durations(scenario(name="two hosts", duration_s=[1.5], flows=[{**FLOW, "name": "up"}])) == [1.5]


def test_durations_do_not_depend_on_where_the_clock_begins() -> None:
    flows = [{**FLOW, "start_s": at} for at in (0, 0.5, 5)]
    later = [{**flow, "start_s": flow["start_s"] + 2.0**50} for flow in flows]
    assert durations(scenario(flows=later)) == durations(scenario(flows=flows))


def test_a_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xd0\xff")
    assert complaint(capsys, "flows", str(tmp_path / "no")).startswith("flows: expected a file, got '")
    assert complaint(capsys, "flows", str(tmp_path)).startswith("flows: expected a file, got '")
    assert complaint(capsys, "flows", str(binary)).startswith("flows: expected JSON in '")


@pytest.mark.parametrize(
    "line, key",
    [
        ("lan_1g foo=1", "foo"),
        ("lan_1g workers=x", "workers"),
        ("lan_1g workers=4 workers=5", "workers"),
        ("lan_1g network.mode=message network.mode=message", "network.mode"),
        ("lan_1g network.upbps=1", "network.upbps"),
        ("lan_1g network.name=[1]", "network.name"),
        ("lan_1g network.buffer_bytes=[]", "network.buffer_bytes"),
        ("lan_1g network.jitter_s=1 network.seed=x", "network.seed"),
        ("lan_1g network.jitter=[]", "network.jitter"),
        ("lan_1g network.loss=x", "network.loss"),
        ("lan_1g network.background_load=x", "network.background_load"),
        ("lan_1g network.outages=1", "network.outages"),
        ("lan_1g network.outages=x", "network.outages"),
        ("lan_1g network.trace_bin_s=0", "network.trace_bin_s"),
        ("lan_1g network.trace_offset_s=x", "network.trace_offset_s"),
        ("lan_1g 'network.profile={name: []}'", "network.profile"),
        ("fat_tree network.topology.ports=4", "network.topology.ports"),
        ("fat_tree network.topology.k=2", "network.topology.k"),
        ("tree network.topology.growth=x", "network.topology.growth"),
        ("racks network.topology.oversubscription=x", "network.topology.oversubscription"),
        ("geometric network.topology.radius=x", "network.topology.radius"),
        ("mixed_access network.classes=x", "network.classes"),
        ("mixed_access network.classes=[1]", "network.classes[0]"),
        ("mixed_access 'network.classes=[{share: 1}]'", "network.classes[0].up_bps"),
        (
            "mixed_access 'network.classes=[{share: [], up_bps: 1, down_bps: 1, latency_s: 0}]'",
            "network.classes[0].share",
        ),
        ("lte_trace network.up_trace.sigma=x", "sigma"),
        ("lan_1g out=/proc/none", "out"),
    ],
)
def test_a_network_that_makes_no_sense(line: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = complaint(capsys, "describe", *shlex.split(f"network={line}"))
    assert text.startswith(f"{key}: expected ") and ", got " in text


def test_collective_takes_each_key_once_and_mappings(capsys: pytest.CaptureFixture[str]) -> None:
    line = "collective all_reduce bytes=1e6 workers=4 bandwidth_bps=1e9 latency_s=20ms".split()
    assert complaint(capsys, *line, "bytes=2e6").startswith("bytes: expected it once, got another: ")
    assert complaint(capsys, *line, "transport=").startswith("network.transport: expected one of ideal, tcp")
    assert complaint(capsys, *line, "profile=[").startswith("profile: expected a value, got '['")
    seconds = []
    for window in ("null", "65536"):  # per round trip of 80 ms: 6.6 Mbit/s
        assert run([*line, f"transport={{name: tcp, window_bytes: {window}}}"]) == 0
        seconds.append(json.loads(capsys.readouterr().out)["seconds"])
    assert seconds[1] > 1.2 * seconds[0] and math.isfinite(seconds[1])
