"""``collective NAME bytes=... workers=... bandwidth_bps=... latency_s=...``: how long a collective takes.

Every worker contributes `bytes` (in an all-to-all, to each other worker) to a collective among `workers` hosts, each on
a full-duplex link of `bandwidth_bps` and one-way `latency_s` around a switch that never limits, so that a path costs
two latencies; `network=NAME` takes a file of `conf/network` instead, and `network.KEY=VALUE` changes its settings. A
broadcast, reduce, gather or scatter begins or ends at worker 0, and `schedule=server` has a server of its own on such a
link; neighbours are those on a ring. Also: `schedule`, `profile`, `transport` (a name, or such as `{name: tcp,
window_bytes: 65536}`), `group_size`, `segments`, `mode`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from network_models.network import Network
from network_models.schedules.registry import SCHEDULES
from network_models.schedules.settings import named
from network_models.star import star
from network_models.timing import spread
from network_models.units import rate_bps, seconds, size_bytes

_LINK = ("bandwidth_bps", "latency_s")
_WHOLE = ("workers", "group_size", "segments")
_WORDS = ("schedule", "profile", "transport", "mode", "network")
_KEYS = ("bytes", *_WHOLE, *_LINK, *_WORDS)


def main(arguments: list[str]) -> None:
    """Print what the collective that the arguments describe costs.

    Raises
    ------
    ValueError
        If an argument is not one of the above, or its value makes no sense.
    """
    name, settings = (arguments[0] if arguments else "nothing"), {}
    for argument in arguments[1:]:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"collective: expected key=value, got {argument!r}")
        if key in settings:
            raise ValueError(f"{key}: expected it once, got another: {argument!r}")
        settings[key] = value
    print(json.dumps(cost(name, settings)))


def cost(collective: str, settings: Mapping[str, Any]) -> dict[str, float]:
    """Time a collective among alike hosts, or on a network by name.

    Parameters
    ----------
    collective : str
        One of `schedules.registry.SCHEDULES`.
    settings : mapping
        See the module's docstring; values may be strings with units.

    Returns
    -------
    dict
        `seconds` until the last worker is through, and `bytes_on_wire` of all messages together, headers included.

    Raises
    ------
    ValueError
        If a setting is unknown, missing or out of range.

    Examples
    --------
    >>> cost("all_reduce", {"bytes": 1e6, "workers": 4, "bandwidth_bps": "8 Mbit/s", "latency_s": 0})
    {'seconds': 1.5, 'bytes_on_wire': 6000000.0}
    """
    if collective not in SCHEDULES:
        raise ValueError(f"collective: expected one of {', '.join(SCHEDULES)}, got {collective!r}")
    for key in settings:
        if key not in _KEYS and not key.startswith("network."):
            raise ValueError(f"{key}: expected one of {', '.join(_KEYS)} or network.KEY, got {key!r}")
    for key in ("bytes", "workers", *(() if "network" in settings else _LINK)):
        if key not in settings:
            raise ValueError(f"{key}: expected {key}=..., got nothing")
    size, workers = size_bytes(settings["bytes"], "bytes"), _whole("workers", settings["workers"])
    network = _network(collective, workers, settings)
    edges = None
    if collective == "neighbours":
        ranks = np.arange(workers)
        both = {(rank, (rank + way) % workers) for rank in ranks.tolist() for way in (1, -1) if workers > 1}
        source, destination = zip(*sorted(both), strict=True) if both else ((), ())
        edges = (np.array(source, dtype=np.int64), np.array(destination, dtype=np.int64))
    network.reset()
    timing = network.collective(collective, None, 0.0, spread(size, workers), edges=edges)
    return {"seconds": float(timing.finish.max()), "bytes_on_wire": network.wire_bytes}


def _network(collective: str, workers: int, settings: Mapping[str, Any]) -> Network:
    own = {key: _read(key, settings[key]) for key in ("profile", "transport", "mode") if key in settings}
    own |= {key: _whole(key, settings[key]) for key in ("group_size", "segments") if key in settings}
    if "schedule" in settings:
        own[collective] = named(collective, settings["schedule"])
    changes = {key.removeprefix("network."): value for key, value in settings.items() if key.startswith("network.")}
    if "network" in settings:
        for key in _LINK:
            if key in settings:
                raise ValueError(f"{key}: expected to come from network={settings['network']}, got {settings[key]!r}")
        return _configured(settings["network"], workers, {**changes, **own})
    if changes:
        raise ValueError(f"network.{min(changes)}: expected network=NAME, whose setting this would change, got none")
    bandwidth, latency = (
        rate_bps(settings["bandwidth_bps"], "bandwidth_bps"),
        seconds(settings["latency_s"], "latency_s"),
    )
    return star(workers, bandwidth, bandwidth, latency, server_latency_s=latency, name="hosts", **own)


def _whole(key: str, value: Any) -> int:
    try:
        whole = int(str(value), 10)
    except ValueError:
        raise ValueError(f"{key}: expected a whole number of at least 1, got {value!r}") from None
    if whole < 1:
        raise ValueError(f"{key}: expected a whole number of at least 1, got {value!r}")
    return whole


def _configured(name: str, workers: int, changes: Mapping[str, Any]) -> Network:
    """Build a network by its name, with changed settings as a command line writes them."""
    from network_models.commands.configured import built

    return built(name, workers, {key: _read(f"network.{key}", value) for key, value in changes.items()})


def _read(key: str, value: Any) -> Any:
    """Read a value as a command line writes it, in YAML; what is not written stays a string, so that '' is no null."""
    import yaml

    try:
        return yaml.safe_load(value) if isinstance(value, str) and value else value
    except yaml.YAMLError as error:
        raise ValueError(f"{key}: expected a value, got {value!r}") from error
