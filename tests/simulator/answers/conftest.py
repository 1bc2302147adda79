"""Run folders made by hand: a trace of one's own, an accuracy for each round, and the time that follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from simulator.answers.runs import Finished
from simulator.answers.timing import seconds_at_marks
from simulator.config import plain
from simulator.records.folder import METRICS, TIMELINE, RunFolder
from simulator.trace import Header, TraceWriter
from tests.running import composed

# two workers whose links alone count: a round takes COMPUTE + 2 LATENCY + 8 (up + down) / rate seconds
COMPUTE, LATENCY, RATE = 0.1, 0.01, 1e6
STAR = [
    "workers=2",
    "network=lan_1g",
    f"network.up_bps={RATE}",
    f"network.down_bps={RATE}",
    f"network.latency_s={LATENCY}",
    "network.server_up_bps=inf",
    "network.server_down_bps=inf",
    "network.server_latency_s=0",
    "compute=fixed",
    f"compute.seconds_per_step={COMPUTE}",
]
Made = Callable[..., Finished]


def round_seconds(size: float, rate: float = RATE, compute: float = COMPUTE, latency: float = LATENCY) -> float:
    """What a round takes in which `size` bytes go up and down in all."""
    return compute + 2 * latency + 8 * size / rate


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Write the folder of a finished run of so many rounds, each evaluated; give the run."""

    def make(
        name: str,
        values: Sequence[float | None],
        *overrides: str,
        up: int = 1000,
        down: int = 1000,
        metric: str = "accuracy",
        racy: str | None = None,
        **columns: Any,
    ) -> Finished:
        config = composed(*STAR, f"rounds={len(values)}", "eval_every=1", *overrides)
        folder, workers = RunFolder(tmp_path / name), config.workers
        folder.path.mkdir()
        folder.write_config(plain(config))
        trace = TraceWriter(folder.trace, Header(workers, 1, 0.0))
        rows = []
        for t, value in enumerate(values, start=1):
            trace.append({"op": "gradient", "step": t})
            trace.append({"op": "gather", "size": up})
            trace.append({"op": "broadcast", "size": down})
            trace.append({"op": "mark", "round": t})
            sent = {"uplink_wire_bytes": t * workers * up, "downlink_wire_bytes": t * workers * down}
            rows.append({"round": t, metric: value} | sent | {key: t * one for key, one in columns.items()})
        trace.close()
        folder.write_table("metrics", rows, METRICS)
        seconds = seconds_at_marks(folder, [OmegaConf.create(plain(config))])[0]
        if racy is not None:
            trace = TraceWriter(folder.trace, Header(workers, 1, 0.0), folder.trace.stat().st_size)
            trace.taint(racy)
            trace.close()
        spent = {f"{kind}_s": [0.0] * workers for kind in ("encode", "uplink", "downlink", "waiting", "away")}
        timeline = [
            {"round": t, "seconds": one, "compute_s": [t * COMPUTE] * workers} | spent
            for t, one in enumerate(seconds.tolist(), start=1)
        ]
        folder.write_table("timeline", timeline, TIMELINE)
        folder.write_json("summary", {"complete": True, "digest": name, "racy_because": racy})
        return Finished.read(folder.path)

    return make
