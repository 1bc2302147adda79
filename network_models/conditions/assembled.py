"""The settings of a star's conditions, and the links that they make of constant ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from network_models.conditions.factors import Factors
from network_models.conditions.files import read_trace
from network_models.conditions.interruptions import Interruptions
from network_models.conditions.jitter import Jitter, uniform
from network_models.conditions.trace import Trace, delivering
from network_models.links import Links, per_worker
from network_models.units import real, seconds
from network_models.whole import whole


@dataclass(frozen=True)
class Conditions:
    """What happens on the links of a star besides their rates and latencies.

    Parameters
    ----------
    up_trace, down_trace : str, Trace or list of them, optional
        Replaces `up_bps`, `down_bps` of the workers: a file (Mahimahi or CSV, see `read_trace`) or a Trace; of a list,
        each worker takes one in turn (None: its constant rate).
    trace_offset_s : float, str or list of n
        Where in its trace each worker is at time 0; `'spread'` draws it, uniform over the period.
    trace_bin_s : float or str, optional
        Take a file's mean rates over bins of so many seconds: fewer steps, faster. None: every step, 1 ms in
        Mahimahi's format.
    jitter_s : float or str
        Mean random delay added to each message's latency.
    jitter : {'exponential', 'uniform', 'lognormal'}
        Its distribution.
    outages : list of mappings
        See `Outage`.
    background_load : float
        Share of each worker's link that other traffic takes, 0 <= share < 1. More is slower.
    background_mean_on_s, background_mean_off_s : float or str, optional
        Means of the exponential times in which there is other traffic and none; without them it is always there.
    half_duplex : bool or list of n
        Whose link carries one direction at a time, sharing one rate.
    loss : float
        Probability that a packet is lost on a path, for transports that mind.
    rate_factor, latency_factor : float
        Of every link, the server's included; see `Factors`.
    seed : int
        Of everything drawn here.
    """

    up_trace: Any = None
    down_trace: Any = None
    trace_offset_s: Any = 0.0
    trace_bin_s: float | str | None = None
    jitter_s: float | str = 0.0
    jitter: str = "exponential"
    outages: Sequence[Any] | None = None
    background_load: float = 0.0
    background_mean_on_s: float | str | None = None
    background_mean_off_s: float | str | None = None
    half_duplex: Any = False
    loss: float = 0.0
    rate_factor: float = 1.0
    latency_factor: float = 1.0
    seed: int = 0

    @classmethod
    def taken_from(cls, settings: dict[str, Any]) -> Conditions:
        """Take the settings of this class out of others."""
        return cls(**{field.name: settings.pop(field.name) for field in fields(cls) if field.name in settings})

    def delays(self) -> Jitter | None:
        """The random extra latency, if any."""
        whole(self.seed, "network.seed", 0)
        jitter = Jitter(self.jitter_s, self.jitter, self.seed)
        jitter.mean_s *= self._factors.latency
        return jitter if jitter.mean_s else None

    def of(self, links: Links) -> Links:
        """The links under these conditions.

        Raises
        ------
        ValueError
            If a setting is out of range or a trace never delivers, naming it.
        """
        if not 0 <= real(self.loss) < 1:
            raise ValueError(f"network.loss: expected 0 <= loss < 1, got {self.loss!r}")
        self._width_s(), per_worker(self.trace_offset_s, links.workers, "network.trace_offset_s", _offset)
        half, by = self._half(links), self._factors
        up, down, latency = by.rate * links.up_bps, by.rate * links.down_bps, by.latency * links.latency_s
        links = replace(links, up_bps=up, down_bps=down, latency_s=latency)
        links = replace(links, loss=float(self.loss), half_duplex=half)
        nodes = links.workers + 1
        traces = self._traces("up_trace", 0, links) | self._traces("down_trace", nodes, links)
        if half is not None:
            for worker in np.flatnonzero(half).tolist():
                if traces.pop(nodes + worker, None) is not None:
                    raise ValueError("network.down_trace: expected none where half_duplex (up_trace is both ways)")
        links = replace(links, rates=traces)
        loaded = [at for worker in range(links.workers) for at in links.own(worker)]
        traces = self._interruptions().rates(links, loaded)
        peaks = links.capacity_bps.copy()
        for at, trace in traces.items():
            peaks[at] = trace.peak_bps
        if half is not None:
            peaks[nodes:][half] = peaks[:nodes][half]
        return replace(links, up_bps=peaks[:nodes], down_bps=peaks[nodes:], rates=traces)

    @property
    def _factors(self) -> Factors:
        return Factors.read(self.rate_factor, self.latency_factor)

    def _interruptions(self) -> Interruptions:
        on, off = self.background_mean_on_s, self.background_mean_off_s
        return Interruptions(self.outages, self.background_load, on, off, self.seed)

    def _half(self, links: Links) -> npt.NDArray[np.bool_] | None:
        half = per_worker(cast(Any, self.half_duplex), links.workers, "network.half_duplex", _truth)
        if not half.any():
            return None
        for worker in np.flatnonzero(half):
            if links.up_bps[worker] != links.down_bps[worker]:
                raise ValueError(
                    f"network.half_duplex: expected up_bps = down_bps of worker {worker}, which shares one rate, got "
                    f"{links.up_bps[worker]:g} and {links.down_bps[worker]:g}"
                )
        return np.append(half > 0, False)

    def _traces(self, name: str, first: int, links: Links) -> dict[int, Trace]:
        """The trace of each worker's uplink (resources from `first` on) or downlink."""
        setting, key, workers = getattr(self, name), f"network.{name}", links.workers
        if setting is None:
            return {}
        listed = setting if isinstance(setting, Sequence) and not isinstance(setting, str) else [setting]
        if not 1 <= len(listed) <= workers:
            raise ValueError(f"{key}: expected one trace or up to {workers} (one for each worker), got {len(listed)}")
        known: dict[object, Trace | None] = {}  # a file that many name is read once
        names: list[object] = [one if isinstance(one, (str, Path)) else id(one) for one in listed]
        for at, one in zip(names, listed, strict=True):
            if at not in known:
                known[at] = self._factors.of_trace(self._trace(one, key))
        traces = {at: trace for at in range(workers) if (trace := known[names[at % len(names)]]) is not None}
        offsets = self._offsets(traces, key, workers)
        return {first + worker: trace.shifted(offsets[worker]) for worker, trace in traces.items()}

    def _trace(self, setting: object, key: str) -> Trace | None:
        if setting is None:
            return None
        if isinstance(setting, Trace):
            return delivering(setting, key)
        if not isinstance(setting, (str, Path)):
            raise ValueError(f"{key}: expected a file or a Trace, got {setting!r}")
        return read_trace(setting, self._width_s(), key)

    def _width_s(self) -> float | None:
        width = None if self.trace_bin_s is None else seconds(self.trace_bin_s, "network.trace_bin_s")
        if width == 0:
            raise ValueError("network.trace_bin_s: expected more than 0 s (or null), got 0")
        return width

    def _offsets(self, traces: Mapping[int, Trace], key: str, workers: int) -> npt.NDArray[np.float64]:
        offsets = per_worker(self.trace_offset_s, workers, "network.trace_offset_s", _offset)
        draws = uniform(self.seed, np.arange(workers), 3)
        for at in np.flatnonzero(np.isnan(offsets)).tolist():
            period = traces[at].period_s if at in traces else 0.0
            if period is None:
                raise ValueError(f"network.trace_offset_s: expected seconds, as {key} does not repeat, got 'spread'")
            offsets[at] = draws[at] * period
        return offsets


def _offset(value: object, key: str) -> float:
    return float("nan") if value == "spread" else seconds(value, key)


def _truth(value: object, key: str) -> float:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{key}: expected true or false, got {value!r}")
    return float(value)
