"""Times several things side by side, so that a busy neighbour slows all of them alike."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping

_LEAST_S = 0.005  # what is shorter is called several times in a row: one call of it would time the clock and the cache
_MOST = 1000


def interleaved(todo: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Time each function once per repetition, one after the other, after one warm-up of all.

    Parameters
    ----------
    todo : mapping of str to callable
        What a function returns is dropped at once, so freeing it is timed too. One that takes less than 5 ms is called
        as often in a row as that needs.
    repeats : int
        At least 1.

    Returns
    -------
    dict of str to float
        The median of this process's CPU seconds for one call, all its threads together.
    """
    if repeats < 1:
        raise ValueError(f"repeats: expected at least 1, got {repeats}")
    for run in todo.values():
        run()
    calls = {name: _calls(_spent(run, 1)) for name, run in todo.items()}
    seconds: dict[str, list[float]] = {name: [] for name in todo}
    for _ in range(repeats):
        for name, run in todo.items():
            seconds[name].append(_spent(run, calls[name]) / calls[name])
    return {name: statistics.median(values) for name, values in seconds.items()}


def _spent(run: Callable[[], object], calls: int) -> float:
    begun = time.process_time()
    for _ in range(calls):
        run()
    return time.process_time() - begun


def _calls(seconds: float) -> int:
    return max(1, min(_MOST, math.ceil(_LEAST_S / max(seconds, 1e-9))))
