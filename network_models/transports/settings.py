"""Check the settings of a transport as it is made."""

from __future__ import annotations

from collections.abc import Collection

from network_models.units import seconds


def positive(of: object, *keys: str, low: float | None = None) -> None:
    """Refuse a setting that is not a number above 0, or of at least `low`; None passes where the type allows it."""
    for key in keys:
        value = getattr(of, key)
        if value is None and "None" in str(type(of).__annotations__[key]):
            continue
        wanted = "a number above 0" if low is None else f"a number of at least {low:g}"
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not plain or not (value > 0 if low is None else value >= low) or value == float("inf"):
            raise ValueError(f"network.transport.{key}: expected {wanted}, got {value!r}")


def durations(of: object, *keys: str) -> None:
    """Refuse a setting that is not a duration; None passes where the type allows it."""
    for key in keys:
        value = getattr(of, key)
        if not (value is None and "None" in str(type(of).__annotations__[key])):
            seconds(value, f"network.transport.{key}")


def chosen(of: object, key: str, known: Collection[str]) -> None:
    """Refuse a setting that is not one of a few words."""
    if not isinstance(getattr(of, key), str) or getattr(of, key) not in known:
        raise ValueError(f"network.transport.{key}: expected one of {', '.join(known)}, got {getattr(of, key)!r}")
