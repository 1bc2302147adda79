"""``python -m simulator.retime run=<folder> network=wan_10m,lte``: play a finished run on other networks.

Each network gives a complete run folder under ``hydra.run.dir`` with the same metrics, another timeline, and no
gradient computed. Other overrides (``network.up_bps=...``, ``compute=...``, ``compute.device=...``) apply to every one
of them. Without ``network=`` the run's own network is played.
"""

from __future__ import annotations

import copy
import os
import shutil
import sys
import time
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf, open_dict

from simulator.config import check, plain, register, reporting
from simulator.drivers.replay import retimed
from simulator.records.folder import TIMELINE, RunFolder, RunFolderError
from simulator.records.links import LinkRecord
from simulator.records.recording import timeline_row, waiting
from simulator.report import print_report
from simulator.trace import NotReplayable, read_trace

_GROUPS = ("network", "compute", "stragglers")


def retime(source: RunFolder, config: DictConfig, target: RunFolder) -> dict[str, Any]:
    """Play the trace of `source` on the network and compute model of `config`; fill `target` and give its summary.

    Everything is read and computed before `target` appears, and it appears whole.

    Raises
    ------
    RunFolderError
        If `source` is not finished or damaged, or `target` holds a run.
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
    require_new(target)
    start = time.perf_counter()
    about, summary = source.read_json("manifest"), source.read_json("summary")
    rounds = source.read_table("metrics")["round"].to_pylist()
    network, compute = built(config.network, "network"), built(config.compute, "compute")
    moments, links = retimed(source.trace, network, compute, set(rounds)), LinkRecord(network)
    for t, moment in moments:
        links.note(t, moment)
    if [t for t, _ in moments] != rounds:
        last = moments[-1][0] if moments else 0
        raise RunFolderError(f"run: expected marks up to round {rounds[-1]} in {source.trace}, got them up to {last}")
    timeline = [timeline_row(t, moment) for t, moment in moments]
    draft = RunFolder(target.path.with_name(f".{target.path.name}.{os.getpid()}.part"))
    draft.path.mkdir(parents=True)
    for name in ("metrics.parquet", "trace.jsonl"):
        shutil.copyfile(source.path / name, draft.path / name)
    draft.write_config(plain(config))
    draft.write_table("timeline", timeline, TIMELINE)
    draft.write_columns("links", links.table())
    about |= {"retimed_from": str(source.path.resolve()), "compute": compute.describe(), "command": sys.argv}
    draft.write_json("manifest", about)
    seconds = time.perf_counter() - start
    summary |= {"simulated_seconds": moments[-1][1].seconds, "links": links.summary()}
    summary |= {"waiting": waiting(timeline[-1])}
    summary |= {"wall_seconds": seconds, "gradient_seconds": 0.0}
    draft.write_json("summary", summary)
    if target.path.is_dir():
        target.path.rmdir()
    draft.path.rename(target.path)
    return summary


def require_new(target: RunFolder) -> None:
    """Refuse a target in which something lies already."""
    if target.path.exists() and (not target.path.is_dir() or any(target.path.iterdir())):
        raise RunFolderError(f"hydra.run.dir: expected a new folder, got {target.path}, which is there already")


def clocked(source: RunFolder, network: str | None, overrides: list[str]) -> DictConfig:
    """Give the run's configuration with another network, compute model or stragglers.

    A group that is named is composed anew with its parts; parts of a group that is not named change the run's own.

    Raises
    ------
    ValueError
        If an override would change the trajectory, or names no key.
    """
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key == "cache" and value not in ("on", "off"):
            raise ValueError(f"cache: expected one of on, off, got {value!r}")
        if key.split(".")[0] not in (*_GROUPS, "hydra", "cache"):
            raise ValueError(
                f"{key}: expected a key of {', '.join(_GROUPS)}, which re-timing may change; this one influences the "
                "trajectory and needs a new run"
            )
    config = OmegaConf.create(source.read_config())
    chosen = [*([f"network={network}"] if network is not None else []), *overrides]
    with open_dict(config):
        for group in _GROUPS:
            parts = [override for override in chosen if override.lstrip("+~").startswith(f"{group}.")]
            whole = [override for override in chosen if override.split("=")[0] == group]
            if whole:
                config[group] = _composed(group, config.workers, config.seed, *whole, *parts)
                continue
            for part in parts:
                key, value = part.lstrip("+~").split("=", 1)
                if not part.startswith("+") and OmegaConf.select(config, key, default=part) is part:
                    raise ValueError(f"{key}: no such key; {group} has {', '.join(map(str, config[group]))}")
                OmegaConf.update(config, key, OmegaConf.create(f"v: {value}").v)
        config.compute.stragglers = config.stragglers  # a copy of it, as in every run
    check(config)
    return config


def _composed(group: str, workers: int, seed: int, *overrides: str) -> dict[str, Any]:
    """Compose one group anew for so many workers and a seed."""
    found = copy.deepcopy(_compose(workers, *overrides))
    found.seed = seed  # what is drawn from it refers to it, so that one composition serves every seed
    return dict(plain(found)[group])


@lru_cache(maxsize=64)
def _compose(workers: int, *overrides: str) -> DictConfig:
    return compose("config", overrides=[f"workers={workers}", *overrides])


def main() -> None:
    """Parse ``key=value`` arguments and re-time."""
    given: dict[str, str] = {}
    overrides: list[str] = []
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    for argument in sys.argv[1:]:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"arguments: expected key=value, got {argument!r}")
        if key in ("run", "network", "hydra.run.dir"):
            given[key] = value
        else:
            overrides.append(argument)
    if not given.get("run"):
        raise ValueError("run: expected the folder of a finished run, got nothing (run=<folder> network=wan_10m,lte)")
    source = RunFolder(Path(given["run"]))
    source.require_complete()
    stamp = datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    root = Path(given.get("hydra.run.dir") or f"outputs/{stamp}-retimed")
    register()
    networks: list[str | None] = [*given["network"].split(",")] if "network" in given else [None]
    with initialize_config_module("conf", version_base="1.3"):
        configs = [clocked(source, network, overrides) for network in networks]
    names = [str(config.network.name) for config in configs]
    if len(set(names)) < len(names) or any(Path(name).name != name for name in names):
        raise ValueError(f"network: expected different plain names, one folder each, got {', '.join(names)}")
    targets = [RunFolder(root / name) for name in names]
    for target in targets:
        require_new(target)
    for config, target in zip(configs, targets, strict=True):
        print_report(target, retime(source, config, target))


if __name__ == "__main__":
    reporting(main)
