"""Which schedule each collective of a network takes, read and checked when the network is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from network_models.fabric import Fabric, Integers
from network_models.profiles import ProfileLike, profile
from network_models.schedules.registry import SCHEDULES

#: Schedules that are no program between ranks, and the rule that picks one.
BESIDES: Mapping[str, tuple[str, ...]] = {"all_reduce": ("server", "auto")}


@dataclass(frozen=True)
class Schedules:
    """Names of schedules by collective; see `registry.SCHEDULES` for what they may be.

    Parameters
    ----------
    all_reduce, all_gather, reduce_scatter, broadcast, all_to_all, reduce, gather, scatter, neighbours : str
    segments : int
        Pieces into which segmented rings and pipelined chains cut a message, at least 1.
    group_size : int, optional
        Ranks that are near one another, at least 1; by default those of a rack.
    profile : {'ideal', 'gloo', 'nccl'} or mapping
        Whether collectives follow their schedules to the letter, or a library that has its own ways, in all that it
        offers; see `profiles.profile`.

    Raises
    ------
    ValueError
        If one is unknown, naming the known.
    """

    all_reduce: str = "ring"
    all_gather: str = "ring"
    reduce_scatter: str = "ring"
    broadcast: str = "star"
    all_to_all: str = "pairwise"
    reduce: str = "binomial"
    gather: str = "direct"
    scatter: str = "direct"
    neighbours: str = "direct"
    segments: int = 4
    group_size: int | None = None
    profile: ProfileLike = "ideal"

    @classmethod
    def read(cls, settings: Mapping[str, Any], fabric: Fabric) -> Schedules:
        """Read the settings of a network, and check that its fabric can carry them."""
        unknown = sorted(set(settings) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(f"network.{unknown[0]}: expected a setting that networks have, got {unknown[0]!r}")
        chosen = cls(**settings)
        if chosen.all_reduce == "server" and not fabric.servers:
            raise ValueError("network.all_reduce: expected a schedule without a server, as there is none, got 'server'")
        if chosen.all_reduce == "hierarchical" and not chosen.groups(fabric, np.arange(fabric.workers)):
            raise ValueError(
                "network.group_size: expected a number, as hierarchical needs groups and there are no racks, got None"
            )
        return chosen

    def __post_init__(self) -> None:
        for collective in SCHEDULES:
            named(collective, getattr(self, collective))
        _whole("segments", self.segments)
        if self.group_size is not None:
            _whole("group_size", self.group_size)
        profile(self.profile)

    def groups(self, fabric: Fabric, workers: Integers) -> tuple[Integers, ...]:
        """The ranks that are near one another: blocks of about `group_size`, or those of each rack; none if unknown."""
        if self.group_size is not None:
            count = -(-len(workers) // self.group_size)
            return tuple(np.array_split(np.arange(len(workers)), count))
        racks = getattr(fabric, "racks", None)
        if racks is None:
            return ()
        of = np.asarray(racks)[workers]
        return tuple(np.flatnonzero(of == rack) for rack in np.unique(of))


def named(collective: str, schedule: object) -> str:
    """Check the name of a collective's schedule."""
    known = (*SCHEDULES[collective], *BESIDES.get(collective, ()))
    if schedule not in known:
        raise ValueError(f"network.{collective}: expected one of {', '.join(known)}, got {schedule!r}")
    return str(schedule)


def _whole(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"network.{key}: expected a whole number of at least 1, got {value!r}")
