"""What a tracker is told, and the one that does not listen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Is told how a run goes, in this order: start, mark for each evaluated round, end."""

    def start(self, config: Mapping[str, Any], folder: Path, after: int) -> None:
        """Begin.

        Parameters
        ----------
        config : mapping
            Resolved.
        folder : Path
            Of the run, which exists.
        after : int
            The last round of which has been told before: 0, or that of the checkpoint from which the run goes on.
        """
        ...

    def mark(self, t: int, figures: Mapping[str, float]) -> None:
        """Note the figures after round t: the columns of the metrics that are known, and ``simulated_seconds``."""
        ...

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Finish with the run's summary; None where it failed."""
        ...


class NoTracker:
    """Does not listen."""

    def __init__(self, name: str = "none") -> None:
        self.name = name

    def start(self, config: Mapping[str, Any], folder: Path, after: int) -> None:
        """Do nothing."""

    def mark(self, t: int, figures: Mapping[str, float]) -> None:
        """Do nothing."""

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Do nothing."""


def require(package: str, name: str) -> None:
    """Refuse a tracker whose package is not installed, before anything is computed.

    Raises
    ------
    ValueError
        Naming the extra that brings it.
    """
    if find_spec(package) is None:
        raise ValueError(
            f"tracker: expected the package {package} for tracker={name}, got none; pip install 'bitclock[{name}]'"
        )


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep what is a number."""
    return {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
