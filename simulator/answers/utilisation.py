"""Which bandwidth keeps workers computing for a given share of their time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from omegaconf import DictConfig

from simulator.answers.crossings import Crossing, crossings
from simulator.answers.knobs import Knob
from simulator.answers.runs import Finished, Floats
from simulator.answers.timing import seconds_at_marks, spent_at_marks


@dataclass(frozen=True)
class Utilisation:
    """What a share of time computing needs.

    Parameters
    ----------
    needed : tuple of Crossing
        Where the share is met, in the knob's unit; `rising` where it is exceeded above.
    at_low, at_high : float
        The share at both ends of the range.
    """

    needed: tuple[Crossing, ...]
    at_low: float
    at_high: float


def utilisation(run: Finished, configs: list[DictConfig]) -> Floats:
    """Share of the mean worker's time, up to the last mark, in which it computes gradients, shape (c,).

    Compression is not computing. What a worker computes does not depend on the network, so all `configs` must have one
    compute model, and it is played once.
    """
    computing = float(spent_at_marks(run.folder, configs[0])["compute"][-1].mean())
    return computing / seconds_at_marks(run.folder, configs)[:, -1]


def knob_for_utilisation(
    run: Finished,
    config: DictConfig,
    share: float,
    knob: Knob,
    low: float,
    high: float,
    points: int = 25,
    tolerance: float = 1e-3,
) -> Utilisation:
    """Find the value of a knob of the network at which workers compute for a share of their time.

    Parameters
    ----------
    run : Finished
        Not racy.
    config : DictConfig
        What it is played on; see `knobs.played_on`.
    share : float
        In (0, 1).
    knob, low, high, points, tolerance
        As for `break_even`.

    Raises
    ------
    ValueError
        If the share is out of range, or the knob is not one of the network.
    """
    if not 0 < share < 1:
        raise ValueError(f"share: expected a share of time in (0, 1), got {share:g}")
    if not knob.name.startswith("network."):
        raise ValueError(f"key: expected a key of the network, got {knob.name}")
    computing = float(spent_at_marks(run.folder, config)["compute"][-1].mean())

    def excess(values: Floats) -> Floats:
        configs = [knob.turned(config, float(value)) for value in values]
        return computing / seconds_at_marks(run.folder, configs)[:, -1] - share

    ends = excess(np.array([low, high])) + share
    found: tuple[Crossing, ...] = tuple(crossings(excess, low, high, points, tolerance))
    return Utilisation(found, float(ends[0]), float(ends[1]))
