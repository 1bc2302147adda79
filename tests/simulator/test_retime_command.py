"""``python -m simulator.retime``: what it makes of a run, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from tests.simulator.conftest import TOY, Command


def test_retime_makes_a_folder_per_network_and_computes_no_gradient(tmp_path: Path, command: Command) -> None:
    run, there = tmp_path / "run", tmp_path / "there"
    assert command("simulator", "algorithm=topk", *TOY, "stragglers=pareto", f"hydra.run.dir={run}")[0] == 0
    for network in ("wan_10m", "lte"):
        code, _, err = command("simulator.retime", f"run={run}", f"network={network}", f"hydra.run.dir={there}")
        assert code == 0, err
    for network in ("wan_10m", "lte"):
        fresh = tmp_path / f"fresh_{network}"
        given = ["algorithm=topk", *TOY, "stragglers=pareto", f"network={network}", f"hydra.run.dir={fresh}"]
        command("simulator", *given)
        for name in ("timeline.parquet", "links.parquet", "metrics.parquet", "trace.jsonl"):
            assert (there / network / name).read_bytes() == (fresh / name).read_bytes(), name
        summary = json.loads((there / network / "summary.json").read_text())
        assert summary["gradient_seconds"] == 0 and summary["complete"]
        assert summary["links"] == json.loads((fresh / "summary.json").read_text())["links"]
        assert json.loads((there / network / "manifest.json").read_text())["retimed_from"] == str(run)
        assert yaml.safe_load((there / network / "config.yaml").read_text())["network"]["name"] == network


def test_a_list_of_networks_gives_what_each_gives_alone_and_values_are_crossed(
    tmp_path: Path, command: Command
) -> None:
    run, many = tmp_path / "run", tmp_path / "many"
    command("simulator", "algorithm=topk", "algorithm.density=0.1", *TOY, "stragglers=pareto", f"hydra.run.dir={run}")
    grid = ["network=wan_10m,lte", "network.latency_s=0.001,20 ms", "network.up_bps=1 Mbit/s,5e6,1e9"]
    code, out, err = command("simulator.retime", f"run={run}", *grid, f"hydra.run.dir={many}")
    assert code == 0 and len(out.splitlines()) == 12, err
    assert len(list(many.iterdir())) == 12
    name = "lte-latency_s=20_ms-up_bps=1_Mbit_s"
    chosen = ["network=lte", "network.latency_s=20 ms", "network.up_bps=1 Mbit/s"]
    code, _, err = command("simulator.retime", f"run={run}", *chosen, f"hydra.run.dir={tmp_path / 'one'}")
    assert code == 0, err
    for table in ("timeline", "links"):
        one, other = (pq.read_table(f / f"{table}.parquet") for f in (tmp_path / "one" / "lte", many / name))
        for column in one.column_names:
            a, b = one[column].to_pylist(), other[column].to_pylist()
            assert a == b if column == "link" else np.allclose(a, b, rtol=1e-12, atol=1e-12), column
    for kept in ("metrics.parquet", "trace.jsonl"):
        assert (many / name / kept).read_bytes() == (run / kept).read_bytes()


def test_retime_on_its_own_network_gives_the_recorded_timeline(tmp_path: Path, command: Command) -> None:
    run, again = tmp_path / "run", tmp_path / "again"
    command("simulator", *TOY, "network=lte", "network.up_bps=1 Mbit/s", f"hydra.run.dir={run}")
    assert command("simulator.retime", f"run={run}", f"hydra.run.dir={again}", "cache=off")[0] == 0
    assert (again / "lte" / "timeline.parquet").read_bytes() == (run / "timeline.parquet").read_bytes()
    faster = tmp_path / "faster"
    code, _, err = command(
        "simulator.retime", f"run={run}", "network.up_bps=2 Mbit/s", "network.latency_s=1 ms", f"hydra.run.dir={faster}"
    )
    assert code == 0, err
    times = [json.loads((f / "summary.json").read_text())["simulated_seconds"] for f in (faster / "lte", run)]
    assert times[0] < times[1]


def test_retime_refuses_what_it_cannot_do(tmp_path: Path, command: Command) -> None:
    target = f"hydra.run.dir={tmp_path / 'out'}"
    code, _, err = command("simulator.retime", f"run={tmp_path / 'nowhere'}", "network=lte", target)
    assert code != 0 and "nowhere" in err and "does not exist" in err
    half = tmp_path / "half"
    command("simulator", *TOY, f"hydra.run.dir={half}")
    (half / "summary.json").unlink()
    code, _, err = command("simulator.retime", f"run={half}", "network=lte", target)
    assert code != 0 and "half-written" in err and "resume=true" in err
    racy = tmp_path / "racy"
    command("simulator", "algorithm=async_sgd", *TOY, f"hydra.run.dir={racy}")
    code, _, err = command("simulator.retime", f"run={racy}", "network=lte", target)
    assert code != 0 and "ReceiveAny in server (async_sgd.py:" in err
    good = tmp_path / "good"
    command("simulator", *TOY, f"hydra.run.dir={good}")
    for argument, told in {
        "workers=3": "workers",
        "network=nosuch": "nosuch",
        "network.up_bps=-1": "network.up_bps",
        "network.nonsense=1": "nonsense",
        "lonely": "key=value",
    }.items():
        code, _, err = command("simulator.retime", f"run={good}", argument, target)
        assert code != 0 and told in err and "Traceback" not in err, argument
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("ran", "changed"),
    [
        (["stragglers=none"], ["stragglers=lognormal"]),
        (["stragglers=lognormal"], ["compute=fixed"]),
        (["stragglers=lognormal"], ["stragglers.sigma=0.9"]),
        (
            ["stragglers=none"],
            ["stragglers=pareto", "stragglers.alpha=2.5", "compute.device=phone", "network.down_bps=1e6"],
        ),
    ],
)
def test_retimed_equals_fresh_whatever_of_the_clock_changes(
    tmp_path: Path, command: Command, ran: list[str], changed: list[str]
) -> None:
    run, there, fresh = (tmp_path / name for name in ("run", "there", "fresh"))
    assert command("simulator", *TOY, *ran, f"hydra.run.dir={run}")[0] == 0
    code, _, err = command("simulator.retime", f"run={run}", *changed, f"hydra.run.dir={there}")
    assert code == 0, err
    kept = [] if any(one.startswith("stragglers=") for one in changed) else ran
    assert command("simulator", *TOY, *kept, *changed, f"hydra.run.dir={fresh}")[0] == 0
    again = there / "lan_1g"
    assert (again / "timeline.parquet").read_bytes() == (fresh / "timeline.parquet").read_bytes()
    assert (again / "timeline.parquet").read_bytes() != (run / "timeline.parquet").read_bytes()
    assert yaml.safe_load((again / "config.yaml").read_text()) == yaml.safe_load((fresh / "config.yaml").read_text())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trace.jsonl", None),
        ("metrics.parquet", b""),
        ("manifest.json", None),
        ("config.yaml", b"a: [1"),
        ("summary.json", b"{"),
    ],
)
def test_retime_of_a_damaged_folder_names_the_file_and_leaves_nothing(
    tmp_path: Path, command: Command, name: str, content: bytes | None
) -> None:
    run = tmp_path / "run"
    command("simulator", *TOY, f"hydra.run.dir={run}")
    whole = (run / name).read_bytes()
    (run / name).unlink() if content is None else (run / name).write_bytes(content)
    code, _, err = command("simulator.retime", f"run={run}", "network=lte", f"hydra.run.dir={tmp_path / 'out'}")
    assert code != 0 and name in err and "Traceback" not in err
    assert not list((tmp_path / "out").glob("*/*"))
    (run / name).write_bytes(whole)
    assert command("simulator.retime", f"run={run}", "network=lte", f"hydra.run.dir={tmp_path / 'out'}")[0] == 0


def test_retime_of_a_trace_cut_at_a_line_end_is_refused(tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    command("simulator", *TOY, f"hydra.run.dir={run}")
    lines = (run / "trace.jsonl").read_text().splitlines(keepends=True)
    (run / "trace.jsonl").write_text("".join(lines[: len(lines) // 2]))
    code, _, err = command("simulator.retime", f"run={run}", "network=lte", f"hydra.run.dir={tmp_path / 'out'}")
    assert code != 0 and "expected marks up to round 6" in err and "trace.jsonl" in err
