"""The contract of a transport. All methods are elementwise over messages, shape (m,), and pure.

A message of `size_bytes` takes `latency_s` (propagation as the transport feels it) plus `stall_s` (connection set-up
and slow start), during which its links are free for others, and then flows as `wire_bytes` at no more than
`ceiling_bps`.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from network_models.fabric import Floats

#: Idleness from here on (half of it, for rounding) means: the connection is open, this direction carried nothing yet.
UNUSED_S = 1e15


class Transport(Protocol):
    """What a protocol adds to latency and bandwidth.

    Attributes
    ----------
    name : str
        What settings call it.
    remembers : bool
        Whether `stall_s` depends on how long a connection has been idle.
    """

    name: ClassVar[str]
    remembers: ClassVar[bool]

    def wire_bytes(self, size_bytes: Floats) -> Floats:
        """Bytes on the wire, headers included."""
        ...

    def latency_s(self, latency_s: Floats) -> Floats:
        """One-way latency as this transport feels it, from the path's."""
        ...

    def capacity_bps(self, capacity_bps: Floats) -> Floats:
        """What of a resource's capacity flows can use."""
        ...

    def ceiling_bps(self, latency_s: Floats, loss: Floats) -> Floats:
        """The most that one flow reaches on a path, whatever is free: window per round trip, loss; infinite if none."""
        ...

    def stall_s(self, size_bytes: Floats, latency_s: Floats, path_bps: Floats, idle_s: Floats) -> Floats:
        """Seconds lost to connection set-up and slow start.

        `idle_s` is infinite on a connection never used, and about `UNUSED_S` where only the other direction was.
        """
        ...
