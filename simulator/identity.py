"""When two configurations are one: hashes that leave out what no result depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from simulator.config import FREE

# Where a run was written, continued or stored, how it was shown and how often it was looked at: apart from the seed,
# what repetitions of one experiment may differ in. The same keys as in figures/groups.py.
BOOKKEEPING = frozenset(
    {
        "seed",
        "resume",
        "cache",
        "run",
        "retimed_from",
        "progress",
        "hydra",
        "threads",
        "kernels",
        "parts",
        "driver",
        "checkpoint_every",
        "eval_every",
        "tracker",
        "state_on",
        "memory_gb",
    }
)
_DIGITS = 16


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Give every leaf of a configuration with its dotted key; a list, and an empty section, is a leaf."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def config_hash(config: Mapping[str, Any]) -> str:
    """Hash everything in a resolved configuration that a resumed run may not change.

    Returns
    -------
    str
        16 hexadecimal digits; 1 and 1.0 are the same number.
    """
    return _hash({key: value for key, value in flatten(config) if key not in FREE})


def group_hash(config: Mapping[str, Any]) -> str:
    """Hash what the repetitions of one experiment share: everything but the seed and other bookkeeping.

    A nested key that only repeats a top-level one (`task.seed` made from `seed`) is left out with it.
    """
    return _hash({key: value for key, value in flatten(config) if not _kept_out(key, value, config)})


def asked_hash(config: DictConfig) -> str:
    """Hash a composed configuration as it was asked for, before ``device=auto`` and the like are settled.

    Its ``hydra`` node is left alone: the name of the run folder, which this becomes part of, is in it.
    """
    sections = {str(key): OmegaConf.select(config, str(key)) for key in config if key != "hydra"}
    plain = {
        key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in sections.items()
    }
    return config_hash(plain)[: _DIGITS // 2]


def register_hash() -> None:
    """Let configurations say ``${config_hash:}``, which ``hydra.sweep.subdir`` does."""
    OmegaConf.register_new_resolver("config_hash", lambda *, _root_: asked_hash(_root_), replace=True)


def _kept_out(key: str, value: Any, config: Mapping[str, Any], keys: Collection[str] = BOOKKEEPING) -> bool:
    section, _, rest = key.partition(".")
    last = rest.rpartition(".")[2]
    return section in keys or (last in keys and last in config and config[last] == value)


def _hash(leaves: Mapping[str, Any]) -> str:
    text = json.dumps(_comparable(leaves), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _comparable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
