"""``python -m simulator.retime run=<folder> network=wan_10m,lte``: play finished runs on other networks.

Each network gives a complete run folder under ``hydra.run.dir`` with the same metrics, another timeline, and no
gradient computed. Other overrides (``network.up_bps=...``, ``compute=...``, ``compute.device=...``) apply to every one
of them; several values (``network.up_bps=1e6,1e7 network.latency_s=0.001,0.1``) are crossed. Without ``network=`` the
run's own network is played. A pattern (``run='outputs/sweep/*'``) names many runs, each with a folder of its own.
"""

from __future__ import annotations

import copy
import sys
from datetime import datetime
from functools import lru_cache
from glob import glob
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf, open_dict

from simulator.arguments import split
from simulator.cells import grid
from simulator.config import check, plain, register, reporting
from simulator.progress import duration
from simulator.records.folder import RunFolder, RunFolderError
from simulator.report import print_report
from simulator.retimed_folder import require_new, retime_all
from simulator.trace import read_header

FEW = 8  # networks; the closing tables of more than these are a line each
_GROUPS = ("network", "compute", "stragglers")


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
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return
    given, overrides = split(sys.argv[1:], ("run", "network", "hydra.run.dir"))
    if not given.get("run"):
        raise ValueError("run: expected the folder of a finished run, got nothing (run=<folder> network=wan_10m,lte)")
    stamp = datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    root = Path(given.get("hydra.run.dir") or f"outputs/{stamp}-retimed")
    sources = chosen_runs(given["run"])
    register()
    jobs = []
    with initialize_config_module("conf", version_base="1.3"):
        for source, name in sources.items():
            cells = {cell: clocked(source, network, chosen) for cell, network, chosen in grid(source, given, overrides)}
            targets = [RunFolder(root / name / cell) for cell in cells]
            jobs.append((source, [*cells.values()], targets))
    for _, _, targets in jobs:
        for target in targets:
            require_new(target)
    many = sum(len(targets) for _, _, targets in jobs) > FEW
    for source, configs, targets in jobs:
        for target, summary in zip(targets, retime_all(source, configs, targets), strict=True):
            if many:
                print(f"{duration(summary['simulated_seconds']):>9}  {target.path}")
            else:
                print_report(target, summary)


def chosen_runs(pattern: str) -> dict[RunFolder, str]:
    """Find the runs that ``run=`` names, and in what folder each one's networks go: none of its own for a single run.

    Of those that a pattern matches the unfinished and the racy ones are left out, which is said on standard error.

    Raises
    ------
    RunFolderError
        If there is none, or a single one is not finished.
    """
    if not set(pattern) & set("*?["):
        source = RunFolder(Path(pattern))
        source.require_complete()
        return {source: ""}
    found = {}
    for path in sorted(map(Path, glob(pattern))):
        try:
            source = RunFolder(path)
            source.require_complete()
            if because := read_header(source.trace).racy:
                raise RunFolderError(f"run: {path} is racy ({because}); run it anew for another network")
            found[source] = path.name
        except ValueError as error:
            print(f"left out: {error}", file=sys.stderr)
    if not found:
        raise RunFolderError(f"run: expected the folders of finished runs, got none that can be re-timed in {pattern}")
    return found


if __name__ == "__main__":
    reporting(main)
