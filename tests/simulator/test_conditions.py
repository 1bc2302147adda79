"""Training over links that change: a re-timed run is the fresh one, and asynchronous runs take the integral."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.simulator.conftest import TOY, Command

TRACE = Path(__file__).parents[1] / "fixtures" / "fading_12s.mahimahi"
LOADED = ["network.background_load=0.3", "network.background_mean_on_s=1", "network.background_mean_off_s=2"]
NETWORKS = {
    "faded": ["network=lte_trace"],
    "measured": ["network=lte_trace", f"network.up_trace={TRACE}", "network.jitter_s=3 ms", "network.all_reduce=ring"],
    "shared": ["network=lte_trace", "network.server_down_bps=5e6", "network.all_reduce=server", *LOADED],
    "wifi": ["network=wifi", "network.outages=[{worker: 1, start_s: 0.01, end_s: 0.5}]"],
}


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_retimed_equals_fresh(tmp_path: Path, command: Command, settings: list[str]) -> None:
    run, there, fresh = (tmp_path / name for name in ("run", "there", "fresh"))
    assert command("simulator", "algorithm=topk", *TOY, f"hydra.run.dir={run}")[0] == 0
    code, _, err = command("simulator.retime", f"run={run}", *settings, f"hydra.run.dir={there}")
    assert code == 0, err
    code, _, err = command("simulator", "algorithm=topk", *TOY, *settings, f"hydra.run.dir={fresh}")
    assert code == 0, err
    (again,) = (path for path in there.iterdir() if path.is_dir())
    assert (again / "timeline.parquet").read_bytes() == (fresh / "timeline.parquet").read_bytes()
    assert (again / "timeline.parquet").read_bytes() != (run / "timeline.parquet").read_bytes()


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_asynchronous_runs_are_the_same_twice(tmp_path: Path, command: Command, settings: list[str]) -> None:
    summaries = []
    for name in ("one", "two"):
        folder = tmp_path / name
        code, _, err = command("simulator", "algorithm=async_sgd", *TOY, *settings, f"hydra.run.dir={folder}")
        assert code == 0, err
        summaries.append(json.loads((folder / "summary.json").read_text()))
        assert summaries[-1]["complete"] and summaries[-1]["simulated_seconds"] > 0
    assert (tmp_path / "one" / "timeline.parquet").read_bytes() == (tmp_path / "two" / "timeline.parquet").read_bytes()
    assert summaries[0]["digest"] == summaries[1]["digest"]


def test_a_run_that_can_never_end_says_which_transfer(tmp_path: Path, command: Command) -> None:
    dead = ["network.outages=[{link: 2 up, start_s: 0.001}]"]
    for algorithm in ("topk", "async_sgd"):
        folder = f"hydra.run.dir={tmp_path / algorithm}"
        code, _, err = command("simulator", f"algorithm={algorithm}", *TOY, *dead, folder)
        assert code != 0 and "can never finish: 2 up carries nothing from 0.001 s on" in err and "Traceback" not in err
