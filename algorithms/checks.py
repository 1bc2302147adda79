"""Checks of configured values: each error names the key, what was expected and what came."""

from __future__ import annotations


def boolean(key: str, value: object) -> bool:
    """Give `value` if it is true or false, else raise ValueError: a word is neither."""
    if not isinstance(value, bool):
        raise ValueError(f"{key}: expected true or false, got {value!r}")
    return value


def whole(key: str, value: object, least: int = 1) -> int:
    """Give `value` if it is a whole number of at least `least`, else raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key}: expected a whole number, at least {least}, got {value!r}")
    return value
