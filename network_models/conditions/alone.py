"""How long a message takes when nobody hinders it: the integral of the narrowest rate on its way.

With one trace on the way the answer is a look-up, also for many messages at once; where several traces meet, their
steps are walked, a window at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from network_models.conditions.composed import common_period
from network_models.conditions.steps import Floats, Steps
from network_models.conditions.trace import Trace


class Way:
    """The capacities on one route: a constant, and perhaps traces.

    Parameters
    ----------
    cap_bps : float
        The least constant on the way, perhaps infinite.
    traces : tuple of Trace
        What changes; each may go above `cap_bps`.
    """

    def __init__(self, cap_bps: float, traces: tuple[Trace, ...]) -> None:
        self.cap_bps, self.traces = cap_bps, traces
        self.peak_bps = min([cap_bps, *(trace.peak_bps for trace in traces)])

    def finish(self, start: float, bits: float) -> float:
        """When the last of `bits` has passed if they begin at `start`; infinity if never."""
        if not bits:
            return start
        if not self.traces:
            return start + bits / self.cap_bps
        if len(self.traces) == 1:
            return float(self.traces[0].finish(start, bits))
        means = [mean for trace in self.traces if (mean := trace.mean_bps)]
        begin, left, window, idle = start, bits, 1.5 * bits / min([self.peak_bps, *means]), 0.0
        while True:
            edges, rates = self.walked(begin, begin + window)
            sums = np.cumsum(rates * np.diff(edges))
            if sums[-1] >= left * (1 - 1e-12):  # what is left over by rounding only must not wait
                step = int(np.searchsorted(sums, left * (1 - 1e-12)))
                return float(edges[step] + (left - (sums[step - 1] if step else 0.0)) / rates[step])
            idle = 0.0 if sums[-1] else idle + window
            if idle and idle > self._patience():
                return np.inf
            begin, left, window = begin + window, left - float(sums[-1]), 2 * window

    def bits(self, start: float, end: float) -> float:
        """What passes in the time between, at most."""
        if not self.traces:
            return self.cap_bps * (end - start)
        if len(self.traces) == 1:
            return float(self.traces[0].bits(start, end))
        edges, rates = self.walked(start, end)
        return float(rates @ np.diff(edges))

    def walked(self, start: float, end: float) -> tuple[Floats, Floats]:
        """The steps of the narrowest rate from `start` to `end`: their edges (m + 1,) and rates (m,)."""
        changes = [trace.changes(start, end) for trace in self.traces]
        edges = np.unique(np.concatenate(([start, end], *changes)))
        middles = (edges[1:] + edges[:-1]) / 2
        rates = np.full(len(middles), self.cap_bps)
        for trace in self.traces:
            rates = np.minimum(rates, trace.steps.at(middles + trace.offset_s))
        return edges, rates

    def _patience(self) -> float:
        """If nothing has passed for so long, nothing will."""
        once = max(trace.steps.settled_s for trace in self.traces)
        try:
            return once + (common_period(*self.traces) or 1.0)
        except ValueError:
            return once + 64 * max(trace.period_s or 0.0 for trace in self.traces)


class Ways:
    """The way along each route, found once.

    Parameters
    ----------
    capacity_bps : sequence of float
        Bits/s of each resource.
    rates : mapping of int to Trace
        Those that change.
    """

    def __init__(self, capacity_bps: Sequence[float] | Floats, rates: Mapping[int, Trace]) -> None:
        self._capacity, self.rates = capacity_bps, rates
        self._known: dict[tuple[tuple[int, ...], float], Way] = {}
        self._capped: dict[tuple[Steps, float], Steps] = {}

    def along(self, route: tuple[int, ...], cap_bps: float = float("inf")) -> Way:
        """What a message may use on `route` if it may never exceed `cap_bps`."""
        if (way := self._known.get((route, cap_bps))) is None:
            constant = min([cap_bps, *(float(self._capacity[at]) for at in route if at not in self.rates)])
            traces = tuple(self.rates[at] for at in route if at in self.rates)
            if len(traces) == 1 and constant < traces[0].peak_bps:
                traces = (Trace.of(self._cap(traces[0].steps, constant), traces[0].offset_s),)
            way = self._known[route, cap_bps] = Way(constant, traces)
        return way

    def finish(self, ways: Sequence[Way], start: Floats, bits: Floats) -> Floats:
        """When each message's last bit has passed, elementwise, shape (m,); those that share a table, at once."""
        end = np.empty(len(ways))
        tables: dict[Steps | None, list[int]] = {}
        for number, way in enumerate(ways):
            tables.setdefault(way.traces[0].steps if len(way.traces) == 1 else None, []).append(number)
        for number in tables.pop(None, ()):
            end[number] = ways[number].finish(float(start[number]), float(bits[number]))
        for table, numbers in tables.items():
            if table is not None:
                offsets = np.array([ways[number].traces[0].offset_s for number in numbers])
                end[numbers] = start[numbers] + table.lasting(start[numbers] + offsets, bits[numbers])
        return end

    def _cap(self, steps: Steps, cap_bps: float) -> Steps:
        if (steps, cap_bps) not in self._capped:
            settled = steps.settled_s if steps.period_s else 0.0
            rates: npt.NDArray[np.float64] = np.minimum(steps.rates_bps, cap_bps)
            self._capped[steps, cap_bps] = Steps(steps.times_s, rates, steps.period_s, settled)
        return self._capped[steps, cap_bps]


def mapped(rates: Mapping[int, Trace], function: object) -> dict[int, Trace]:
    """Apply a function of bits/s to every trace; those that share a table go on sharing one."""
    tables: dict[Steps, Steps] = {}
    for trace in rates.values():
        if trace.steps not in tables:
            tables[trace.steps] = Trace.of(trace.steps).mapped(function).steps  # type: ignore[arg-type]
    return {resource: Trace.of(tables[trace.steps], trace.offset_s) for resource, trace in rates.items()}
