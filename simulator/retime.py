"""``python -m simulator.retime run=<folder> network=wan_10m,lte``: play a finished run on other networks.

Each network gives a complete run folder under ``hydra.run.dir`` with the same metrics, another timeline, and no
gradient computed. Other overrides (``network.up_bps=...``, ``compute=...``, ``compute.device=...``) apply to every one
of them. Without ``network=`` the run's own network is played.
"""

from __future__ import annotations

import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf, open_dict

from simulator.config import check, plain, register, reporting
from simulator.drivers.replay import retimed
from simulator.records.folder import TIMELINE, RunFolder, RunFolderError
from simulator.records.recording import timeline_row
from simulator.report import print_report
from simulator.trace import NotReplayable, read_trace

_GROUPS = ("network", "compute", "stragglers")


def retime(source: RunFolder, config: DictConfig, target: RunFolder) -> dict[str, Any]:
    """Play the trace of `source` on the network and compute model of `config`; fill `target` and give its summary.

    Raises
    ------
    RunFolderError
        If `source` is not finished or `target` holds a run.
    NotReplayable
        If the trace is racy: names the op, the function and the line that tainted it.
    """
    from simulator.runner import built

    source.require_complete()
    header, _ = read_trace(source.trace)
    if header.racy is not None:
        raise NotReplayable(
            f"run: expected a trace that time has not touched, got a racy one ({header.racy}); run it anew with "
            f"network={config.network.name}"
        )
    if target.begun:
        raise RunFolderError(f"hydra.run.dir: expected a new folder, got {target.path}, which holds a run already")
    start = time.perf_counter()
    compute = built(config.compute, "compute")
    marks = set(source.read_table("metrics")["round"].to_pylist())
    moments = retimed(source.trace, built(config.network, "network"), compute, marks)
    rows = [timeline_row(t, moment) for t, moment in moments]
    target.path.mkdir(parents=True, exist_ok=True)
    target.write_config(plain(config))
    for name in ("metrics.parquet", "trace.jsonl"):
        shutil.copyfile(source.path / name, target.path / name)
    target.write_table("timeline", rows, TIMELINE)
    about = source.read_json("manifest")
    about |= {"retimed_from": str(source.path.resolve()), "compute": compute.describe(), "command": sys.argv}
    target.write_json("manifest", about)
    seconds = time.perf_counter() - start
    timed = {"simulated_seconds": rows[-1]["seconds"], "wall_seconds": seconds, "gradient_seconds": 0.0}
    summary = source.read_json("summary") | timed
    target.write_json("summary", summary)
    return summary


def other_network(source: RunFolder, network: str | None, overrides: list[str]) -> DictConfig:
    """Compose the run's configuration anew with another network and other overrides of the clock.

    Raises
    ------
    ValueError
        If an override would change the trajectory, or Hydra does not know it.
    """
    for override in overrides:
        key = override.lstrip("+~").split("=")[0]
        if key.split(".")[0] not in (*_GROUPS, "hydra", "cache"):
            raise ValueError(
                f"{key}: expected a key of {', '.join(_GROUPS)}, which re-timing may change; this one influences the "
                "trajectory and needs a new run"
            )
    old = OmegaConf.create(source.read_config())
    shared = [f"{key}={old[key]}" for key in ("workers", "seed")]
    chosen = [f"network={network}"] if network is not None else []
    new = compose("config", overrides=[*shared, *chosen, *overrides])
    named = {override.lstrip("+~").split("=")[0].split(".")[0] for override in [*chosen, *overrides]}
    with open_dict(old):
        for group in _GROUPS:
            whole = any(override.split("=")[0] == group for override in [*chosen, *overrides])
            parts = [o for o in overrides if o.startswith(f"{group}.")]
            if whole:
                old[group] = plain(new)[group]
            elif group in named:
                for part in parts:
                    key, value = part.split("=", 1)
                    if OmegaConf.select(old, key, default=part) is part:
                        raise ValueError(f"{key}: no such key; {group} has {', '.join(map(str, old[group]))}")
                    OmegaConf.update(old, key, OmegaConf.create(f"v: {value}").v)
    check(old)
    return old


def main() -> None:
    """Parse ``key=value`` arguments and re-time."""
    given: dict[str, str] = {}
    overrides: list[str] = []
    for argument in sys.argv[1:]:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"arguments: expected key=value, got {argument!r}")
        if key in ("run", "network", "hydra.run.dir"):
            given[key] = value
        else:
            overrides.append(argument)
    if "run" not in given:
        raise ValueError("run: expected the folder of a finished run, got nothing (run=<folder> network=wan_10m,lte)")
    source = RunFolder(Path(given["run"]))
    source.require_complete()
    stamp = datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    root = Path(given.get("hydra.run.dir", f"outputs/{stamp}-retimed"))
    register()
    networks: list[str | None] = [*given["network"].split(",")] if "network" in given else [None]
    with initialize_config_module("conf", version_base="1.3"):
        configs = [other_network(source, network, overrides) for network in networks]
    for config in configs:
        target = RunFolder(root / config.network.name)
        summary = retime(source, config, target)
        print_report(target, summary)


if __name__ == "__main__":
    reporting(main)
