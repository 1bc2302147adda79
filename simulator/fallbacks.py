"""What a run does in a slower or another way than was asked for, said once: in its closing table and its summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from algorithms import kernels

# Modules that choose a way by themselves have a function `fallbacks() -> list[str]`, which is named here, one a line.
SOURCES: tuple[Callable[[], list[str]], ...] = (kernels.fallbacks,)


def collected(own: Iterable[str], *parts: object) -> list[str]:
    """Put together what was said, each thing once, in order.

    Parameters
    ----------
    own : iterable of str
        What the run itself has to say.
    *parts : object
        Asked if they have a method `fallbacks() -> list[str]`: a task, which asks its gradient engine.
    """
    asked = [part.fallbacks for part in parts if hasattr(part, "fallbacks")]
    return list(dict.fromkeys([*own, *(line for source in (*asked, *SOURCES) for line in source())]))
