"""What can be turned on a network until an answer changes: its bandwidth, its latency, or a key that is one figure."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hydra import initialize_config_module
from omegaconf import DictConfig, OmegaConf, open_dict

from network_models import rate_bps
from network_models import seconds as duration
from simulator.answers.runs import Finished
from simulator.config import plain, register
from simulator.retime import clocked

RATES, LATENCY = ("network.up_bps", "network.down_bps"), "network.latency_s"


def played_on(run: Finished, network: str | None = None, overrides: Sequence[str] = ()) -> DictConfig:
    """Give a run's configuration with another network, compute model or stragglers, everything resolved.

    Parameters
    ----------
    network : str, optional
        A name in `conf/network`; by default the run's own.
    overrides : sequence of str
        Such as ``network.latency_s=1 ms`` or ``compute.device=phone``.

    Raises
    ------
    ValueError
        If an override would change the trajectory, or names no key.
    """
    register()
    with initialize_config_module("conf", version_base="1.3"):
        return OmegaConf.create(plain(clocked(run.folder, network, list(overrides))))


@dataclass(frozen=True)
class Knob:
    """One figure of a configuration, to which others may be tied.

    Parameters
    ----------
    name : str
        The key that is told.
    unit : str
        Its unit: ``bit/s``, ``s``, or ``times`` for a factor.
    at : float
        Where it stands.
    tied : tuple of (str, float or tuple of float)
        Every key that it turns, and that key's present values: all are multiplied alike.
    """

    name: str
    unit: str
    at: float
    tied: tuple[tuple[str, float | tuple[float, ...]], ...]

    def turned(self, config: DictConfig, value: float) -> DictConfig:
        """Copy a configuration and turn the knob to `value`, in its unit."""
        made: DictConfig = copy.deepcopy(config)
        with open_dict(made):
            for key, present in self.tied:
                if isinstance(present, tuple):
                    new: float | list[float] = [value / self.at * one for one in present]
                else:
                    new = value if present == self.at else value / self.at * present
                OmegaConf.update(made, key, new)
        return made


def bandwidth(config: DictConfig) -> Knob:
    """Turn the bandwidth of a network.

    On a star with constant rates: ``network.up_bps`` and ``network.down_bps`` together, told as the first worker's
    uplink; the server's link follows where it is null, and stays where it has rates of its own. On any other network:
    ``network.rate_factor``, which multiplies the rate of every link.
    """
    network = config.network
    given = [network.get(key.partition(".")[2]) for key in RATES]
    traced = network.get("up_trace") is not None or network.get("down_trace") is not None
    if traced or any(one is None for one in given):
        return key_of(config, "network.rate_factor")
    tied = [_rates(key, one) for key, one in zip(RATES, given, strict=True)]
    first = tied[0][0] if isinstance(tied[0], tuple) else tied[0]
    if not all(math.isfinite(one) for some in tied for one in (some if isinstance(some, tuple) else (some,))):
        raise ValueError(f"network.up_bps, network.down_bps: expected finite rates to scale, got {given}")
    return Knob(RATES[0], "bit/s", first, tuple(zip(RATES, tied, strict=True)))


def latency(config: DictConfig) -> Knob:
    """Turn the latency of a network: ``network.latency_s`` where it is one figure, else ``network.latency_factor``."""
    one = config.network.get("latency_s")
    return key_of(config, LATENCY if isinstance(one, str | int | float) else "network.latency_factor")


def key_of(config: DictConfig, key: str) -> Knob:
    """Turn one key of the network or the compute model: a rate, a duration or a factor, told by its name.

    Raises
    ------
    ValueError
        If there is no such key, or it is not one figure.
    """
    if key.split(".")[0] not in ("network", "compute"):
        raise ValueError(f"key: expected one of network or compute, such as network.latency_s, got {key!r}")
    value = OmegaConf.select(config, key)
    if value is None and key in ("network.rate_factor", "network.latency_factor"):
        value = 1.0  # a run of before there were factors
    if value is None or not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError(f"key: expected a key that is one figure, got {key}={value!r}")
    if key.endswith("_bps"):
        return _knob(key, "bit/s", rate_bps(value, key))
    if key.endswith("_s") and not key.endswith("_per_s"):
        return _knob(key, "s", duration(value, key))
    try:
        return _knob(key, "times" if key.endswith("_factor") else "", float(value))
    except ValueError:
        raise ValueError(f"key: expected a key that is one figure, got {key}={value!r}") from None


def _knob(key: str, unit: str, at: float) -> Knob:
    return Knob(key, unit, at, ((key, at),))


def _rates(key: str, value: object) -> float | tuple[float, ...]:
    if OmegaConf.is_list(value) or isinstance(value, list):
        return tuple(rate_bps(one, key) for one in value)  # type: ignore[attr-defined]
    return rate_bps(value, key)
