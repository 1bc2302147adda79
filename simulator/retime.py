"""``python -m simulator.retime run=<folder> network=wan_10m,lte``: play a finished run on other networks.

Each network gives a complete run folder under ``hydra.run.dir`` with the same metrics, another timeline, and no
gradient computed. Other overrides (``network.up_bps=...``, ``compute=...``, ``compute.device=...``) apply to every one
of them; several values (``network.up_bps=1e6,1e7 network.latency_s=0.001,0.1``) are crossed. Without ``network=`` the
run's own network is played.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict

from simulator.config import check, plain, register, reporting
from simulator.progress import duration
from simulator.records.folder import RunFolder, RunFolderError
from simulator.report import print_report
from simulator.retimed_folder import retime_all

FEW = 8  # networks; the closing tables of more than these are a line each
Cell = tuple[str, str | None, list[str]]
_GROUPS = ("network", "compute", "stragglers")


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
    with initialize_config_module("conf", version_base="1.3"):
        cells = {name: clocked(source, network, chosen) for name, network, chosen in grid(source, given, overrides)}
    targets = [RunFolder(root / name) for name in cells]
    for target in targets:
        require_new(target)
    many = len(targets) > FEW
    for target, summary in zip(targets, retime_all(source, [*cells.values()], targets), strict=True):
        if many:
            print(f"{duration(summary['simulated_seconds']):>9}  {target.path}")
        else:
            print_report(target, summary)


def grid(source: RunFolder, given: Mapping[str, str], overrides: Sequence[str]) -> list[Cell]:
    """Cross all values of all keys that have several, as Hydra's multirun does.

    Returns
    -------
    list of (folder's name, network or None, overrides)

    Raises
    ------
    ValueError
        If two cells would have one name.
    """
    named: list[str | None] = [*given["network"].split(",")] if "network" in given else [None]
    axes = []
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.is_sweep_override():
            axes.append([f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()])
        else:
            axes.append([str(override.input_line)])
    varied = [len(axis) > 1 for axis in axes]
    cells = []
    for network in named:
        for chosen in product(*axes):
            told = [_short(one) for one, varies in zip(chosen, varied, strict=True) if varies]
            whose = network or str(source.read_config()["network"]["name"])
            cells.append(("-".join([whose, *told]), network, [*chosen]))
    names = [name for name, *_ in cells]
    if len(set(names)) < len(names):
        raise ValueError(f"network: expected different plain names, one folder each, got {', '.join(names)}")
    return cells


def _short(override: str) -> str:
    """Say ``network.up_bps=1 Mbit/s`` in a folder's name: ``up_bps=1_Mbit_s``."""
    key, _, value = override.partition("=")
    return re.sub(r"[^\w.=+]+", "_", f"{key.rpartition('.')[2]}={value}")


if __name__ == "__main__":
    reporting(main)
