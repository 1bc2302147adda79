"""The transports by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from network_models.transports.contract import Transport
from network_models.transports.ideal import Ideal
from network_models.transports.lv08 import Lv08
from network_models.transports.quic import Quic
from network_models.transports.tcp import Tcp

#: A name, a mapping of `name` and that transport's settings, or a transport.
TransportLike: TypeAlias = str | Mapping[str, Any] | Transport | None

TRANSPORTS: dict[str, type[Ideal] | type[Tcp] | type[Lv08] | type[Quic]] = {
    of.name: of for of in (Ideal, Tcp, Lv08, Quic)
}


def transport(value: TransportLike = None) -> Transport:
    """Make the transport that a setting stands for.

    Parameters
    ----------
    value : str, mapping or Transport, optional
        `'ideal'` (the default), `'tcp'`, `'lv08'` or `'quic'`; or a mapping such as `{'name': 'tcp', 'window_bytes':
        65536}`; or an object that offers what `Transport` asks.

    Raises
    ------
    ValueError
        If the name or a setting is unknown, or a setting is out of range, naming what is known.

    Examples
    --------
    >>> transport("tcp").name, transport({"name": "lv08"}).name
    ('tcp', 'lv08')
    """
    if value is None:
        return Ideal()
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping):
        if not callable(getattr(value, "stall_s", None)):
            raise ValueError(f"network.transport: expected one of {', '.join(TRANSPORTS)}, got {value!r}")
        return value
    settings = dict(value)
    name = settings.pop("name", None)
    if not isinstance(name, str) or name not in TRANSPORTS:
        raise ValueError(f"network.transport: expected one of {', '.join(TRANSPORTS)}, got {name!r}")
    kind = TRANSPORTS[name]
    known = [field.name for field in fields(kind)]
    for key in settings:
        if key not in known:
            raise ValueError(
                f"network.transport.{key}: expected one of {', '.join(known) or 'no key'} for {name}, got {key!r}"
            )
    return kind(**settings)
