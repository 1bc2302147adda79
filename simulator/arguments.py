"""The words of a command that takes ``key=value``: those it knows by name, and the overrides of a configuration."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def split(arguments: Sequence[str], named: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Part the arguments whose key is named, by key, from the others, in their order.

    Raises
    ------
    ValueError
        For an argument without "=".
    """
    given: dict[str, str] = {}
    others: list[str] = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"arguments: expected key=value, got {argument!r}")
        if key in named:
            given[key] = value
        else:
            others.append(argument)
    return given, others
