"""The fabric of a star: links of n workers and a server around a switch that itself never limits.

A path from a to b uses the uplink of a and the downlink of b, and takes the sum of both latencies. Arrays over nodes
have length n + 1 with the server last. Resource i is the uplink of node i, resource n + 1 + j the downlink of node j
(the server's i or j is n); of a half-duplex link both are resource i.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from network_models.fabric import SERVER, Floats, Integers, Rate
from network_models.units import rate_bps, seconds

__all__ = ["SERVER", "Floats", "Integers", "Links", "PerWorker", "star_links"]

#: One value, or one for each worker. Values are numbers or strings with units.
PerWorker: TypeAlias = float | str | Sequence[float | str] | Floats


@dataclass(frozen=True, eq=False)
class Links:
    """The rates and latencies of every node's own link; a `Fabric`.

    Parameters
    ----------
    up_bps, down_bps : ndarray, shape (n + 1,)
        Bits per second out of and into each node, the server last.
    latency_s : ndarray, shape (n + 1,)
        One-way latency of each node's link.
    loss : float
        The probability that a packet is lost on any one path.
    half_duplex : ndarray of bool, shape (n + 1,), optional
        Whose link carries one direction at a time (its capacity is `up_bps`, which must equal `down_bps`).
    rates : mapping of int to Rate
        The resources whose capacity changes in time.
    """

    up_bps: Floats
    down_bps: Floats
    latency_s: Floats
    loss: float = 0.0
    half_duplex: npt.NDArray[np.bool_] | None = None
    rates: Mapping[int, Rate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for of in (self.up_bps, self.down_bps, self.latency_s):
            of.flags.writeable = False

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        return len(self.up_bps) - 1

    @property
    def servers(self) -> int:
        """One."""
        return 1

    @cached_property
    def capacity_bps(self) -> Floats:
        """Bits/s of every resource: all uplinks, then all downlinks, the server last in each."""
        return np.concatenate((self.up_bps, self.down_bps))

    @cached_property
    def _all_alike(self) -> bool:
        same = all(bool((of[:-1] == of[0]).all()) for of in (self.up_bps, self.down_bps, self.latency_s))
        return same and not self.rates and self.half_duplex is None

    def alike(self, workers: Integers) -> bool:
        """Whether these workers' links are the same."""
        if self._all_alike:
            return True
        if self.rates:
            return False
        same = all(bool((of[workers] == of[workers[0]]).all()) for of in (self.up_bps, self.down_bps, self.latency_s))
        return same and self.half_duplex is None

    def route(self, source: int, destination: int) -> tuple[int, ...]:
        """The uplink of `source` and the downlink of `destination`, where they have a limit."""
        nodes = len(self.up_bps)
        up = (source % nodes,) if self.up_bps[source] < np.inf else ()
        if self.half_duplex is not None and self.half_duplex[destination]:
            down = (destination % nodes,) if self.up_bps[destination] < np.inf else ()
        else:
            down = (nodes + destination % nodes,) if self.down_bps[destination] < np.inf else ()
        return up + down

    def path_latency_s(self, source: Integers | int, destination: Integers | int) -> Floats:
        """One-way latency from `source` to `destination`, elementwise."""
        return np.asarray(self.latency_s[source] + self.latency_s[destination])

    def path_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        """Rate of a transfer that shares its links with nobody, elementwise."""
        return np.minimum(self.up_bps[source], self.down_bps[destination])

    def path_loss(self, source: Integers | int, destination: Integers | int) -> Floats:
        """The loss of every path, elementwise."""
        return np.full(np.broadcast_shapes(np.shape(source), np.shape(destination)), self.loss)

    def own(self, worker: int) -> list[int]:
        """The resources of a worker's link."""
        shared = self.half_duplex is not None and self.half_duplex[worker]
        return [worker] if shared else [worker, len(self.up_bps) + worker]

    def label(self, resource: int) -> str:
        """``3 up``, ``server down``, ``3 shared`` for a half-duplex link."""
        nodes = len(self.up_bps)
        node = resource % nodes
        way = "up" if resource < nodes else "down"
        if self.half_duplex is not None and self.half_duplex[node]:
            way = "shared"
        return f"{'server' if node == nodes - 1 else node} {way}"


def star_links(
    workers: int,
    up_bps: PerWorker,
    down_bps: PerWorker,
    latency_s: PerWorker,
    server_up_bps: float | str | None,
    server_down_bps: float | str | None,
    server_latency_s: float | str | None,
) -> Links:
    """Read the links of a star from its settings; what is None for the server is the largest of the workers'."""
    count = worker_count(workers)
    nodes = []
    for key, value, server, read in (
        ("up_bps", up_bps, server_up_bps, rate_bps),
        ("down_bps", down_bps, server_down_bps, rate_bps),
        ("latency_s", latency_s, server_latency_s, seconds),
    ):
        each = per_worker(value, count, f"network.{key}", read)
        last = float(each.max()) if server is None else read(server, f"network.server_{key}")
        nodes.append(np.append(each, last))
    up, down, latency = nodes
    return Links(up, down, latency)


def worker_count(workers: object) -> int:
    """Read the number of workers.

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1.
    """
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1:
        raise ValueError(f"network.workers: expected a whole number of at least 1, got {workers!r}")
    return int(workers)


def per_worker(value: PerWorker, workers: int, key: str, read: Callable[[object, str], float]) -> Floats:
    """Read one value for all workers, or one for each, with `read`."""
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
        return np.full(workers, read(value, key))
    if len(value) != workers:
        raise ValueError(f"{key}: expected one value or {workers} of them (one for each worker), got {len(value)}")
    return np.array([read(item, f"{key}[{worker}]") for worker, item in enumerate(value)])
