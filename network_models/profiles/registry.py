"""The profiles by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol, TypeAlias

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.profiles.gloo import Gloo
from network_models.profiles.nccl import Nccl
from network_models.profiles.plan import Played
from network_models.schedules.call import Call


class Profile(Protocol):
    """Times the collectives of a `Network` as a library runs them."""

    def collective(
        self, name: str, paths: Paths, workers: Integers, start: Floats, call: Call, server_start: float | None = None
    ) -> Played:
        """Time any collective among ranks by its name, as `Network.collective`; at least two participants."""
        ...

    def gather(self, paths: Paths, workers: Integers, start: Floats, sizes: Floats) -> tuple[Played, float]:
        """Time `Network.gather`, and say when the servers have everything."""
        ...

    def broadcast(
        self, paths: Paths, workers: Integers, start: Floats, server_start: float, size: Floats | float
    ) -> Played:
        """Time `Network.broadcast` straight from the servers."""
        ...


#: A name, a mapping of `name` and that profile's settings, or a profile.
ProfileLike: TypeAlias = str | Mapping[str, Any] | Profile | None

PROFILES: dict[str, type[Gloo] | type[Nccl]] = {"gloo": Gloo, "nccl": Nccl}


def profile(value: ProfileLike = None) -> Profile | None:
    """Make the profile that a setting stands for; None is `'ideal'`: schedules as a network plays them by itself.

    Parameters
    ----------
    value : str, mapping or Profile, optional
        `'ideal'` (the default), `'gloo'` or `'nccl'`; or a mapping such as `{'name': 'gloo', 'call_s': '1 ms'}`; or an
        object that offers what `Profile` asks.

    Raises
    ------
    ValueError
        If the name or a setting is unknown, naming what is known.
    """
    if isinstance(value, str):
        value = {"name": value}
    if value is None or isinstance(value, Mapping) and dict(value) == {"name": "ideal"}:
        return None
    if not isinstance(value, Mapping):
        if not callable(getattr(value, "collective", None)):
            raise ValueError(f"network.profile: expected one of ideal, {', '.join(PROFILES)}, got {value!r}")
        return value
    settings = dict(value)
    name = settings.pop("name", None)
    if not isinstance(name, str) or name not in PROFILES:
        raise ValueError(f"network.profile: expected one of ideal, {', '.join(PROFILES)}, got {name!r}")
    known = [field.name for field in fields(PROFILES[name])]
    for key in settings:
        if key not in known:
            raise ValueError(f"network.profile.{key}: expected one of {', '.join(known)} for {name}, got {key!r}")
    return PROFILES[name](**settings)
