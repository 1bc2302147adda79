"""Full-duplex links of n workers and a server around a non-blocking switch.

Nodes are numbered 0..n-1 and `SERVER` = -1; arrays over nodes have length n + 1 with the server last, so that a
node's number indexes them directly. A path from a to b uses the uplink of a and the downlink of b, and takes the sum
of both latencies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from network_models.units import rate_bps, seconds

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
#: One value, or one for each worker. Values are numbers or strings with units.
PerWorker: TypeAlias = float | str | Sequence[float | str] | Floats

SERVER = -1


@dataclass(frozen=True, eq=False)
class Links:
    """The rates and latencies of every node's own link.

    Parameters
    ----------
    up_bps, down_bps : ndarray, shape (n + 1,)
        Bits per second out of and into each node, the server last.
    latency_s : ndarray, shape (n + 1,)
        One-way latency of each node's link.
    """

    up_bps: Floats
    down_bps: Floats
    latency_s: Floats

    def __post_init__(self) -> None:
        alike = all(bool((of[:-1] == of[0]).all()) for of in (self.up_bps, self.down_bps, self.latency_s))
        object.__setattr__(self, "_alike", alike)
        for of in (self.up_bps, self.down_bps, self.latency_s):
            of.flags.writeable = False

    @property
    def workers(self) -> int:
        """The number of workers, n."""
        return len(self.up_bps) - 1

    def alike(self, workers: Integers) -> bool:
        """Whether these workers' links are the same."""
        if self._alike:  # type: ignore[attr-defined]
            return True
        return all(bool((of[workers] == of[workers[0]]).all()) for of in (self.up_bps, self.down_bps, self.latency_s))

    def path_latency_s(self, source: Integers | int, destination: Integers | int) -> Floats:
        """One-way latency from `source` to `destination`, elementwise."""
        return np.asarray(self.latency_s[source] + self.latency_s[destination])

    def path_bps(self, source: Integers | int, destination: Integers | int) -> Floats:
        """Rate of a transfer that shares its links with nobody, elementwise."""
        return np.minimum(self.up_bps[source], self.down_bps[destination])


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
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1:
        raise ValueError(f"network.workers: expected a whole number of at least 1, got {workers!r}")
    nodes = []
    for key, value, server, read in (
        ("up_bps", up_bps, server_up_bps, rate_bps),
        ("down_bps", down_bps, server_down_bps, rate_bps),
        ("latency_s", latency_s, server_latency_s, seconds),
    ):
        each = _per_worker(value, int(workers), f"network.{key}", read)
        last = float(each.max()) if server is None else read(server, f"network.server_{key}")
        nodes.append(np.append(each, last))
    return Links(*nodes)


def _per_worker(value: PerWorker, workers: int, key: str, read: Callable[[object, str], float]) -> Floats:
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
        return np.full(workers, read(value, key))
    if len(value) != workers:
        raise ValueError(f"{key}: expected one value or {workers} of them (one for each worker), got {len(value)}")
    return np.array([read(item, f"{key}[{worker}]") for worker, item in enumerate(value)])
