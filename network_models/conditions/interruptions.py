"""Outages and other traffic on the links of any fabric: what they make of each rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from network_models.conditions.composed import common_period, product
from network_models.conditions.outages import Outage, other_traffic
from network_models.conditions.trace import Trace
from network_models.fabric import Floats
from network_models.units import real, seconds


class Linked(Protocol):
    """What interruptions must know of a fabric."""

    @property
    def workers(self) -> int:
        """The number of workers."""
        ...

    @property
    def capacity_bps(self) -> Floats:
        """Bits/s of each resource."""
        ...

    @property
    def rates(self) -> Mapping[int, Trace]:
        """The resources whose capacity changes already."""
        ...

    def own(self, worker: int) -> list[int]:
        """The resources of a worker's links, in both directions."""
        ...

    def label(self, resource: int) -> str:
        """Name a resource."""
        ...


@dataclass(frozen=True)
class Interruptions:
    """Times without a link, and other traffic on it.

    Parameters
    ----------
    outages : list of mappings, optional
        See `Outage`. Routes stay as they are: a message waits for its link.
    background_load : float
        Share of links that other traffic takes, 0 <= share < 1. More is slower.
    background_mean_on_s, background_mean_off_s : float or str, optional
        Means of the exponential times in which there is other traffic and none; without them it is always there.
    seed : int
        Of these times; each resource has its own.
    """

    outages: Sequence[Any] | None = None
    background_load: float = 0.0
    background_mean_on_s: float | str | None = None
    background_mean_off_s: float | str | None = None
    seed: int = 0

    def rates(self, fabric: Linked, loaded: Iterable[int]) -> dict[int, Trace]:
        """Give all rates that change, those that did before included.

        Parameters
        ----------
        fabric : Linked
        loaded : iterable of int
            The resources on which there is other traffic.

        Raises
        ------
        ValueError
            If a setting is out of range or names no worker or link.
        """
        factors: dict[int, list[Trace]] = {}
        if not isinstance(self.outages or (), Sequence) or isinstance(self.outages, str):
            raise ValueError(f"network.outages: expected a list of outages, got {self.outages!r}")
        for number, setting in enumerate(self.outages or ()):
            key = f"network.outages[{number}]"
            outage = Outage.read(setting, key)
            for at in _resources(fabric, outage, key):
                factors.setdefault(at, []).append(outage.factor())
        on, off = self._means()
        for at in loaded if self.background_load else ():
            known = [*([fabric.rates[at]] if at in fabric.rates else []), *factors.get(at, [])]
            traffic = other_traffic(self.background_load, on, off, common_period(*known), (self.seed, at, 4))
            factors.setdefault(at, []).append(traffic)
        base = {at: fabric.rates.get(at) or _constant(fabric, at) for at in factors}
        return {**fabric.rates, **{at: product(base[at], *those) for at, those in factors.items()}}

    def _means(self) -> tuple[float | None, float | None]:
        load, periods = self.background_load, (self.background_mean_on_s, self.background_mean_off_s)
        if not 0 <= real(load) < 1:
            raise ValueError(f"network.background_load: expected 0 <= share < 1, got {load!r}")
        keys = "network.background_mean_on_s, background_mean_off_s"
        if periods.count(None) == 1:
            raise ValueError(f"{keys}: expected both or none, got {list(periods)}")
        on, off = (None if mean is None else seconds(mean, "network.background_mean_on_s") for mean in periods)
        if on == 0 or off == 0:
            raise ValueError(f"{keys}: expected more than 0 s, got 0")
        return on, off


def _resources(fabric: Linked, outage: Outage, key: str) -> list[int]:
    if outage.worker is not None:
        if isinstance(outage.worker, bool) or outage.worker not in range(fabric.workers):
            raise ValueError(f"{key}.worker: expected a worker in 0..{fabric.workers - 1}, got {outage.worker!r}")
        return fabric.own(int(outage.worker))
    count = len(fabric.capacity_bps)
    found = [at for at in range(count) if fabric.label(at) == outage.link]
    if not found:
        known = ", ".join(repr(fabric.label(at)) for at in (0, count // 2, count - 1))
        raise ValueError(f"{key}.link: expected a link such as {known}, got {outage.link!r}")
    return found[:1]


def _constant(fabric: Linked, resource: int) -> Trace:
    rate = float(fabric.capacity_bps[resource])
    if rate == float("inf"):
        raise ValueError(
            f"network.outages, background_load: expected a finite rate of {fabric.label(resource)}, got inf"
        )
    return Trace.constant(rate)
