"""Times several things side by side, so that a busy neighbour slows all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(todo: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Time each function once per repetition, one after the other, after one warm-up of all.

    Parameters
    ----------
    todo : mapping of str to callable
        What is dropped at once is what a function returns, so freeing it is timed too.
    repeats : int
        At least 1.

    Returns
    -------
    dict of str to float
        The median of this process's CPU seconds, all its threads together.
    """
    if repeats < 1:
        raise ValueError(f"repeats: expected at least 1, got {repeats}")
    seconds: dict[str, list[float]] = {name: [] for name in todo}
    for repetition in range(repeats + 1):
        for name, run in todo.items():
            begun = time.process_time()
            run()
            if repetition:
                seconds[name].append(time.process_time() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}
