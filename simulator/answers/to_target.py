"""Time and bits until a target is met, of one run; see `target` for the rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.answers.runs import Finished, Floats
from simulator.answers.target import Place, Target, place_in

DIRECTIONS = ("uplink", "downlink", "total")
COUNTS = ("wire", "paper", "entropy")


@dataclass(frozen=True)
class ToTarget:
    """What it took to meet a target.

    Parameters
    ----------
    value : ndarray, shape (...)
        Seconds or bits; where the target was not reached, the lower bound: as much had been spent without.
    not_before : ndarray, shape (...)
        What had been spent when the target was last seen missed: evaluations are apart, and it lies in between.
    reached : bool
    """

    value: Floats
    not_before: Floats
    reached: bool

    @classmethod
    def read(cls, found: Place, series: Floats) -> ToTarget:
        """Read a series by mark, shape (..., m), at a place."""
        return cls(found.of(series), found.not_before(series), found.reached)


def time_to_target(run: Finished, target: Target, seconds: Floats | None = None) -> ToTarget:
    """Simulated seconds until a run meets a target.

    Parameters
    ----------
    run : Finished
    target : Target
    seconds : ndarray, shape (..., m), optional
        The clock at the marks on other networks (`timing.seconds_at_marks`); by default as recorded.

    Raises
    ------
    Missing
        If the run has no such metric.
    """
    return ToTarget.read(place_in(run, target), run.seconds if seconds is None else seconds)


def bits_to_target(run: Finished, target: Target, of: str = "uplink", count: str = "wire") -> ToTarget:
    """Bits sent until a run meets a target, over all workers.

    Parameters
    ----------
    of : {'uplink', 'downlink', 'total'}
        What leaves the workers, what enters them, or both.
    count : {'wire', 'paper', 'entropy'}
        What was written, the paper's formula, or the bound.

    Raises
    ------
    ValueError
        If `of` or `count` is unknown.
    Missing
        If the run has no such metric, or its method's paper no formula.
    """
    return ToTarget.read(place_in(run, target), bits(run, of, count))


def bits(run: Finished, of: str = "uplink", count: str = "wire") -> Floats:
    """Cumulative bits at the marks over all workers, shape (m,); see `bits_to_target`."""
    for key, value, known in (("bits", of, DIRECTIONS), ("count", count, COUNTS)):
        if value not in known:
            raise ValueError(f"{key}: expected one of {', '.join(known)}, got {value!r}")
    directions = ("uplink", "downlink") if of == "total" else (of,)
    if count == "wire":
        return np.sum([8 * run.column(f"{direction}_wire_bytes") for direction in directions], axis=0)
    return np.sum([run.column(f"{direction}_{count}_bits") for direction in directions], axis=0)
