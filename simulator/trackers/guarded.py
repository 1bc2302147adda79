"""Keeps a tracker's troubles away from the run that it watches."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulator.trackers.tracker import Tracker, numbers


class Guarded:
    """Passes everything on to a tracker until it fails; then it is warned of once, and the run goes on without.

    As a context it ends the tracker where the run failed; a run that succeeded calls `ended` with its summary.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker, self._listening = tracker, True

    def start(self, config: Mapping[str, Any], folder: Path, after: int) -> None:
        """See `Tracker`."""
        self._tell("start", config, folder, after)

    def mark(self, t: int, row: Mapping[str, Any], seconds: float) -> None:
        """Tell the metrics row of round t and the simulated seconds."""
        self._tell("mark", t, numbers(row) | {"simulated_seconds": seconds})

    def ended(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Tell the summary, and give it back."""
        self._tell("end", dict(summary))
        return summary

    def _tell(self, what: str, *arguments: Any) -> None:
        if not self._listening:
            return
        try:
            getattr(self._tracker, what)(*arguments)
        except Exception as error:  # whatever a foreign library raises: the run does not depend on it
            self._listening = False
            name = getattr(self._tracker, "name", type(self._tracker).__name__)
            reason = str(error).partition("\n")[0]
            print(f"tracker={name}: left out from here on: {type(error).__name__}: {reason}", file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._tell("end", None)


def watching(tracker: Tracker, config: Mapping[str, Any], folder: Path, state: Mapping[str, Any] | None) -> Guarded:
    """Start a tracker for a run that goes on from a checkpoint's state, or begins where that is None."""
    guarded = Guarded(tracker)
    guarded.start(config, folder, 0 if state is None else int(state["round"]))
    return guarded
