"""NCCL's three ways to move bytes: what each adds to a hop, and what it leaves of the rate."""

from __future__ import annotations

from dataclasses import dataclass

from network_models.fabric import Floats
from network_models.paths import Paths
from network_models.transports import Transport


@dataclass(frozen=True)
class Protocol:
    """LL sends a flag with every word, LL128 one with every 128 bytes, Simple waits for fences."""

    hop_s: float
    efficiency: float


PROTOCOLS = {
    "LL": Protocol(1e-6, 0.5),
    "LL128": Protocol(2e-6, 0.95),
    "Simple": Protocol(6e-6, 1.0),
}


class _Framed:
    """A transport under a protocol: longer hops, more bytes."""

    name = "nccl"

    def __init__(self, inner: Transport, protocol: Protocol) -> None:
        self._inner, self._protocol, self.remembers = inner, protocol, inner.remembers

    def wire_bytes(self, size_bytes: Floats) -> Floats:
        return self._inner.wire_bytes(size_bytes) / self._protocol.efficiency

    def latency_s(self, latency_s: Floats) -> Floats:
        return self._inner.latency_s(latency_s) + self._protocol.hop_s

    def capacity_bps(self, capacity_bps: Floats) -> Floats:
        return self._inner.capacity_bps(capacity_bps)

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        return self._inner.ceiling_bps(latency_s, loss)

    def stall_s(self, size_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        return self._inner.stall_s(size_bytes / self._protocol.efficiency, latency_s, path_bps, idle_s)


class _Felt(Paths):
    """Paths under a protocol; what connections remember, and the numbers of calls, are those of the paths below."""

    def __init__(self, paths: Paths, protocol: Protocol) -> None:
        vars(self).update(vars(paths))
        self._below = paths
        self.transport = _Framed(paths.transport, protocol)  # type: ignore[assignment]  # its name is not of the class

    def call(self) -> int:
        """Number a collective among all of the paths below."""
        return self._below.call()


def framed(paths: Paths, protocol: Protocol) -> Paths:
    """The same paths as messages under a protocol feel them."""
    return _Felt(paths, protocol)
