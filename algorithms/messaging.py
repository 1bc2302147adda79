"""What an algorithm offers whose workers and server are programs of their own, talking by messages."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, runtime_checkable

from algorithms.cohort import Cohort


@runtime_checkable
class Messaging(Protocol):
    """One program for each worker and one for the server; whether it is racy shows when it runs."""

    def worker(self, cohort: Cohort, rounds: int, joins_at: int | None = None) -> Coroutine[Any, Any, None]:
        """Make the program of the one worker that `cohort` holds; it may never end.

        One that joins a run under way is told its first step, and begins without a model.
        """
        ...

    def server(self, cohort: Cohort, rounds: int) -> Coroutine[Any, Any, None]:
        """Make the server's program; the run ends with it."""
        ...

    def notes(self) -> dict[str, Any]:
        """Give what belongs into the run's summary, such as a histogram of staleness."""
        ...
