"""What limits a run: the time that an ideal bandwidth, latency, computation or compression would save, by re-timing.

Each ideal acts on settings, the same on every topology:

* ``bandwidth``: ``network.rate_factor`` is infinite, so that no link has a limit, the server's and traces included;
  where there are outages or other traffic, which need a finite rate, it is 2**40 instead.
* ``latency``: ``network.latency_factor`` is 0: no propagation and no jitter. Routes stay.
* ``compute``: a gradient takes no time (``compute.flops_per_s`` infinite, or ``compute.seconds_per_step`` 0).
* ``encode``: ``compute.memory_bytes_per_s`` is infinite: compression, decoding and the server's averaging are free.

What is left when all four are ideal is what the network's software takes (``network.profile``) and outages.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from omegaconf import DictConfig, OmegaConf, open_dict

from simulator.answers.runs import Finished
from simulator.answers.target import Target, place_in
from simulator.answers.timing import seconds_at_marks

_NEARLY_INFINITE = 2.0**40
_DISTURBED = ("outages", "background_load")


def _without_limits(config: DictConfig) -> None:
    disturbed = any(config.network.get(key) for key in _DISTURBED)
    config.network.rate_factor = _NEARLY_INFINITE if disturbed else math.inf


def _without_latency(config: DictConfig) -> None:
    config.network.latency_factor = 0.0


def _without_compute(config: DictConfig) -> None:
    if config.compute._target_ == "simulator.compute.Counted":
        config.compute.flops_per_s = math.inf
        return
    _fix(config)
    config.compute.seconds_per_step = 0.0


def _without_encoding(config: DictConfig) -> None:
    if config.compute._target_ != "simulator.compute.Counted":
        _fix(config)
    config.compute.memory_bytes_per_s = math.inf


def _fix(config: DictConfig) -> None:
    """Take a measured compute model's figures as fixed ones, which may be ideal."""
    compute = config.compute
    if compute._target_ not in ("simulator.compute.Measured", "simulator.compute.Fixed"):
        raise ValueError(
            f"compute: expected counted, fixed or measured, whose prices can be set to nothing, got {compute._target_}"
        )
    kept = {key: value for key, value in OmegaConf.to_container(compute).items() if key != "file"}  # type: ignore[union-attr]
    config.compute = OmegaConf.create(kept | {"_target_": "simulator.compute.Fixed"})


IDEALS: Mapping[str, Callable[[DictConfig], None]] = {
    "bandwidth": _without_limits,
    "latency": _without_latency,
    "compute": _without_compute,
    "encode": _without_encoding,
}


def ideal(config: DictConfig, *names: str) -> DictConfig:
    """Copy a configuration with some of `IDEALS` in force.

    Raises
    ------
    ValueError
        If a name is unknown, or the compute model is not one of ours.
    """
    made: DictConfig = copy.deepcopy(config)
    with open_dict(made):
        for name in names:
            if name not in IDEALS:
                raise ValueError(f"ideal: expected some of {', '.join(IDEALS)}, got {name!r}")
            IDEALS[name](made)
    return made


@dataclass(frozen=True)
class Limit:
    """One thing that takes a run's time.

    Parameters
    ----------
    name : str
        One of `IDEALS`.
    seconds : float
        How long the run takes with that alone ideal.
    saved : float
        By how much that is sooner. Less than 0 is possible: a schedule may choose worse.
    """

    name: str
    seconds: float
    saved: float


@dataclass(frozen=True)
class Sensitivity:
    """What limits a run.

    Parameters
    ----------
    seconds : float
        How long it takes as it is; a lower bound where the target was not reached.
    limits : tuple of Limit
        The one that saves most first.
    left : float
        Seconds with all of them ideal.
    reached : bool
    """

    seconds: float
    limits: tuple[Limit, ...]
    left: float
    reached: bool


def sensitivity(run: Finished, config: DictConfig, target: Target | None = None) -> Sensitivity:
    """Re-time a run with each of `IDEALS` in turn.

    Parameters
    ----------
    run : Finished
        Not racy.
    config : DictConfig
        What it is played on; see `knobs.played_on`.
    target : Target, optional
        Count the time to it; by default to the run's end.

    Notes
    -----
    Savings do not add up to the whole: what overlaps is saved by neither alone, and what comes in turn by each.
    """
    names = list(IDEALS)
    configs = [config, *(ideal(config, name) for name in names), ideal(config, *names)]
    at = None if target is None else place_in(run, target)
    clock = seconds_at_marks(run.folder, configs)
    seconds = (clock[:, -1] if at is None else at.of(clock)).tolist()
    limits = [Limit(name, one, seconds[0] - one) for name, one in zip(names, seconds[1:-1], strict=True)]
    limits.sort(key=lambda limit: -limit.saved)
    return Sensitivity(seconds[0], tuple(limits), seconds[-1], at is None or at.reached)
