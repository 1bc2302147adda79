"""The cells of a re-timing: every value of every key that has several, crossed, each with the name of its folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product

from hydra.core.override_parser.overrides_parser import OverridesParser

from simulator.records.folder import RunFolder

Cell = tuple[str, str | None, list[str]]


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
    own = str(source.read_config()["network"]["name"])
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
            cells.append(("-".join([network or own, *told]), network, [*chosen]))
    names = [name for name, *_ in cells]
    if len(set(names)) < len(names):
        raise ValueError(f"network: expected different plain names, one folder each, got {', '.join(names)}")
    return cells


def _short(override: str) -> str:
    """Say ``network.up_bps=1 Mbit/s`` in a folder's name: ``up_bps=1_Mbit_s``."""
    key, _, value = override.partition("=")
    return re.sub(r"[^\w.=+]+", "_", f"{key.rpartition('.')[2]}={value}")
